//! Web pages may not call this server: it runs programs, and any page that somebody opens can send requests to 127.0.0.1.
//!
//! A page that is sent to a name that leads here (DNS rebinding) is known by its `Host`, one that calls across sites by
//! `Origin` or `Sec-Fetch-Site`; browsers set these, and no page can change them. Other programs send neither of the last
//! two.

use std::net::IpAddr;

use axum::body::Body;
use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::error::ApiError;

/// Names that only ever lead to this machine, or that nobody else can have lead here.
const LOCAL_NAMES: [&str; 4] = [
    "localhost",
    "localhost.localstack.cloud",
    "amazonaws.com",
    "amazonaws.com.cn",
];

/// Answers 403 to what a foreign page has sent, before anything else looks at the request.
pub(crate) async fn refuse_pages(request: Request<Body>, next: Next) -> Response {
    match foreign(request.headers()) {
        Some(reason) => {
            tracing::warn!(uri = %request.uri(), reason, "refused a web page's request");
            ApiError {
                status: StatusCode::FORBIDDEN,
                ..ApiError::new(
                    "AccessDeniedException",
                    format!("sagemaker-local takes no request {reason}"),
                )
            }
            .into_response()
        }
        None => next.run(request).await,
    }
}

/// Why the request is a foreign page's.
fn foreign(headers: &HeaderMap) -> Option<&'static str> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    if text(header::HOST).is_some_and(|host| !host.parse::<Authority>().is_ok_and(|it| is_local(it.host()))) {
        return Some("whose Host is not this machine's");
    }
    // A page without an origin of its own sends `null`.
    if text(header::ORIGIN).is_some_and(|origin| {
        !origin
            .parse::<Uri>()
            .is_ok_and(|it| it.scheme().is_some() && it.host().is_some_and(is_local))
    }) {
        return Some("of a web page from elsewhere");
    }
    let site = headers.get("sec-fetch-site").map(header::HeaderValue::as_bytes);
    (site == Some(b"cross-site")).then_some("of a web page from elsewhere")
}

fn is_local(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
    if let Ok(address) = host.parse::<IpAddr>() {
        return address.is_loopback();
    }
    LOCAL_NAMES.iter().any(|name| {
        host.strip_suffix(name)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(headers: &[(&'static str, &str)]) -> Option<&'static str> {
        foreign(
            &headers
                .iter()
                .map(|(name, value)| (header::HeaderName::from_static(name), value.parse().unwrap()))
                .collect(),
        )
    }

    #[test]
    fn programs_and_pages_of_this_machine_are_let_pass() {
        for headers in [
            &[][..],
            &[("host", "127.0.0.1:4570")],
            &[("host", "[::1]:4570"), ("origin", "http://localhost:3000")],
            &[("host", "runtime.sagemaker.eu-west-1.amazonaws.com")],
            &[("host", "LOCALHOST"), ("sec-fetch-site", "same-origin")],
            &[
                ("host", "sagemaker.localhost.localstack.cloud:4566"),
                ("origin", "http://127.0.0.1:8000"),
            ],
        ] {
            assert_eq!(judged(headers), None, "{headers:?}");
        }
    }

    #[test]
    fn pages_of_others_are_refused() {
        for headers in [
            &[("host", "evil.example")][..],
            &[("host", "127.0.0.1.evil.example:4570")],
            &[("host", "evilamazonaws.com")],
            &[("host", "10.0.0.7:4570")],
            &[("host", "127.0.0.1@evil.example")],
            &[("host", "127.0.0.1"), ("origin", "https://evil.example")],
            &[("host", "127.0.0.1"), ("origin", "null")],
            &[("host", "127.0.0.1"), ("origin", "")],
            &[("host", "127.0.0.1"), ("sec-fetch-site", "cross-site")],
        ] {
            assert!(judged(headers).is_some(), "{headers:?}");
        }
    }
}
