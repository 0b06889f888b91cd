//! HTTP: routes, the envelopes of the two AWS protocols, the local control routes.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Request, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::app::{App, StartError};
use crate::browsers;
use crate::dispatch;
use crate::error::ApiError;
use crate::faults::Fault;
use crate::operations::invoke::invoke;
use crate::settings::Settings;

/// Maximum size of a body in bytes; operations have smaller limits of their own.
const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;

/// Listens, serves until SIGTERM or SIGINT, then ends every container.
///
/// # Errors
/// [`StartError`] when it cannot start or listen.
pub async fn serve(settings: Settings) -> Result<(), StartError> {
    let address = settings.listen;
    let app = App::start(settings)?;
    let listen_error = |source| StartError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(listen_error)?;
    let address = listener.local_addr().map_err(listen_error)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(StartError::Serve)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(StartError::Serve)?;
    tracing::info!(url = %format!("http://{address}"), data_dir = %app.host.settings.data_dir.display(), "ready");

    let listener = listener.tap_io(|connection| {
        // An answer sent in two segments must not wait for the acknowledgement of the first.
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps Nagle's algorithm");
        }
    });

    let router = router(Arc::clone(&app));
    let served = tokio::select! {
        served = async { axum::serve(listener, router).await } => served.map_err(StartError::Serve),
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    };
    tracing::info!("stopping");
    app.shutdown().await;
    served
}

/// All routes, sharing one state.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", post(json_protocol))
        .route("/endpoints/{name}/invocations", post(invoke))
        .route("/_local/health", get(health))
        .route("/_local/faults", get(list_faults).post(add_fault).delete(clear_faults))
        .fallback(unknown_route)
        .layer(middleware::from_fn(browsers::refuse_pages))
        .layer(middleware::from_fn(add_request_id))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(app)
}

/// AWS JSON 1.1: the operation is in a header, the request in the body.
async fn json_protocol(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers
        .get("x-amz-target")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    match dispatch::answer(&app, target, &body).await {
        Ok(answer) => {
            let mut response = Json(answer).into_response();
            response.headers_mut().insert(
                http::header::CONTENT_TYPE,
                http::HeaderValue::from_static("application/x-amz-json-1.1"),
            );
            response
        }
        Err(error) => error.into_response(),
    }
}

async fn health() -> Json<Value> {
    Json(json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}))
}

async fn list_faults(State(app): State<Arc<App>>) -> Json<Vec<Fault>> {
    Json(app.faults.list())
}

// The body is read as JSON whatever its content type is, because people send it with curl.
async fn add_fault(State(app): State<Arc<App>>, body: Bytes) -> Result<Json<Vec<Fault>>, ApiError> {
    let fault =
        serde_json::from_slice(&body).map_err(|error| ApiError::validation(format!("this is not a fault: {error}")))?;
    app.faults.add(fault);
    Ok(Json(app.faults.list()))
}

async fn clear_faults(State(app): State<Arc<App>>) -> StatusCode {
    app.faults.clear();
    StatusCode::NO_CONTENT
}

async fn unknown_route(method: http::Method, uri: Uri) -> ApiError {
    ApiError::unsupported_operation(&format!("at {method} {}", uri.path()))
}

/// Every AWS answer has a request id; SDKs log it, and some fail without it.
async fn add_request_id(request: Request<axum::body::Body>, next: Next) -> Response {
    let mut response = next.run(request).await;
    if let Ok(value) = uuid::Uuid::new_v4().to_string().parse() {
        response.headers_mut().insert("x-amzn-RequestId", value);
    }
    response
}
