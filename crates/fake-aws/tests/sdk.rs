//! The fake, called through the SDK's real clients: these tests assert what a function sees.

use std::error::Error;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use aws_sdk_sfn::types::ExecutionStatus;
use aws_sdk_sns::types::MessageAttributeValue;
use aws_sdk_ssm::types::ParameterType;
use fake_aws::{FakeAws, Reply};
use serde_json::json;

type Result = std::result::Result<(), Box<dyn Error>>;

const MACHINE: &str = "arn:aws:states:us-east-1:123456789012:stateMachine:training";
const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:notices";

fn s3(config: &SdkConfig) -> aws_sdk_s3::Client {
    aws_sdk_s3::Client::new(config)
}

fn code<T, E: ProvideErrorMetadata, R>(result: &std::result::Result<T, SdkError<E, R>>) -> Option<&str> {
    result.as_ref().err().and_then(ProvideErrorMetadata::code)
}

#[tokio::test]
async fn an_object_comes_back_with_its_headers() -> Result {
    let aws = FakeAws::new();
    aws.set_now(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
    let client = s3(&aws.sdk_config());
    let put = client
        .put_object()
        .bucket("b")
        .key("a dir/ü+&.csv")
        .content_type("text/csv")
        .metadata("rows", "2");
    let put = put.body(ByteStream::from_static(b"1,2\n3,4\n")).send().await?;

    let got = client.get_object().bucket("b").key("a dir/ü+&.csv").send().await?;
    assert_eq!(got.version_id(), put.version_id());
    assert_eq!(got.e_tag(), put.e_tag());
    assert_eq!(got.content_type(), Some("text/csv"));
    assert_eq!(got.content_length(), Some(8));
    assert_eq!(got.last_modified().map(DateTime::secs), Some(1_800_000_000));
    assert_eq!(
        got.metadata()
            .and_then(|metadata| metadata.get("rows"))
            .map(String::as_str),
        Some("2")
    );
    assert_eq!(got.body.collect().await?.to_vec(), b"1,2\n3,4\n");
    assert_eq!(aws.keys("b", ""), ["a dir/ü+&.csv"]);
    assert_eq!(aws.calls()[0].path, "/b/a dir/ü+&.csv");
    Ok(())
}

#[tokio::test]
async fn a_streamed_upload_loses_its_framing() -> Result {
    let aws = FakeAws::new();
    let content: Vec<u8> = (0..200_000_u32).map(|number| (number % 251) as u8).collect();
    let path = std::env::temp_dir().join(format!("fake-aws-{}", std::process::id()));
    std::fs::write(&path, &content)?;
    let body = ByteStream::from_path(&path).await?;
    s3(&aws.sdk_config())
        .put_object()
        .bucket("b")
        .key("k")
        .body(body)
        .send()
        .await?;
    std::fs::remove_file(&path)?;
    let framed = aws.calls()[0].header("content-encoding").map(str::to_owned);
    assert_eq!(
        framed.as_deref(),
        Some("aws-chunked"),
        "the SDK no longer frames such an upload: test another"
    );
    assert_eq!(aws.object("b", "k"), Some(content));
    Ok(())
}

#[tokio::test]
async fn bucket_names_with_dots_are_addressed_by_path() -> Result {
    let aws = FakeAws::new();
    s3(&aws.sdk_config())
        .put_object()
        .bucket("my.bucket")
        .key("k")
        .body(ByteStream::from_static(b"x"))
        .send()
        .await?;
    assert_eq!(aws.object("my.bucket", "k"), Some(b"x".to_vec()));
    Ok(())
}

#[tokio::test]
async fn versions_and_ranges_are_read() -> Result {
    let aws = FakeAws::new();
    let first = aws.put_object("b", "k", b"first");
    let second = aws.put_object("b", "k", b"second");
    aws.delete_object("b", "k");
    let client = s3(&aws.sdk_config());
    let get = || client.get_object().bucket("b").key("k");

    assert_eq!(
        get().version_id(&first).send().await?.body.collect().await?.to_vec(),
        b"first"
    );
    let part = get().version_id(&second).range("bytes=2-3").send().await?;
    assert_eq!(part.content_range(), Some("bytes 2-3/6"));
    assert_eq!(part.body.collect().await?.to_vec(), b"co");
    assert_eq!(
        get()
            .version_id(&second)
            .range("bytes=-2")
            .send()
            .await?
            .body
            .collect()
            .await?
            .to_vec(),
        b"nd"
    );
    assert_eq!(
        code(&get().version_id(&second).range("bytes=9-").send().await),
        Some("InvalidRange")
    );
    assert_eq!(
        code(&get().version_id("version-9999").send().await),
        Some("NoSuchVersion")
    );

    let current = get().send().await;
    assert_eq!(code(&current), Some("NoSuchKey"));
    assert!(current.is_err_and(|error| error.into_service_error().is_no_such_key()));
    let head = client.head_object().bucket("b").key("k").send().await;
    assert!(head.is_err_and(|error| error.into_service_error().is_not_found()));
    assert_eq!(
        client
            .head_object()
            .bucket("b")
            .key("k")
            .version_id(&first)
            .send()
            .await?
            .content_length(),
        Some(5)
    );
    assert_eq!(aws.version_ids("b", "k"), [first, second]);
    Ok(())
}

#[tokio::test]
async fn conditional_writes_hold_or_fail() -> Result {
    let aws = FakeAws::new();
    let client = s3(&aws.sdk_config());
    let put = |content: &'static [u8]| {
        client
            .put_object()
            .bucket("b")
            .key("k")
            .body(ByteStream::from_static(content))
    };

    assert_eq!(code(&put(b"1").if_match("\"x\"").send().await), Some("NoSuchKey"));
    let first = put(b"1").if_none_match("*").send().await?;
    assert_eq!(
        code(&put(b"2").if_none_match("*").send().await),
        Some("PreconditionFailed")
    );
    let etag = first.e_tag().ok_or("no ETag")?;
    put(b"2").if_match(etag).send().await?;
    let late = put(b"3").if_match(etag).send().await;
    assert_eq!(code(&late), Some("PreconditionFailed"));
    let status = late
        .err()
        .and_then(|error| error.raw_response().map(|response| response.status().as_u16()));
    assert_eq!(status, Some(412));
    assert_eq!(aws.object("b", "k"), Some(b"2".to_vec()));

    aws.delete_object("b", "k");
    assert_eq!(code(&put(b"4").if_match("*").send().await), Some("NoSuchKey"));
    put(b"4").if_none_match("*").send().await?;
    assert_eq!(
        aws.etag("b", "k"),
        client.head_object().bucket("b").key("k").send().await?.e_tag
    );
    Ok(())
}

#[tokio::test]
async fn a_version_is_copied_if_it_is_the_expected_one() -> Result {
    let aws = FakeAws::new();
    let old = aws.put_object("b", "in/ü x.csv", b"old");
    let old_etag = aws.etag("b", "in/ü x.csv").ok_or("no ETag")?;
    aws.put_object("b", "in/ü x.csv", b"new");
    let client = s3(&aws.sdk_config());
    let copy = || client.copy_object().bucket("b").key("run/x.csv");

    let source = format!("b/in/%C3%BC%20x.csv?versionId={old}");
    let copied = copy()
        .copy_source(&source)
        .copy_source_if_match(&old_etag)
        .send()
        .await?;
    assert_eq!(copied.copy_source_version_id(), Some(old.as_str()));
    assert_eq!(
        copied.copy_object_result().and_then(|result| result.e_tag()),
        Some(old_etag.as_str())
    );
    assert_eq!(aws.object("b", "run/x.csv"), Some(b"old".to_vec()));

    let newest = copy().copy_source("b/in/%C3%BC%20x.csv");
    assert_eq!(
        code(&newest.copy_source_if_match(&old_etag).send().await),
        Some("PreconditionFailed")
    );
    assert_eq!(code(&copy().copy_source("b/absent").send().await), Some("NoSuchKey"));
    Ok(())
}

#[tokio::test]
async fn a_delete_is_conditional_and_leaves_versions() -> Result {
    let aws = FakeAws::new();
    let version = aws.put_object("b", "k", b"mine");
    let client = s3(&aws.sdk_config());
    let delete = || client.delete_object().bucket("b").key("k");

    assert_eq!(
        code(&delete().if_match("\"theirs\"").send().await),
        Some("PreconditionFailed")
    );
    let etag = aws.etag("b", "k").ok_or("no ETag")?;
    assert_eq!(delete().if_match(&etag).send().await?.delete_marker(), Some(true));
    assert_eq!(aws.object("b", "k"), None);
    assert_eq!(code(&delete().if_match(&etag).send().await), Some("NoSuchKey"));
    assert_eq!(aws.version_ids("b", "k"), std::slice::from_ref(&version));
    delete().version_id(&version).send().await?;
    assert!(aws.version_ids("b", "k").is_empty());
    Ok(())
}

#[tokio::test]
async fn keys_are_listed_in_pages_and_folders() -> Result {
    let aws = FakeAws::new();
    for key in ["a/1", "a/2&<", "a/b/3", "a/b/4", "c", "gone"] {
        aws.put_object("b", key, b"12");
    }
    aws.delete_object("b", "gone");
    aws.set_page_size(2);
    let client = s3(&aws.sdk_config());

    let mut keys = Vec::new();
    let mut pages = client.list_objects_v2().bucket("b").into_paginator().send();
    while let Some(page) = pages.next().await {
        keys.extend(
            page?
                .contents()
                .iter()
                .filter_map(|object| object.key().map(str::to_owned)),
        );
    }
    assert_eq!(keys, ["a/1", "a/2&<", "a/b/3", "a/b/4", "c"]);
    assert_eq!(aws.calls_of("ListObjectsV2").len(), 3);

    aws.set_page_size(1000);
    let folder = client
        .list_objects_v2()
        .bucket("b")
        .prefix("a/")
        .delimiter("/")
        .send()
        .await?;
    assert_eq!(
        folder
            .contents()
            .iter()
            .filter_map(|object| object.key())
            .collect::<Vec<_>>(),
        ["a/1", "a/2&<"]
    );
    assert_eq!(folder.contents()[0].size(), Some(2));
    assert_eq!(folder.contents()[0].e_tag(), aws.etag("b", "a/1").as_deref());
    assert_eq!(
        folder
            .common_prefixes()
            .iter()
            .filter_map(|folder| folder.prefix())
            .collect::<Vec<_>>(),
        ["a/b/"]
    );
    Ok(())
}

#[tokio::test]
async fn an_object_is_uploaded_in_parts() -> Result {
    let aws = FakeAws::new();
    let client = s3(&aws.sdk_config());
    let (bucket, key) = ("b", "a dir/ü.bin");
    let create = client.create_multipart_upload().bucket(bucket).key(key);
    let upload = create.content_type("text/csv").send().await?;
    let upload = upload.upload_id().unwrap_or_default();
    let large = vec![b'x'; 5 << 20];
    let mut tags = Vec::new();
    for (number, body) in [(1, large.clone()), (2, large.clone()), (3, b"end".to_vec())] {
        let part = client.upload_part().bucket(bucket).key(key).upload_id(upload);
        let part = part.part_number(number).body(ByteStream::from(body)).send().await?;
        tags.push((number, part.e_tag().unwrap_or_default().to_owned()));
    }
    assert_eq!((aws.keys("b", ""), aws.uploads("b")), (vec![], vec![key.to_owned()]));

    let complete = async |parts: &[(i32, String)]| {
        let parts = parts
            .iter()
            .map(|(number, tag)| CompletedPart::builder().part_number(*number).e_tag(tag).build());
        let list = CompletedMultipartUpload::builder().set_parts(Some(parts.collect()));
        let request = client.complete_multipart_upload().bucket(bucket).key(key);
        request.upload_id(upload).multipart_upload(list.build()).send().await
    };
    let reversed: Vec<_> = tags.iter().rev().cloned().collect();
    assert_eq!(code(&complete(&reversed).await), Some("InvalidPartOrder"));
    assert_eq!(code(&complete(&[(1, "other".to_owned())]).await), Some("InvalidPart"));
    complete(&tags).await?;
    assert_eq!(aws.object("b", key).map(|content| content.len()), Some((10 << 20) + 3));
    assert_eq!((aws.keys("b", ""), aws.uploads("b")), (vec![key.to_owned()], vec![]));
    assert_eq!(code(&complete(&tags).await), Some("NoSuchUpload"));
    let got = client.get_object().bucket(bucket).key(key).send().await?;
    assert_eq!(got.content_type(), Some("text/csv"));
    Ok(())
}

#[tokio::test]
async fn parts_have_a_least_size_and_uploads_an_end() -> Result {
    let aws = FakeAws::new();
    let client = s3(&aws.sdk_config());
    let upload = client.create_multipart_upload().bucket("b").key("k").send().await?;
    let upload = upload.upload_id().unwrap_or_default();
    let mut parts = Vec::new();
    for number in 1..=2 {
        let part = client.upload_part().bucket("b").key("k").upload_id(upload);
        let part = part.part_number(number).body(ByteStream::from_static(b"small"));
        let tag = part.send().await?.e_tag;
        parts.push(CompletedPart::builder().part_number(number).set_e_tag(tag).build());
    }
    let list = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    let complete = client
        .complete_multipart_upload()
        .bucket("b")
        .key("k")
        .upload_id(upload);
    assert_eq!(
        code(&complete.multipart_upload(list).send().await),
        Some("EntityTooSmall")
    );
    let abort = client.abort_multipart_upload().bucket("b").key("k").upload_id(upload);
    abort.send().await?;
    assert_eq!((aws.keys("b", ""), aws.uploads("b")), (vec![], vec![]));
    Ok(())
}

#[tokio::test]
async fn a_race_is_lost_to_another_writer() -> Result {
    let aws = FakeAws::new();
    aws.put_object("b", "cars/champion.json", b"ours");
    aws.before("PutObject", "champion.json", |aws| {
        aws.put_object("b", "cars/champion.json", b"theirs");
    });
    let client = s3(&aws.sdk_config());
    let put = |key: &str| {
        client
            .put_object()
            .bucket("b")
            .key(key)
            .body(ByteStream::from_static(b"new"))
    };
    let etag = aws.etag("b", "cars/champion.json").ok_or("no ETag")?;

    put("cars/other.json").send().await?;
    assert_eq!(aws.object("b", "cars/champion.json"), Some(b"ours".to_vec()));
    let late = put("cars/champion.json").if_match(&etag).send().await;
    assert_eq!(code(&late), Some("PreconditionFailed"));
    put("cars/champion.json").send().await?;
    assert_eq!(
        aws.object("b", "cars/champion.json"),
        Some(b"new".to_vec()),
        "the other writer came once"
    );
    Ok(())
}

#[tokio::test]
async fn faults_replace_a_result_before_or_after_the_deed() -> Result {
    let aws = FakeAws::new();
    let unavailable = || Reply::error(503, "SlowDown", "Please reduce your request rate.");
    aws.fail_next("PutObject", unavailable());
    aws.fail_next_after_doing("PutObject", unavailable());
    let client = s3(&aws.sdk_config());
    let put = || {
        client
            .put_object()
            .bucket("b")
            .key("k")
            .body(ByteStream::from_static(b"x"))
    };

    assert_eq!(code(&put().send().await), Some("SlowDown"));
    assert_eq!(aws.object("b", "k"), None);
    assert_eq!(code(&put().send().await), Some("SlowDown"));
    assert_eq!(aws.object("b", "k"), Some(b"x".to_vec()));
    put().send().await?;
    assert_eq!(aws.calls_of("PutObject").len(), 3, "clients do not retry by themselves");

    aws.fail_next("GetObject", Reply::connection_lost());
    let lost = client.get_object().bucket("b").key("k").send().await;
    assert!(matches!(lost, Err(SdkError::DispatchFailure(failure)) if failure.is_io()));
    Ok(())
}

#[tokio::test]
async fn parameters_have_versions_and_limits() -> Result {
    let aws = FakeAws::new();
    let client = aws_sdk_ssm::Client::new(&aws.sdk_config());
    let put = |value: &str| client.put_parameter().name("/d/config").value(value);

    assert_eq!(
        code(&put("1").send().await),
        Some("ValidationException"),
        "a new parameter needs a type"
    );
    assert_eq!(put("1").r#type(ParameterType::String).send().await?.version(), 1);
    assert_eq!(
        code(&put("2").r#type(ParameterType::String).send().await),
        Some("ParameterAlreadyExists")
    );
    assert_eq!(put("2").overwrite(true).send().await?.version(), 2);
    assert_eq!(
        code(&put(&"x".repeat(4097)).overwrite(true).send().await),
        Some("ValidationException")
    );
    assert_eq!(aws.parameter("/d/config").as_deref(), Some("2"));

    let got = client
        .get_parameter()
        .name("/d/config")
        .send()
        .await?
        .parameter
        .ok_or("no parameter")?;
    assert_eq!((got.value(), got.version()), (Some("2"), 2));
    let old = client
        .get_parameter()
        .name("/d/config:1")
        .send()
        .await?
        .parameter
        .ok_or("no parameter")?;
    assert_eq!(old.value(), Some("1"));
    let absent = client.get_parameter().name("/d/absent").send().await;
    assert!(absent.is_err_and(|error| error.into_service_error().is_parameter_not_found()));

    let both = client
        .get_parameters()
        .names("/d/config")
        .names("/d/absent")
        .send()
        .await?;
    assert_eq!(both.parameters().len(), 1);
    assert_eq!(both.invalid_parameters(), ["/d/absent"]);
    Ok(())
}

#[tokio::test]
async fn parameters_are_listed_by_path_in_pages() -> Result {
    let aws = FakeAws::new();
    for number in 0..12 {
        aws.put_parameter(&format!("/d/{number:02}"), "x");
    }
    aws.put_parameter("/d/deep/er", "y");
    aws.put_parameter("/dx", "z");
    let client = aws_sdk_ssm::Client::new(&aws.sdk_config());
    for (recursive, count) in [(false, 12), (true, 13)] {
        let mut pages = client
            .get_parameters_by_path()
            .path("/d")
            .recursive(recursive)
            .into_paginator()
            .send();
        let mut found = 0;
        while let Some(page) = pages.next().await {
            found += page?.parameters().len();
        }
        assert_eq!(found, count);
    }
    assert_eq!(aws.calls_of("GetParametersByPath").len(), 4);
    assert_eq!(aws.parameter_names("/d/").len(), 13);
    Ok(())
}

#[tokio::test]
async fn published_messages_are_kept() -> Result {
    let aws = FakeAws::new();
    let client = aws_sdk_sns::Client::new(&aws.sdk_config());
    let attribute = MessageAttributeValue::builder()
        .data_type("String")
        .string_value("a b+c")
        .build()?;
    let publish = || client.publish().topic_arn(TOPIC);
    publish()
        .subject("50% & more")
        .message("a+b\n=ü")
        .message_attributes("use_case", attribute)
        .send()
        .await?;

    let published = aws.published();
    assert_eq!(published.len(), 1);
    assert_eq!(published[0].topic_arn, TOPIC);
    assert_eq!(published[0].subject.as_deref(), Some("50% & more"));
    assert_eq!(published[0].message, "a+b\n=ü");
    assert_eq!(published[0].attributes["use_case"], "a b+c");

    for subject in ["two\nlines", "é", &"x".repeat(101)] {
        assert_eq!(
            code(&publish().subject(subject).message("m").send().await),
            Some("InvalidParameter")
        );
    }
    assert_eq!(aws.published().len(), 1);
    Ok(())
}

#[tokio::test]
async fn an_execution_starts_once_per_name() -> Result {
    let aws = FakeAws::new();
    let client = aws_sdk_sfn::Client::new(&aws.sdk_config());
    let start = |input: &str| {
        client
            .start_execution()
            .state_machine_arn(MACHINE)
            .name("run-1")
            .input(input)
    };

    let arn = start(r#"{"a": 1}"#).send().await?.execution_arn;
    assert_eq!(
        start(r#"{"a": 1}"#).send().await?.execution_arn,
        arn,
        "the same while it runs"
    );
    let other = start(r#"{"a": 2}"#).send().await;
    assert!(other.is_err_and(|error| error.into_service_error().is_execution_already_exists()));
    let running = client.describe_execution().execution_arn(&arn).send().await?;
    assert_eq!(running.status(), &ExecutionStatus::Running);
    assert_eq!(running.input(), Some(r#"{"a": 1}"#));

    aws.end_execution("run-1");
    let again = start(r#"{"a": 1}"#).send().await;
    assert!(again.is_err_and(|error| error.into_service_error().is_execution_already_exists()));
    assert_eq!(
        client.describe_execution().execution_arn(&arn).send().await?.status(),
        &ExecutionStatus::Succeeded
    );
    let listed = client
        .list_executions()
        .state_machine_arn(MACHINE)
        .status_filter(ExecutionStatus::Running);
    assert!(listed.send().await?.executions().is_empty());

    let executions = aws.executions();
    assert_eq!(executions.len(), 1);
    assert_eq!(executions[0].input, json!({"a": 1}));
    assert_eq!(code(&start("{").send().await), Some("InvalidExecutionInput"));
    let spaced = client
        .start_execution()
        .state_machine_arn(MACHINE)
        .name("a b")
        .send()
        .await;
    assert_eq!(code(&spaced), Some("InvalidName"));
    Ok(())
}

#[tokio::test]
async fn scripts_answer_in_order_and_by_what_a_call_is_about() -> Result {
    let aws = FakeAws::new();
    let client = aws_sdk_sfn::Client::new(&aws.sdk_config());
    let stop = |arn: &str| client.stop_execution().execution_arn(arn).send();

    let unscripted = stop("a").await;
    assert_eq!(code(&unscripted), Some("UnscriptedCall"));
    let message = unscripted
        .err()
        .and_then(|error| error.message().map(str::to_owned))
        .unwrap_or_default();
    assert!(message.contains("states StopExecution"), "{message}");

    aws.reply(
        "StopExecution",
        [
            Reply::json(200, json!({"stopDate": 1})),
            Reply::json(200, json!({"stopDate": 2})),
        ],
    );
    aws.reply_to(
        "StopExecution",
        "bad",
        [Reply::error(400, "ExecutionDoesNotExist", "no such")],
    );
    let mut stopped = Vec::new();
    for _ in 0..3 {
        stopped.push(stop("good").await?.stop_date().secs());
    }
    assert_eq!(stopped, [1, 2, 2]);
    assert_eq!(code(&stop("bad").await), Some("ExecutionDoesNotExist"));

    let account = aws.clone();
    aws.on("StopExecution", move |request| {
        account.put_parameter("/stopped", request.json()["executionArn"].as_str().unwrap_or_default());
        Reply::json(200, json!({"stopDate": 3}))
    });
    assert_eq!(stop("last").await?.stop_date().secs(), 3);
    assert_eq!(aws.parameter("/stopped").as_deref(), Some("last"));
    assert_eq!(aws.calls_of("StopExecution")[0].json(), json!({"executionArn": "a"}));
    Ok(())
}

#[tokio::test]
async fn only_the_callers_timeout_ends_a_call_without_answer() {
    let aws = FakeAws::new();
    aws.reply("StopExecution", [Reply::hang()]);
    aws.reply(
        "DescribeExecution",
        [Reply::delayed(Duration::from_millis(1), Reply::json(200, json!({})))],
    );
    let limit = Duration::from_millis(50);
    for timeouts in [
        TimeoutConfig::builder().read_timeout(limit).build(),
        TimeoutConfig::builder().operation_timeout(limit).build(),
    ] {
        let config = aws.sdk_config().into_builder().timeout_config(timeouts).build();
        let hung = aws_sdk_sfn::Client::new(&config)
            .stop_execution()
            .execution_arn("a")
            .send()
            .await;
        let timed_out = match &hung {
            Err(SdkError::DispatchFailure(failure)) => failure.is_timeout(),
            Err(SdkError::TimeoutError(_)) => true,
            _ => false,
        };
        assert!(timed_out, "{hung:?}");
    }
    let delayed = aws_sdk_sfn::Client::new(&aws.sdk_config())
        .describe_execution()
        .execution_arn("a")
        .send()
        .await;
    assert!(
        !matches!(delayed, Err(SdkError::DispatchFailure(_) | SdkError::TimeoutError(_))),
        "{delayed:?}"
    );
}
