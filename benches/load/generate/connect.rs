//! Connections to the target.

use std::sync::Arc;

use anyhow::Context;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::job::Job;

pub(super) async fn tcp(job: &Job) -> anyhow::Result<TcpStream> {
    let stream = TcpStream::connect(job.target).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Speaks TLS 1.3 and HTTP/2 over a connection.
pub(super) async fn tls(
    connector: &TlsConnector,
    stream: TcpStream,
) -> anyhow::Result<TlsStream<TcpStream>> {
    connector.connect(ServerName::try_from("localhost")?, stream).await.context("no TLS")
}

/// What trusts the target's certificate, where it has one.
pub(super) fn connector(job: &Job) -> anyhow::Result<Option<TlsConnector>> {
    let Some(pem) = &job.certificate else { return Ok(None) };
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes())?)?;
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Some(TlsConnector::from(Arc::new(config))))
}
