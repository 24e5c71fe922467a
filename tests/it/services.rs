//! What the gRPC listener serves beside its own services.

use futures_util::StreamExt;
use futures_util::stream;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::{v1, v1alpha};

use crate::support::{Site, eventually};

const SERVICES: [&str; 4] = [
    "dockpass.v1.AccessService",
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
];

#[tokio::test]
async fn health_is_told_of_the_server_and_of_each_service() {
    let site = Site::new().await;
    let broker = site.start().await;
    let mut client = HealthClient::new(broker.channel.clone());
    for service in ["", SERVICES[0]] {
        eventually("health", async || {
            let request = HealthCheckRequest { service: service.to_owned() };
            let answer = client.check(request).await.unwrap().into_inner();
            (answer.status() == ServingStatus::Serving).then_some(())
        })
        .await;
    }
    let unknown = HealthCheckRequest { service: "dockpass.v1.Other".to_owned() };
    assert_eq!(client.check(unknown).await.unwrap_err().code(), tonic::Code::NotFound);
}

#[tokio::test]
async fn reflection_tells_of_the_services_in_its_first_version() {
    use v1::server_reflection_client::ServerReflectionClient;
    use v1::server_reflection_request::MessageRequest;
    use v1::server_reflection_response::MessageResponse;
    let site = Site::new().await;
    let broker = site.start().await;
    let request = v1::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut client = ServerReflectionClient::new(broker.channel.clone());
    let asked = stream::iter([request]);
    let mut answers = client.server_reflection_info(asked).await.unwrap().into_inner();
    let answer = answers.next().await.unwrap().unwrap().message_response;
    let Some(MessageResponse::ListServicesResponse(list)) = answer else { panic!("{answer:?}") };
    let names: Vec<_> = list.service.into_iter().map(|service| service.name).collect();
    assert!(names.iter().any(|name| name == SERVICES[0]), "{names:?}");
    assert!(names.iter().any(|name| name == SERVICES[1]), "{names:?}");
}

#[tokio::test]
async fn reflection_tells_of_a_symbol_in_the_version_that_older_clients_ask() {
    use v1alpha::server_reflection_client::ServerReflectionClient;
    use v1alpha::server_reflection_request::MessageRequest;
    use v1alpha::server_reflection_response::MessageResponse;
    let site = Site::new().await;
    let broker = site.start().await;
    let request = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::FileContainingSymbol(SERVICES[0].to_owned())),
    };
    let mut client = ServerReflectionClient::new(broker.channel.clone());
    let asked = stream::iter([request]);
    let mut answers = client.server_reflection_info(asked).await.unwrap().into_inner();
    let answer = answers.next().await.unwrap().unwrap().message_response;
    let found = matches!(answer, Some(MessageResponse::FileDescriptorResponse(_)));
    assert!(found, "{answer:?}");
}

#[tokio::test]
async fn a_method_that_is_not_there_is_unimplemented() {
    let site = Site::new().await;
    let broker = site.start().await;
    let mut client = tonic::client::Grpc::new(broker.channel.clone());
    client.ready().await.unwrap();
    let path = "/dockpass.v1.AccessService/Nothing".parse().unwrap();
    let codec: tonic_prost::ProstCodec<(), ()> = tonic_prost::ProstCodec::default();
    let refusal = client.unary(tonic::Request::new(()), path, codec).await.unwrap_err();
    assert_eq!(refusal.code(), tonic::Code::Unimplemented);
}
