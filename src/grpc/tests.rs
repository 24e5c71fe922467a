use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_util::task::AbortOnDropHandle;
use tonic::Code;
use tonic::transport::Channel;
use tonic::transport::server::TcpIncoming;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::{v1, v1alpha};

use tokio_util::task::TaskTracker;

use super::*;

const SERVICE: &str = "dockpass.v1.AccessService";

/// A server on a free port, with health and reflection.
pub(super) struct Running {
    pub(super) address: std::net::SocketAddr,
    pub(super) health: Health,
    shutdown: Option<oneshot::Sender<()>>,
    task: AbortOnDropHandle<()>,
}

impl Running {
    pub(super) async fn start(limits: Limits) -> Self {
        let health = Health::default();
        health.set(Readiness::NotReady).await;
        let routes = with_health_and_reflection(Routes::default(), &health).unwrap();
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = incoming.local_addr().unwrap();
        let (shutdown, stop) = oneshot::channel();
        let ended = health.clone();
        let task = AbortOnDropHandle::new(TaskTracker::new().spawn(async move {
            let stopping = async {
                drop(stop.await);
                ended.end().await;
            };
            connection::serve(&routes, limits, incoming, stopping).await;
        }));
        Self { address, health, shutdown: Some(shutdown), task }
    }

    pub(super) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    pub(super) async fn channel(&self) -> Channel {
        let endpoint = format!("http://{}", self.address);
        Channel::from_shared(endpoint).unwrap().connect().await.unwrap()
    }

    /// Asks for the health of the whole server on a new connection.
    pub(super) async fn check(&self) -> Result<ServingStatus, tonic::Status> {
        check(self.channel().await, "").await
    }

    /// Stops, and returns when all connections have ended.
    pub(super) async fn stop(mut self) {
        drop(self.shutdown.take());
        self.task.await.unwrap();
    }
}

async fn check(channel: Channel, service: &str) -> Result<ServingStatus, tonic::Status> {
    let request = HealthCheckRequest { service: service.to_owned() };
    let response = HealthClient::new(channel).check(request).await?;
    Ok(response.into_inner().status())
}

#[tokio::test]
async fn health_tells_of_the_server_and_of_the_service() {
    let server = Running::start(Limits::default()).await;
    let channel = server.channel().await;
    for service in ["", SERVICE] {
        assert_eq!(check(channel.clone(), service).await.unwrap(), ServingStatus::NotServing);
    }
    server.health.set(Readiness::Ready).await;
    for service in ["", SERVICE] {
        assert_eq!(check(channel.clone(), service).await.unwrap(), ServingStatus::Serving);
    }
    assert_eq!(check(channel, "unknown").await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn shutdown_ends_what_watches_health() {
    let server = Running::start(Limits::default()).await;
    let request = HealthCheckRequest { service: SERVICE.to_owned() };
    let watching = HealthClient::new(server.channel().await).watch(request).await;
    let mut watching = watching.unwrap().into_inner();
    let first = watching.message().await.unwrap().unwrap();
    assert_eq!(first.status(), ServingStatus::NotServing);
    server.stop().await;
    while let Ok(Some(_)) = watching.message().await {}
}

#[tokio::test]
async fn reflection_v1_lists_the_services_and_describes_them() {
    use v1::server_reflection_client::ServerReflectionClient;
    use v1::server_reflection_request::MessageRequest;
    use v1::server_reflection_response::MessageResponse;

    let server = Running::start(Limits::default()).await;
    let mut client = ServerReflectionClient::new(server.channel().await);
    let requests = [
        MessageRequest::ListServices(String::new()),
        MessageRequest::FileContainingSymbol(SERVICE.to_owned()),
    ];
    let requests = requests.map(|request| v1::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(request),
    });
    let answers = client.server_reflection_info(futures_util::stream::iter(requests)).await;
    let mut answers = answers.unwrap().into_inner();
    let mut next = async || answers.message().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(list) = next().await else { panic!("no list") };
    let names: Vec<_> = list.service.iter().map(|service| &*service.name).collect();
    assert!(names.contains(&SERVICE) && names.contains(&"grpc.health.v1.Health"), "{names:?}");
    let MessageResponse::FileDescriptorResponse(files) = next().await else { panic!("no file") };
    assert_eq!(files.file_descriptor_proto.len(), 1);
}

#[tokio::test]
async fn reflection_v1alpha_lists_the_services() {
    use v1alpha::server_reflection_client::ServerReflectionClient;
    use v1alpha::server_reflection_request::MessageRequest;
    use v1alpha::server_reflection_response::MessageResponse;

    let server = Running::start(Limits::default()).await;
    let mut client = ServerReflectionClient::new(server.channel().await);
    let request = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let answers = client.server_reflection_info(futures_util::stream::iter([request])).await;
    let answer = answers.unwrap().into_inner().message().await.unwrap().unwrap();
    let Some(MessageResponse::ListServicesResponse(list)) = answer.message_response else {
        panic!("no list")
    };
    assert!(list.service.iter().any(|service| service.name == SERVICE));
}

#[tokio::test]
async fn an_unknown_method_is_unimplemented() {
    let server = Running::start(Limits::default()).await;
    let mut client = pb::access_service_client::AccessServiceClient::new(server.channel().await);
    let answer = client.check_access(pb::CheckAccessRequest::default()).await;
    assert_eq!(answer.unwrap_err().code(), Code::Unimplemented);
}
