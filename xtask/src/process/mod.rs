//! Child processes: each in a process group of its own, so that stopping one also stops what it has started.

pub mod group;
pub mod ports;

pub use drivetrain::local::Identity;
pub use drivetrain::ui::tail;
pub use group::{Foreground, create_log, create_log_or_inherit, output, quiet, run};
