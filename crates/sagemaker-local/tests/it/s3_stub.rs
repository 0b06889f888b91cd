//! An S3 in memory, with the parts of the REST protocol that this crate uses.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

/// Objects by `bucket/key`; clones share them. Every bucket exists, except those whose name begins with `no-`.
#[derive(Clone, Default)]
pub struct S3Stub {
    objects: Arc<Mutex<BTreeMap<String, Bytes>>>,
}

impl S3Stub {
    /// Serves on a free port; returns the address.
    pub async fn serve(&self) -> String {
        let router = Router::new()
            .route("/{bucket}", get(list))
            .route("/{bucket}/", get(list))
            .route("/{bucket}/{*key}", get(fetch).put(store))
            .with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    pub fn put(&self, path: &str, body: impl Into<Bytes>) {
        self.objects.lock().unwrap().insert(path.to_owned(), body.into());
    }

    pub fn get(&self, path: &str) -> Option<Bytes> {
        self.objects.lock().unwrap().get(path).cloned()
    }

    /// All `bucket/key`s with this prefix.
    pub fn keys(&self, prefix: &str) -> Vec<String> {
        self.objects
            .lock()
            .unwrap()
            .keys()
            .filter(|path| path.starts_with(prefix))
            .cloned()
            .collect()
    }
}

async fn fetch(State(stub): State<S3Stub>, Path((bucket, key)): Path<(String, String)>) -> Response {
    match stub.get(&format!("{bucket}/{key}")) {
        Some(body) => body.into_response(),
        None => error(StatusCode::NOT_FOUND, "NoSuchKey"),
    }
}

async fn store(State(stub): State<S3Stub>, Path((bucket, key)): Path<(String, String)>, body: Bytes) -> Response {
    if bucket.starts_with("no-") {
        return error(StatusCode::NOT_FOUND, "NoSuchBucket");
    }
    stub.put(&format!("{bucket}/{key}"), body);
    StatusCode::OK.into_response()
}

async fn list(
    State(stub): State<S3Stub>,
    Path(bucket): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    if bucket.starts_with("no-") {
        return error(StatusCode::NOT_FOUND, "NoSuchBucket");
    }
    let prefix = query.get("prefix").cloned().unwrap_or_default();
    let contents: String = stub
        .keys(&format!("{bucket}/{prefix}"))
        .iter()
        .map(|path| {
            let key = &path[bucket.len() + 1..];
            let size = stub.get(path).map_or(0, |body| body.len());
            format!("<Contents><Key>{key}</Key><Size>{size}</Size></Contents>")
        })
        .collect();
    format!("<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>").into_response()
}

fn error(status: StatusCode, code: &str) -> Response {
    (
        status,
        format!("<Error><Code>{code}</Code><Message>{code}</Message></Error>"),
    )
        .into_response()
}
