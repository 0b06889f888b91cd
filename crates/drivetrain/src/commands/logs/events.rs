//! Lines of CloudWatch Logs.

use crate::target::{Target, describe};
use anyhow::Result;
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::operation::filter_log_events::FilterLogEventsError;
use serde::Serialize;

/// A line of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// When it was written, in milliseconds since 1970.
    pub at_ms: i64,
    /// The stream or function that wrote it.
    pub of: String,
    /// Its text.
    pub text: String,
}

/// Reads log groups.
#[derive(Clone, Debug)]
pub struct Reader {
    client: Client,
    /// Whether the logs are local. The local service does not support filter patterns, so lines are filtered here.
    local: bool,
}

impl Reader {
    /// A reader for the logs of a stack.
    pub fn new(target: &Target) -> Self {
        Self {
            client: target.logs(),
            local: target.local.is_some(),
        }
    }

    /// The lines that a function has written since then, oldest first; with `about`, only those that contain it.
    ///
    /// # Errors
    /// CloudWatch Logs refuses.
    pub async fn of_function(&self, function: &str, since_ms: i64, about: Option<&str>) -> Result<Vec<Line>> {
        let group = format!("/aws/lambda/{function}");
        self.of_group(&group, None, since_ms, about, function).await
    }

    /// The lines that streams of a group have written since then. `None` when there is no such group: nothing was
    /// written yet.
    ///
    /// # Errors
    /// CloudWatch Logs refuses.
    pub async fn of_group(
        &self,
        group: &str,
        streams: Option<&str>,
        since_ms: i64,
        about: Option<&str>,
        of: &str,
    ) -> Result<Vec<Line>> {
        let request = self
            .client
            .filter_log_events()
            .log_group_name(group)
            .start_time(since_ms);
        let request = request.set_log_stream_name_prefix(streams.map(str::to_owned));
        let pattern = about.filter(|_| !self.local).map(|about| format!("\"{about}\""));
        let mut pages = request.set_filter_pattern(pattern).into_paginator().send();
        let mut lines = Vec::new();
        while let Some(page) = pages.next().await {
            let page = match page {
                Ok(page) => page,
                Err(error)
                    if error
                        .as_service_error()
                        .is_some_and(FilterLogEventsError::is_resource_not_found_exception) =>
                {
                    return Ok(Vec::new());
                }
                Err(error) => return Err(describe(&format!("FilterLogEvents {group}"), error)),
            };
            let events = page.events.unwrap_or_default().into_iter();
            lines.extend(events.filter_map(|event| {
                Some(Line {
                    at_ms: event.timestamp?,
                    of: of.to_owned(),
                    text: event.message?,
                })
            }));
        }
        if let Some(about) = about {
            lines.retain(|line| line.text.contains(about));
        }
        lines.sort_by_key(|line| line.at_ms);
        Ok(lines)
    }
}
