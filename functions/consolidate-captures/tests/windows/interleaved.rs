//! Several concurrent runs, in any order, with calls that fail, champions that change, and ground truth that arrives at
//! any time: in the end every record is reported once, and every label has found its record once.

use crate::account::{
    CONFIG, NEXT_CONFIG, account, capture, clock, export_next, reported, tell, truths, try_commit, try_step,
};
use consolidate_captures::Committed;
use contracts::monitoring::Payload;
use fake_aws::{FakeAws, Reply};
use proptest::prelude::*;

/// A step of the scenario.
#[derive(Clone, Debug)]
enum Deed {
    /// A file is captured by the former champion or, once there is one, by the next.
    Capture { next: bool },
    /// The next champion is exported.
    Export,
    /// A label arrives for a record that has been captured already, or is captured only later.
    Label(u8),
    /// One of two runs consolidates, for the first time or again.
    Consolidate(usize, Fault),
    /// A run commits; the other may complete its own commit during one of this run's calls.
    Commit(usize, Fault, Option<&'static str>),
    /// Hours pass.
    Wait(u8),
}

/// A call that fails, before or after it takes effect.
type Fault = Option<(usize, bool)>;

const CALLS: [&str; 5] = ["GetObject", "PutObject", "ListObjectsV2", "CopyObject", "DeleteObject"];

fn deed() -> impl Strategy<Value = Deed> {
    let fault = || prop::option::weighted(0.15, (0..CALLS.len(), any::<bool>()));
    let meanwhile = prop::option::weighted(0.4, prop::sample::select(vec!["PutObject", "CopyObject"]));
    prop_oneof![
        3 => any::<bool>().prop_map(|next| Deed::Capture { next }),
        1 => Just(Deed::Export),
        3 => (0..4_u8).prop_map(Deed::Label),
        6 => (0..2_usize, fault()).prop_map(|(run, fault)| Deed::Consolidate(run, fault)),
        4 => (0..2_usize, fault(), meanwhile).prop_map(|(run, fault, other)| Deed::Commit(run, fault, other)),
        1 => (1..48_u8).prop_map(Deed::Wait),
    ]
}

/// Commits on a thread of its own, while a call of another run waits.
fn commits_meanwhile(aws: &FakeAws, name: &str) {
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let _ = runtime.unwrap().block_on(try_commit(aws, name));
        });
    });
}

struct Play {
    aws: FakeAws,
    hours: u32,
    minutes: u32,
    exported: bool,
    captured: Vec<String>,
    labelled: Vec<String>,
    /// How many runs were in the place of each of the two before.
    generations: [u32; 2],
}

impl Play {
    fn time(&self) -> String {
        let (day, hour) = (22 + self.hours / 24, self.hours % 24);
        format!("2026-11-{day:02}T{hour:02}:{:02}:00Z", self.minutes)
    }

    fn run(&self, place: usize) -> String {
        format!("20261122t190000z-{place:04}{:04}", self.generations[place])
    }

    fn goes_wrong(&self, fault: Fault) {
        let Some((call, done)) = fault else { return };
        let lost = Reply::error(403, "AccessDenied", "not now");
        if done {
            self.aws.fail_next_after_doing(CALLS[call], lost);
        } else {
            self.aws.fail_next(CALLS[call], lost);
        }
    }

    async fn does(&mut self, number: usize, deed: &Deed) {
        self.minutes = (self.minutes + 1).min(59);
        clock(&self.aws, &self.time());
        match *deed {
            Deed::Capture { next } => {
                let config = if next && self.exported { NEXT_CONFIG } else { CONFIG };
                let request = format!("r{}", self.captured.len() / 2);
                self.captured
                    .extend(capture(&self.aws, config, &format!("{number:02}"), &[&request]));
            }
            Deed::Export if !self.exported => {
                export_next(&self.aws);
                self.exported = true;
            }
            Deed::Export => {}
            Deed::Label(request) => {
                let id = format!("r{request}#0");
                if !self.labelled.contains(&id) {
                    tell(&self.aws, &format!("{number:02}.csv"), &format!("id,label\n{id},1\n"));
                    self.labelled.push(id);
                }
            }
            Deed::Consolidate(place, fault) => {
                self.goes_wrong(fault);
                let _ = try_step(&self.aws, "consolidate", &self.run(place), &self.time(), 1).await;
            }
            Deed::Commit(place, fault, meanwhile) => {
                if let Some(call) = meanwhile {
                    let (other, matching) = (
                        self.run(1 - place),
                        if call == "PutObject" { "bookmark.json" } else { "" },
                    );
                    self.aws
                        .before(call, matching, move |aws| commits_meanwhile(aws, &other));
                }
                self.goes_wrong(fault);
                // A superseded run may be tried again; one that has committed is done.
                if let Ok(Committed::Committed) = try_commit(&self.aws, &self.run(place)).await {
                    self.generations[place] += 1;
                }
            }
            Deed::Wait(hours) => {
                // Within November, and within the days that ground truth waits.
                self.hours = (self.hours + u32::from(hours)).min(24 * 7);
                self.minutes = 0;
            }
        }
    }

    /// Runs, one after the other, until nothing is left; failures that have not happened yet happen to the first.
    async fn end(&mut self) {
        self.hours += 1;
        clock(&self.aws, &self.time());
        for last in 0..80 {
            let name = format!("20261130t000000z-{last:08}");
            match try_step(&self.aws, "consolidate", &name, &self.time(), 1).await {
                Ok(window) if window.payload == Payload::None => return,
                Ok(_) => {
                    let _ = try_commit(&self.aws, &name).await;
                }
                Err(_) => {}
            }
        }
        panic!("there is no end of windows");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn whoever_commits_every_record_and_label_counts_once(deeds in prop::collection::vec(deed(), 1..20)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let aws = account();
        let mut play = Play {
            aws, hours: 19, minutes: 0, exported: false, captured: Vec::new(), labelled: Vec::new(), generations: [0; 2],
        };
        runtime.block_on(async {
            for (number, deed) in deeds.iter().enumerate() {
                play.does(number, deed).await;
            }
            play.end().await;
        });
        play.captured.sort();
        prop_assert_eq!(reported(&play.aws), &play.captured[..]);
        let mut expected: Vec<String> = play.labelled.into_iter().filter(|id| play.captured.contains(id)).collect();
        expected.sort();
        let mut joined: Vec<String> = truths(&play.aws).into_iter().map(|row| row.id).collect();
        joined.sort();
        prop_assert_eq!(joined, expected);
    }
}
