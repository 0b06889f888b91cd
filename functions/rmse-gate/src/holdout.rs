//! Reads the scores of a holdout from S3.

use crate::Error;
use crate::scores::Scores;
use aws_sdk_s3::Client;
use contracts::places;
use platform::Documents;

/// What batch transform appends to the name of each input.
const SCORED_SUFFIX: &str = ".out";

/// What lies below a prefix: scores, or the reason why it is no scores.
pub type Read = Result<Scores, String>;

/// Reads every scored object below `scores_uri`.
///
/// # Errors
/// [`Error::ScoresUriInvalid`], or a failed call. Content that isn't scores is no error here: whose scores they
/// are decides what it means.
pub async fn read(s3: &Client, scores_uri: &str) -> Result<Read, Error> {
    let (bucket, prefix) =
        places::parse_uri(scores_uri).ok_or_else(|| Error::ScoresUriInvalid(scores_uri.to_owned()))?;
    let mut scores = Scores::default();
    let objects = Documents::new(s3.clone(), bucket).listed(prefix, None).await?;
    let keys = objects.into_iter().map(|object| object.key);
    for key in keys.filter(|key| key.ends_with(SCORED_SUFFIX)) {
        let place = places::uri(bucket, &key);
        let call = || format!("GetObject {place}");
        let object = s3.get_object().bucket(bucket).key(&key).send().await;
        let mut body = object.map_err(|error| platform::Error::aws_call(call(), &error))?.body;
        loop {
            let chunk = body.try_next().await.map_err(|error| platform::Error::AwsCall {
                call: call(),
                code: "ResponseUnreadable".to_owned(),
                message: error.to_string(),
            })?;
            let read = match &chunk {
                Some(bytes) => scores.read(bytes),
                None => scores.end_object(),
            };
            if let Err(what) = read {
                return Ok(Err(format!("{what} (in {place})")));
            }
            if chunk.is_none() {
                break;
            }
        }
    }
    Ok(Ok(scores))
}
