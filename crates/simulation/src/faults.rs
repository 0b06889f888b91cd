//! Faults to inject, by name: into the nth call of an API or a function, the nth job or update of an endpoint, or an
//! event on its way.

use std::sync::{Arc, Mutex};

/// What happens instead of the normal effect.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// It fails with this code and has no effect.
    Fails(String),
    /// It takes effect, and then fails with this code: the caller can't know that it took effect.
    FailsAfterwards(String),
    /// An event never arrives.
    Lost,
    /// An event arrives twice.
    Doubled,
}

#[derive(Clone, Debug)]
struct Fault {
    what: String,
    about: Vec<String>,
    skip: u32,
    times: u32,
    effect: Effect,
}

/// The faults of a world. Clones share them.
#[derive(Clone, Default)]
pub struct Faults(Arc<Mutex<Vec<Fault>>>);

/// A fault that is being described.
#[must_use]
pub struct Named<'a> {
    faults: &'a Faults,
    fault: Fault,
}

impl Faults {
    /// A fault in calls of an API (`UpdateEndpoint`, `PutEvents`) or of a function (`check-endpoint`), in jobs (`job`),
    /// in changes of endpoints (`endpoint`) or in events (`event`): those whose text contains every word of `about`.
    pub fn on<const N: usize>(&self, what: &str, about: [&str; N]) -> Named<'_> {
        Named {
            faults: self,
            fault: Fault {
                what: what.to_owned(),
                about: about.map(str::to_owned).to_vec(),
                skip: 0,
                times: 1,
                effect: Effect::Lost,
            },
        }
    }

    /// Takes the fault of this call, if it has one.
    pub fn take(&self, what: &str, about: &str) -> Option<Effect> {
        let mut faults = self.0.lock().unwrap();
        for fault in faults.iter_mut() {
            if fault.what != what || fault.times == 0 || !fault.about.iter().all(|word| about.contains(word)) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            fault.times -= 1;
            return Some(fault.effect.clone());
        }
        None
    }

    /// The faults that have not happened: a row whose fault did not happen proves nothing.
    pub fn unused(&self) -> Vec<String> {
        let faults = self.0.lock().unwrap();
        let left = faults
            .iter()
            .filter(|fault| fault.times > 0 && fault.times < u32::MAX / 2);
        left.map(|fault| format!("{} {:?}", fault.what, fault.about)).collect()
    }
}

impl Named<'_> {
    /// How often the fault happens; once by default.
    pub fn times(mut self, times: u32) -> Self {
        self.fault.times = times;
        self
    }

    /// The fault happens every time.
    pub fn always(self) -> Self {
        self.times(u32::MAX)
    }

    pub fn fails(self, code: &str) {
        self.is(Effect::Fails(code.to_owned()));
    }

    pub fn fails_afterwards(self, code: &str) {
        self.is(Effect::FailsAfterwards(code.to_owned()));
    }

    pub fn gets_lost(self) {
        self.is(Effect::Lost);
    }

    pub fn comes_twice(self) {
        self.is(Effect::Doubled);
    }

    fn is(mut self, effect: Effect) {
        self.fault.effect = effect;
        self.faults.0.lock().unwrap().push(self.fault);
    }
}
