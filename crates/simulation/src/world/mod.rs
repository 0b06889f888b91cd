//! The platform in one process, on the virtual clock: the state machines' files, the functions' libraries, an AWS in
//! memory.

mod decisions;
mod documents;
mod events;
mod executions;
mod files;
mod functions;
mod invoke;
mod look;
mod machines;
mod names;
mod people;
mod state;
mod tasks;

pub use documents::{document, side_by_side, watched};
#[cfg(test)]
pub use functions::{NAMES, settings};
pub use look::Aftermath;
#[cfg(test)]
pub use machines::{MACHINES, definition};
pub use names::{BUCKET, STACK, USE_CASE};
pub use people::{Listings, api};
pub use state::World;

use crate::clock::Clock;
use crate::faults::Faults;
use crate::sagemaker::SageMaker;
use fake_aws::FakeAws;
use functions::Functions;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Ticks of the clock, as the template's rule has them.
const TICK: Duration = Duration::from_secs(900);

impl World {
    /// An empty account in which the stack is deployed, with its clock ticking.
    pub fn new() -> Arc<Self> {
        let clock = Clock::new("2026-11-22T18:30:00Z".parse().unwrap());
        let (aws, faults) = (FakeAws::new(), Faults::default());
        aws.set_now(clock.now());
        let sagemaker = SageMaker::new(&clock, &aws, &faults);
        let world = Arc::new(Self {
            functions: Functions::new(&aws),
            machines: machines::machines(),
            clock,
            aws,
            sagemaker,
            faults,
            after_call: |world| {
                world.start_executions();
                world.tell_of_rows();
            },
            state: Mutex::default(),
        });
        let ticking = world.clone();
        world.clock.spawn(async move {
            loop {
                ticking.clock.sleep(TICK).await;
                ticking.tick();
            }
        });
        world
    }
}
