//! Models, endpoint configurations, lists and tags.

use serde_json::{Value, json};

use crate::support::{ROLE, Server};

const IMAGES: &str = "images: [{image: scorer, serve: [sh]}, {image: trainer, train: [sh]}]";
const ARN: &str = "arn:aws:sagemaker:us-east-1:000000000000";

async fn server() -> Server {
    let server = Server::start(IMAGES).await;
    server.s3.put("models/m.tar.gz", "");
    server
}

fn model(name: &str, container: impl Into<Value>) -> Value {
    json!({"ModelName": name, "ExecutionRoleArn": ROLE, "PrimaryContainer": container.into()})
}

fn config(name: &str, model: &str) -> Value {
    let variant = json!({
        "VariantName": "AllTraffic", "ModelName": model, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large",
    });
    json!({"EndpointConfigName": name, "ProductionVariants": [variant]})
}

#[tokio::test]
async fn a_model_is_created_described_and_deleted() {
    let server = server().await;
    let container = json!({"Image": "scorer", "ModelDataUrl": "s3://models/m.tar.gz", "Environment": {"A": "b"}});
    let created = server
        .call("CreateModel", model("cars", container.clone()))
        .await
        .unwrap();
    assert_eq!(created, json!({"ModelArn": format!("{ARN}:model/cars")}));
    let described = server
        .call("DescribeModel", json!({"ModelName": "cars"}))
        .await
        .unwrap();
    assert_eq!(described["PrimaryContainer"], container);
    assert!(described["CreationTime"].is_number());

    let (code, message) = server.refused("CreateModel", model("cars", container)).await;
    assert_eq!(code, "ValidationException");
    assert_eq!(
        message,
        format!("Cannot create already existing model \"{ARN}:model/cars\".")
    );
    server.call("DeleteModel", json!({"ModelName": "cars"})).await.unwrap();
    for operation in ["DescribeModel", "DeleteModel"] {
        let (code, message) = server.refused(operation, json!({"ModelName": "cars"})).await;
        assert_eq!(code, "ValidationException");
        assert_eq!(message, format!("Could not find model \"{ARN}:model/cars\"."));
    }
}

#[tokio::test]
async fn a_refused_second_creation_leaves_the_first_ones_tags() {
    let server = server().await;
    let tagged = |value: &str| {
        let mut request = model("cars", json!({"Image": "scorer"}));
        request["Tags"] = json!([{"Key": "run", "Value": value}]);
        request
    };
    server.call("CreateModel", tagged("first")).await.unwrap();
    server.refused("CreateModel", tagged("second")).await;
    let tags = server
        .call("ListTags", json!({"ResourceArn": format!("{ARN}:model/cars")}))
        .await
        .unwrap();
    assert_eq!(tags["Tags"][0]["Value"], "first");
}

#[tokio::test]
async fn a_model_needs_containers_that_can_serve_and_data_that_is_there() {
    let server = server().await;
    let both = {
        let mut request = model("x", json!({"Image": "scorer"}));
        request["Containers"] = json!([{"Image": "scorer"}]);
        request
    };
    let cases = [
        (
            model("x", json!({"Image": "trainer"})),
            "no `serve` command for the image trainer",
        ),
        (
            model("x", json!({"Image": "scorer", "ModelDataUrl": "s3://models/none"})),
            "Could not find model data at s3://models/none.",
        ),
        (
            model("x", json!({"Image": "scorer", "Mode": "MultiModel"})),
            "`PrimaryContainer.Mode`",
        ),
        (both, "You cannot specify both PrimaryContainer and Containers"),
        (json!({"ModelName": "x"}), "needs a PrimaryContainer or Containers"),
    ];
    for (request, text) in cases {
        let (code, message) = server.refused("CreateModel", request).await;
        assert_eq!(code, "ValidationException");
        assert!(message.contains(text), "{message}");
    }
    let pipeline = json!({"ModelName": "x", "Containers": [{"Image": "scorer"}, {"Image": "scorer"}]});
    server.call("CreateModel", pipeline).await.unwrap();
}

#[tokio::test]
async fn an_endpoint_configuration_names_models_that_exist() {
    let server = server().await;
    let (_, message) = server.refused("CreateEndpointConfig", config("c1", "cars")).await;
    assert_eq!(message, format!("Could not find model \"{ARN}:model/cars\"."));

    server
        .call("CreateModel", model("cars", json!({"Image": "scorer"})))
        .await
        .unwrap();
    server.call("CreateEndpointConfig", config("c1", "cars")).await.unwrap();
    let described = server
        .call("DescribeEndpointConfig", json!({"EndpointConfigName": "c1"}))
        .await
        .unwrap();
    assert_eq!(described["EndpointConfigArn"], format!("{ARN}:endpoint-config/c1"));
    assert_eq!(described["ProductionVariants"][0]["InitialVariantWeight"], 1.0);

    let (_, message) = server.refused("CreateEndpointConfig", config("c1", "cars")).await;
    assert_eq!(
        message,
        format!("Cannot create already existing endpoint configuration \"{ARN}:endpoint-config/c1\".")
    );
    let mut serverless = config("c2", "cars");
    serverless["ProductionVariants"][0]["ServerlessConfig"] = json!({"MaxConcurrency": 1});
    let (_, message) = server.refused("CreateEndpointConfig", serverless).await;
    assert!(
        message.contains("does not do `ProductionVariants[0].ServerlessConfig`"),
        "{message}"
    );

    server
        .call("DeleteEndpointConfig", json!({"EndpointConfigName": "c1"}))
        .await
        .unwrap();
    let (_, message) = server
        .refused("DescribeEndpointConfig", json!({"EndpointConfigName": "c1"}))
        .await;
    assert_eq!(
        message,
        format!("Could not find endpoint configuration \"{ARN}:endpoint-config/c1\".")
    );
}

#[tokio::test]
async fn lists_are_filtered_ordered_and_paged() {
    let server = server().await;
    for name in ["boats", "cars-1", "cars-2", "cars-3"] {
        server
            .call("CreateModel", model(name, json!({"Image": "scorer"})))
            .await
            .unwrap();
    }
    let names = |answer: &Value| -> Vec<String> {
        let models = answer["Models"].as_array().unwrap().iter();
        models
            .map(|model| model["ModelName"].as_str().unwrap().to_owned())
            .collect()
    };
    let mut request = json!({"NameContains": "cars", "SortBy": "Name", "SortOrder": "Descending", "MaxResults": 2});
    let first = server.call("ListModels", request.clone()).await.unwrap();
    assert_eq!(names(&first), ["cars-3", "cars-2"]);
    request["NextToken"] = first["NextToken"].clone();
    let second = server.call("ListModels", request).await.unwrap();
    assert_eq!(names(&second), ["cars-1"]);
    assert_eq!(second["NextToken"], Value::Null);
}

#[tokio::test]
async fn tags_are_added_replaced_and_deleted() {
    let server = server().await;
    server
        .call("CreateModel", model("cars", json!({"Image": "scorer"})))
        .await
        .unwrap();
    let arn = format!("{ARN}:model/cars");
    let tags = json!([{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]);
    server
        .call("AddTags", json!({"ResourceArn": arn, "Tags": tags}))
        .await
        .unwrap();
    let changed = json!([{"Key": "a", "Value": "3"}]);
    let answer = server
        .call("AddTags", json!({"ResourceArn": arn, "Tags": changed}))
        .await
        .unwrap();
    assert_eq!(
        answer,
        json!({"Tags": [{"Key": "a", "Value": "3"}, {"Key": "b", "Value": "2"}]})
    );
    server
        .call("DeleteTags", json!({"ResourceArn": arn, "TagKeys": ["b"]}))
        .await
        .unwrap();
    let left = server.call("ListTags", json!({"ResourceArn": arn})).await.unwrap();
    assert_eq!(left, json!({"Tags": [{"Key": "a", "Value": "3"}]}));
    let (code, _) = server
        .refused("ListTags", json!({"ResourceArn": format!("{ARN}:model/none")}))
        .await;
    assert_eq!(code, "ValidationException");
}
