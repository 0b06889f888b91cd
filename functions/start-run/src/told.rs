//! What people hear of files that started nothing. A few refusals are told at once, each in a mail; a flood is gathered
//! and told in one mail at the next tick, as are overtaken files when the run that overtook them has been started.
//!
//! Each is written down first and deleted when it was told: a call that dies in between has it told twice, not never.

use crate::check::Refusal;
use crate::copies::AT_ONCE;
use crate::{Error, StartRun};
use contracts::places::{Drop, Table};
use contracts::queue::{Telling, Untold, Why};
use contracts::reporting::{ALL, RunRow, day};
use contracts::run::RunKind;
use contracts::{Notice, RunId, Severity, places};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use platform::documents::Condition;
use std::collections::BTreeMap;

/// Room for names in a mail, of SNS's 256 KiB.
const NAMES_LIMIT_BYTES: usize = 100_000;
/// Reasons that a mail tells of one by one.
const REASONS_SHOWN: usize = 20;
/// Looks at a document that other calls change.
const LOOKS: u32 = 5;

impl StartRun {
    /// Writes a file down that started nothing, to be told of; `name` stands for it.
    pub(crate) async fn write_down(&self, use_case: &str, why: Why, name: &str, untold: &Untold) -> Result<(), Error> {
        let key = places::use_case::untold(use_case, why) + name + ".json";
        self.documents.put(&key, untold, Condition::Always).await?;
        Ok(())
    }

    /// Tells people of a refused file, at once or, when there are many, with others at the next tick.
    pub(crate) async fn tell_refusal(&self, use_case: &str, name: &str, untold: &Untold) -> Result<(), Error> {
        self.write_down(use_case, Why::Refused, name, untold).await?;
        self.tell(use_case, Why::Refused, false, untold.at).await
    }

    /// Tells people of all files that were written down, unless another call is at it or, when it isn't `due`, a few
    /// mails have gone out lately: then the next tick does.
    pub(crate) async fn tell(&self, use_case: &str, why: Why, due: bool, now: Timestamp) -> Result<(), Error> {
        let key = places::use_case::telling(use_case);
        for _ in 0..LOOKS {
            let found = self.documents.get::<Telling>(&key).await?;
            let (telling, etag) = found.map_or_else(Default::default, |it| (it.value, Some(it.etag)));
            let Some(mut taken) = telling.taken(due, now) else {
                return Ok(());
            };
            let condition = etag.as_deref().map_or(Condition::Absent, Condition::Unchanged);
            let Some(etag) = self.documents.put(&key, &taken, condition).await? else {
                continue;
            };
            let told = self.tell_all(use_case, why).await;
            taken.busy_until = None;
            if let Ok(told) = &told
                && !told.is_empty()
            {
                match why {
                    Why::Refused => taken.told.push(now),
                    Why::Overtaken => taken.overtaken = told.iter().filter_map(|it| it.run_id.clone()).collect(),
                }
            }
            self.documents.put(&key, &taken, Condition::Unchanged(&etag)).await?;
            return told.map(drop);
        }
        // Whoever has changed it tells.
        Ok(())
    }

    /// Writes rows of refused files, all that are told of at once in one file: a flood makes the dashboard anew once. The
    /// file is named after the first, so that a telling that is done again writes it again.
    async fn report_refused(&self, use_case: &str, untold: &[Untold]) -> Result<(), Error> {
        let bucket = &self.settings.bucket;
        let rows: Vec<RunRow> = untold.iter().map(|one| refused_row(one, bucket)).collect();
        if let (Some(first), Some(one)) = (rows.first(), untold.first()) {
            let name = format!("{}-refused.jsonl", first.run_id);
            let key = Table::Runs.key(use_case, ALL, day(one.at), &name);
            self.documents.put_rows(&key, &rows).await?;
        }
        Ok(())
    }

    /// Tells people of everything that was written down; gives what they were told of.
    async fn tell_all(&self, use_case: &str, why: Why) -> Result<Vec<Untold>, Error> {
        let keys = self
            .documents
            .listed(&places::use_case::untold(use_case, why), None)
            .await?;
        let reads = stream::iter(keys.iter().map(|it| self.documents.get::<Untold>(&it.key)));
        let found: Vec<_> = reads.buffered(AT_ONCE).try_collect().await?;
        let untold: Vec<Untold> = found.into_iter().flatten().map(|found| found.value).collect();
        if untold.is_empty() {
            return Ok(untold);
        }
        let notice = match (why, untold.as_slice()) {
            (Why::Refused, [one]) => refused(use_case, one),
            (Why::Refused, all) => refusals(use_case, all),
            (Why::Overtaken, all) => overtaken(use_case, all),
        };
        if why == Why::Refused {
            self.report_refused(use_case, &untold).await?;
        }
        self.notices.publish(&notice).await?;
        let deletes = stream::iter(keys.iter().map(|it| self.documents.delete(&it.key)));
        deletes.buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        Ok(untold)
    }
}

/// The row of a refused file.
fn refused_row(one: &Untold, bucket: &str) -> RunRow {
    let drop = places::parse_uri(&one.subject).and_then(|(_, key)| places::parse_drop(key));
    let (kind, started_by) = match (drop, one.kind) {
        (Some((_, Drop::Training)), _) => (RunKind::Training.as_str(), "drop"),
        (Some((_, Drop::Scoring)), _) => (RunKind::Scoring.as_str(), "drop"),
        (Some((_, Drop::GroundTruth)), _) => (Drop::GroundTruth.folder(), "drop"),
        (None, Some(kind @ RunKind::Promotion)) => (kind.as_str(), "person"),
        (None, Some(kind @ RunKind::Training)) => (kind.as_str(), "drift"),
        (None, kind) => (kind.unwrap_or_default().as_str(), "unknown"),
    };
    let version = one.version.as_deref().unwrap_or_default();
    // Where there is no run its digits stand for the version.
    let run_id = one.run_id.clone();
    let run_id = run_id.unwrap_or_else(|| RunId::for_drop(one.at, bucket, &one.subject, version));
    RunRow {
        source: Some(one.subject.clone()),
        started_at: Some(one.at),
        stopped_at: Some(one.at),
        decision: Some("refused".to_owned()),
        reason: Some(format!("{}. {}", one.reason, one.remedy)),
        ..RunRow::new(run_id, kind, started_by, "REFUSED")
    }
}

fn refused(use_case: &str, one: &Untold) -> Notice {
    let refusal = Refusal::new(&one.reason, &one.remedy);
    let mut notice = refusal_notice(use_case, &one.subject, &refusal);
    if let Some(version) = &one.version {
        notice = notice.line("version", version);
    }
    match &one.run_id {
        Some(run) => notice.line("run", run),
        None => notice,
    }
}

/// What people are told of a drop that starts nothing.
fn refusal_notice(use_case: &str, file: &str, refusal: &Refusal) -> Notice {
    let name = file.rsplit('/').next().unwrap_or(file);
    Notice::new(
        use_case,
        Severity::Warning,
        &format!("{name} was refused"),
        &format!(
            "The file {name} {}. No run was started; the file stays where it is.",
            refusal.reason
        ),
    )
    .line("file", file)
    .line("reason", &refusal.reason)
    .line("what to do", &refusal.remedy)
}

/// What to do about a refusal, the same for all that differ in their runs alone.
fn remedy_of_any(one: &Untold) -> String {
    match &one.run_id {
        Some(run) => one.remedy.replace(&run.to_string(), "<run>"),
        None => one.remedy.clone(),
    }
}

/// One mail of many refusals, by their reasons.
fn refusals(use_case: &str, all: &[Untold]) -> Notice {
    let mut reasons: BTreeMap<(&str, String), Vec<&Untold>> = BTreeMap::new();
    for one in all {
        reasons.entry((&one.reason, remedy_of_any(one))).or_default().push(one);
    }
    let mut notice = Notice::new(
        use_case,
        Severity::Warning,
        &format!("{} files were refused", all.len()),
        &format!(
            "{} files of use case {use_case} can't be used. No runs were started; the files stay where they are.",
            all.len()
        ),
    );
    let (mut room, more) = (NAMES_LIMIT_BYTES, reasons.len().saturating_sub(REASONS_SHOWN));
    for ((reason, remedy), files) in reasons.into_iter().take(REASONS_SHOWN) {
        let names = files.iter().map(|it| match &it.run_id {
            Some(run) if it.remedy != remedy => format!("{} (run {run})", it.subject),
            _ => it.subject.clone(),
        });
        let names = names.collect();
        notice = notice.line("reason", format!("{} of them: {reason}", files.len()));
        notice = notice
            .line("what to do", &remedy)
            .line("files", listed(names, &mut room));
    }
    match more {
        0 => notice,
        _ => notice.line(
            "more",
            format!("{more} other reasons; the manifest of each run says its own"),
        ),
    }
}

fn overtaken(use_case: &str, all: &[Untold]) -> Notice {
    let headline = match all {
        [one] => format!("{} was overtaken", name(&one.subject)),
        _ => format!("{} files were overtaken by newer ones", all.len()),
    };
    let mut notice = Notice::new(
        use_case,
        Severity::Info,
        &headline,
        &format!(
            "Newer files of use case {use_case} came while a training run was under way: {} older ones were queued and are \
             not trained on. The files stay where they are.",
            all.len()
        ),
    );
    if let Some(remedy) = all.first().map(|one| &one.remedy) {
        notice = notice.line("what to do", remedy);
    }
    let mut by: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for one in all {
        let run = one
            .run_id
            .as_ref()
            .map(|run| format!(" (run {run})"))
            .unwrap_or_default();
        by.entry(&one.reason).or_default().push(one.subject.clone() + &run);
    }
    let mut room = NAMES_LIMIT_BYTES;
    for (reason, names) in by {
        notice = notice.line("files", format!("{reason}: {}", listed(names, &mut room)));
    }
    notice
}

/// Names for a mail, as many as there is room for.
fn listed(names: Vec<String>, room: &mut usize) -> String {
    let count = names.len();
    let fitting = names.into_iter().take_while(|name| {
        // Escaped, a character may take up to ten.
        let bytes = contracts::notice::plain(name).len() + 2;
        let fits = bytes <= *room;
        *room = room.saturating_sub(bytes);
        fits
    });
    let fitting: Vec<String> = fitting.collect();
    match count - fitting.len() {
        0 => fitting.join(", "),
        more => format!("{} and {more} more", fitting.join(", ")),
    }
}

fn name(subject: &str) -> &str {
    subject.rsplit('/').next().unwrap_or(subject)
}
