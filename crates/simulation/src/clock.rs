//! The virtual clock. It stands still while anything has work to do, and then jumps to the next time that somebody
//! waits for: a day of ticks takes no longer than the work of the ticks.

use futures::FutureExt;
use futures::future::LocalBoxFuture;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::oneshot;

/// The clock. Clones share it.
#[derive(Clone)]
pub struct Clock(Arc<Inner>);

struct Inner {
    timers: Mutex<Timers>,
    /// How often the simulation's tasks were polled: while this grows, some task has work to do.
    polls: AtomicU64,
    /// The number of function calls under way: these may wait for threads of their own.
    calls: AtomicUsize,
}

struct Timers {
    now: Timestamp,
    next_number: u64,
    waiting: BTreeMap<(Timestamp, u64), oneshot::Sender<()>>,
}

impl Clock {
    pub fn new(now: Timestamp) -> Self {
        Self(Arc::new(Inner {
            timers: Mutex::new(Timers {
                now,
                next_number: 0,
                waiting: BTreeMap::new(),
            }),
            polls: AtomicU64::new(0),
            calls: AtomicUsize::new(0),
        }))
    }

    pub fn now(&self) -> Timestamp {
        self.0.timers.lock().unwrap().now
    }

    /// Waits for a time on this clock.
    pub fn sleep(&self, time: Duration) -> LocalBoxFuture<'static, ()> {
        let mut timers = self.0.timers.lock().unwrap();
        let at = timers.now + SignedDuration::try_from(time).unwrap();
        let number = timers.next_number;
        timers.next_number += 1;
        let (sender, receiver) = oneshot::channel();
        timers.waiting.insert((at, number), sender);
        // The sender is dropped only together with the clock, when nobody waits any more.
        receiver.map(|_| ()).boxed_local()
    }

    /// Spawns a task of the simulation, which can be aborted.
    pub fn spawn(&self, task: impl Future<Output = ()> + 'static) -> tokio::task::JoinHandle<()> {
        tokio::task::spawn_local(Counted {
            task: task.boxed_local(),
            clock: self.clone(),
        })
    }

    /// Counts a function's call as under way until the returned value is dropped.
    pub fn call(&self) -> Call {
        self.0.calls.fetch_add(1, Ordering::SeqCst);
        Call(self.clone())
    }

    /// Lets every task work for a duration of the virtual time; `at` is called with each new time.
    pub async fn advance(&self, time: Duration, at: impl Fn(Timestamp)) {
        let end = self.now() + SignedDuration::try_from(time).unwrap();
        loop {
            self.quiet().await;
            let due = {
                let mut timers = self.0.timers.lock().unwrap();
                timers.waiting.retain(|_, sender| !sender.is_closed());
                let due = timers
                    .waiting
                    .first_key_value()
                    .map(|(key, _)| *key)
                    .filter(|key| key.0 <= end);
                timers.now = due.map_or(end, |key| key.0);
                due.and_then(|key| timers.waiting.remove(&key))
            };
            at(self.now());
            match due {
                // The waiting task may have been aborted meanwhile.
                Some(sender) => drop(sender.send(())),
                None => return,
            }
        }
    }

    async fn quiet(&self) {
        loop {
            let before = self.0.polls.load(Ordering::SeqCst);
            tokio::task::yield_now().await;
            if self.0.polls.load(Ordering::SeqCst) != before {
                continue;
            }
            if self.0.calls.load(Ordering::SeqCst) == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_micros(50)).await;
        }
    }
}

/// A call of a function under way.
pub struct Call(Clock);

impl Drop for Call {
    fn drop(&mut self) {
        self.0.0.calls.fetch_sub(1, Ordering::SeqCst);
    }
}

struct Counted {
    task: LocalBoxFuture<'static, ()>,
    clock: Clock,
}

impl Future for Counted {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.clock.0.polls.fetch_add(1, Ordering::SeqCst);
        self.task.poll_unpin(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleepers_wake_in_their_order_and_no_real_time_passes() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        tokio::task::LocalSet::new().block_on(&runtime, sleepers());
    }

    async fn sleepers() {
        let began = std::time::Instant::now();
        let clock = Clock::new(Timestamp::UNIX_EPOCH);
        let woken = Arc::new(Mutex::new(Vec::new()));
        for hours in [3_u64, 1, 2, 30] {
            let (sleeper, woken) = (clock.clone(), woken.clone());
            clock.spawn(async move {
                sleeper.sleep(Duration::from_secs(hours * 3_600)).await;
                woken.lock().unwrap().push((hours, sleeper.now().as_second()));
            });
        }
        clock.advance(Duration::from_secs(86_400), |_| ()).await;
        assert_eq!(*woken.lock().unwrap(), [(1, 3_600), (2, 7_200), (3, 10_800)]);
        assert_eq!(clock.now().as_second(), 86_400);
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}
