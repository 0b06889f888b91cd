//! What the stack of the world is called, and what is in it.

use fake_aws::{ACCOUNT_ID, REGION};

pub const STACK: &str = "sim";
pub const BUCKET: &str = "sim-123456789012-us-east-1";
pub const USE_CASE: &str = "cars";
pub const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:sim-notices";
/// Seconds between two looks at an endpoint: the template's default.
pub const POLL_SECONDS: u32 = 15;

pub fn arn(service: &str, rest: &str) -> String {
    format!("arn:aws:{service}:{REGION}:{ACCOUNT_ID}:{rest}")
}

pub fn machine_arn(machine: &str) -> String {
    arn("states", &format!("stateMachine:{STACK}-{machine}"))
}
