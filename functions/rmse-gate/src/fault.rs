//! Finds out whether the champion's own model is the reason why it was not scored.

use contracts::Failure;
use contracts::failure::Caught;

/// Why the champion's own model can't score the rows. `None` if the failure has another cause: a quota, a throttled
/// call, a lost instance, a place that may not be read, a time limit. Unknown failures count as such.
pub fn of_the_model(caught: &Caught) -> Option<String> {
    let Failure { cause, .. } = Failure::readable(&caught.error, &caught.cause);
    // SageMaker refuses the job, because the champion's model has been deleted.
    if cause.contains("Could not find model \"") {
        return Some("its model is gone".to_owned());
    }
    let job_failed = caught.error == "States.TaskFailed";
    let container = cause.starts_with("AlgorithmError")
        || cause.starts_with("ClientError") && !cause.contains("download") && !cause.contains("AccessDenied");
    (job_failed && container).then(|| format!("its containers answer errors ({cause})"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_the_model_itself_does_is_its_fault() {
        let job = |reason: &str| {
            let cause = json!({"TransformJobName": "job", "TransformJobStatus": "Failed", "FailureReason": reason});
            ("States.TaskFailed", cause.to_string())
        };
        let own = [
            job("AlgorithmError: See job logs for more information"),
            job("ClientError: See job logs for more information"),
            (
                "SageMaker.AmazonSageMakerException",
                "Could not find model \"arn:aws:sagemaker:us-east-1:123456789012:model/m\". (Service: SageMaker)"
                    .into(),
            ),
        ];
        let others = [
            job("InternalServerError: We encountered an internal error. Please try again."),
            job("CapacityError: Unable to provision requested ML compute capacity."),
            job("ClientError: Data download failed: no such object"),
            job("ClientError: Failed to download model data. AccessDenied"),
            job("ResourceLimitExceeded: The account-level service limit is 0 Instances"),
            job(""),
            (
                "SageMaker.ResourceLimitExceededException",
                "The account-level service limit".into(),
            ),
            ("SageMaker.AmazonSageMakerException", "Rate exceeded".into()),
            (
                "SageMaker.AmazonSageMakerException",
                "is not authorized to perform".into(),
            ),
            ("States.Timeout", String::new()),
            ("States.TaskFailed", String::new()),
        ];
        let caught = |(error, cause): (&str, String)| Caught {
            error: error.to_owned(),
            cause,
        };
        for failure in own {
            assert!(of_the_model(&caught(failure.clone())).is_some(), "{failure:?}");
        }
        for failure in others {
            assert_eq!(of_the_model(&caught(failure.clone())), None, "{failure:?}");
        }
    }
}
