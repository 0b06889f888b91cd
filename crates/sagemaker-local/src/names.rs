//! ARNs and times in the form that SageMaker's answers use.

use jiff::Timestamp;
use serde_json::Value;

/// The common prefix of all ARNs of this server.
#[derive(Debug, Clone)]
pub struct Arns {
    pub region: String,
    pub account: String,
}

impl Arns {
    /// `arn:aws:sagemaker:us-east-1:000000000000:<kind>/<name>`; SageMaker writes names in lower case there.
    pub fn of(&self, kind: &str, name: &str) -> String {
        format!(
            "arn:aws:sagemaker:{}:{}:{kind}/{}",
            self.region,
            self.account,
            name.to_lowercase()
        )
    }
}

/// A time in the form of JSON 1.1: seconds since 1970, with milliseconds.
pub fn epoch_seconds(time: Timestamp) -> Value {
    // A number of milliseconds in this millennium is far below 2^53, so the division is exact to the millisecond.
    #[allow(clippy::cast_precision_loss)]
    let seconds = time.as_millisecond() as f64 / 1000.0;
    Value::from(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_are_lower_case_and_times_have_milliseconds() {
        let arns = Arns {
            region: "eu-west-1".into(),
            account: "123456789012".into(),
        };
        assert_eq!(
            arns.of("model", "Cars-1"),
            "arn:aws:sagemaker:eu-west-1:123456789012:model/cars-1"
        );
        assert_eq!(
            epoch_seconds(Timestamp::from_millisecond(1_700_000_000_123).unwrap()),
            1_700_000_000.123
        );
    }
}
