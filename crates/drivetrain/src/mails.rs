//! The notification e-mails in the stack's inbox.

use anyhow::Result;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::{Duration, Instant};

/// A mail in the inbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// When it arrived.
    pub time: String,
    /// Its recipient.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub message: String,
}

/// The size of the inbox in bytes: mails beyond this mark are new.
pub fn mark(inbox: &Path) -> u64 {
    std::fs::metadata(inbox)
        .map(|metadata| metadata.len())
        .unwrap_or_default()
}

/// The mails beyond a mark that mention a run; waits for the first one, and a moment longer for others.
///
/// # Errors
/// The inbox can't be read.
pub async fn of_run(inbox: &Path, mark: u64, run_id: &str, patience: Duration) -> Result<Vec<Mail>> {
    let deadline = Instant::now() + patience;
    let mut found = Vec::new();
    loop {
        let now = since(inbox, mark, run_id);
        let settled = !now.is_empty() && now.len() == found.len();
        found = now;
        if settled || Instant::now() > deadline {
            return Ok(found);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// The mails beyond a mark that contain `about`, oldest first.
pub fn since(inbox: &Path, mark: u64, about: &str) -> Vec<Mail> {
    parse(&std::fs::read(inbox).unwrap_or_default(), mark, about)
}

fn parse(inbox: &[u8], mark: u64, about: &str) -> Vec<Mail> {
    let start = usize::try_from(mark).unwrap_or(usize::MAX).min(inbox.len());
    String::from_utf8_lossy(&inbox[start..])
        .lines()
        // The last line may be incomplete.
        .filter_map(|line| serde_json::from_str(line).ok())
        .filter(|mail: &Mail| mail.message.contains(about) || mail.subject.contains(about))
        .collect()
}

/// A mail as people see it, indented.
pub fn shown(mail: &Mail) -> String {
    let body: Vec<String> = mail
        .message
        .trim_end()
        .lines()
        .map(|line| format!("    {line}"))
        .collect();
    format!(
        "  To:      {}\n  Subject: {}\n\n{}\n",
        mail.to,
        mail.subject,
        body.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_new_mails_of_the_run_count() {
        let line = |run: &str| {
            format!(
                r#"{{"time":"t","topic_arn":"x","to":"you@example.com","subject":"[drivetrain] cars: {run}","message":"m","message_attributes":{{}}}}"#
            ) + "\n"
        };
        let (old, new) = (line("r1"), line("r1") + &line("r2") + r#"{"time":"t","to":"#);
        let inbox = old.clone() + &new;
        let found = parse(inbox.as_bytes(), old.len() as u64, "r1");
        assert_eq!(found.len(), 1);
        assert!(shown(&found[0]).contains("Subject: [drivetrain] cars: r1"));
        assert_eq!(parse(inbox.as_bytes(), u64::MAX, "r1"), []);
    }
}
