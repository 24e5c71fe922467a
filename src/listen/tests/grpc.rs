//! gRPC over [`Listener::incoming`].

use tonic::transport::{
    Certificate as TrustedCertificate, ClientTlsConfig, Endpoint, Server as GrpcServer,
};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::*;

#[tokio::test]
async fn grpc_is_served_over_tls_and_knows_its_peer() {
    let folder = tempfile::tempdir().unwrap();
    let pair = Pair::generate("localhost");
    let certificate = Certificate::load(pair.write(folder.path())).await.unwrap();
    let setup = Setup { certificate: Some(certificate), ..Setup::default() };
    let listener = setup.listener(Protocol::Http2).await;
    let address = listener.local_addr();
    let (_reporter, health) = tonic_health::server::health_reporter();
    let stop = CancellationToken::new();
    let peer_is_known = |request: tonic::Request<()>| match request.remote_addr() {
        Some(peer) if peer.ip().is_loopback() => Ok(request),
        _ => Err(tonic::Status::internal("the peer is not known")),
    };
    let served = GrpcServer::builder()
        .layer(tonic::service::InterceptorLayer::new(peer_is_known))
        .add_service(health)
        .serve_with_incoming_shutdown(
            listener.incoming(stop.clone().cancelled_owned()),
            std::future::pending(),
        );
    let task = TaskTracker::new().spawn(served);

    let tls = ClientTlsConfig::new()
        .ca_certificate(TrustedCertificate::from_pem(&pair.certificate))
        .domain_name("localhost");
    let endpoint =
        Endpoint::from_shared(format!("https://{address}")).unwrap().tls_config(tls).unwrap();
    let mut client = HealthClient::new(endpoint.connect().await.unwrap());
    client.check(HealthCheckRequest { service: String::new() }).await.unwrap();
    drop(client);
    stop.cancel();
    task.await.unwrap().unwrap();
}

#[tokio::test]
async fn h3_a_caller_that_says_nothing_keeps_no_place() {
    let connections =
        ConnectionLimits { handshake: SHORT, per_address: 1, ..ConnectionLimits::default() };
    let listener = Setup { connections, ..Setup::default() }.listener(Protocol::Http2).await;
    let address = listener.local_addr();
    let (_reporter, health) = tonic_health::server::health_reporter();
    let stop = CancellationToken::new();
    let served = GrpcServer::builder().add_service(health).serve_with_incoming_shutdown(
        listener.incoming(stop.clone().cancelled_owned()),
        std::future::pending(),
    );
    let task = TaskTracker::new().spawn(served);
    for _ in 0..3 {
        let mut silent = TcpStream::connect(address).await.unwrap();
        read_until_closed(&mut silent).await;
    }
    stop.cancel();
    task.await.unwrap().unwrap();
}
