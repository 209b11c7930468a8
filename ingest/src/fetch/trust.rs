//! Trust: which certificates of servers are believed.
//!
//! Those that lead to a root of the system, or of `SSL_CERT_FILE` in its place; and a certificate that is
//! itself among those, as a site with one self-signed certificate has. The library behind
//! rustls refuses such a one if it is marked as an authority, which is what `openssl req -x509` makes.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use corpus::{Error, Result};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme,
};

/// Protocols that are offered, the first of which is preferred.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The roots, read once by a process: it makes a client to list stages, and another to run them.
static ROOTS: LazyLock<Vec<CertificateDer<'static>>> =
    LazyLock::new(|| rustls_native_certs::load_native_certs().certs);

/// Makes the TLS configuration of connections whose servers are verified.
///
/// # Errors
/// When the roots cannot be loaded.
pub(super) fn tls_config() -> Result<ClientConfig> {
    let (mut roots, mut trusted) = (RootCertStore::empty(), BTreeSet::new());
    for certificate in ROOTS.iter() {
        trusted.insert(certificate.to_vec());
        // Old systems have roots that no longer parse; the others count.
        let _ = roots.add(certificate.clone());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::work("fetch", error))?;
    let mut config = if roots.is_empty() {
        // Trusts no server: a machine without roots can still read over plain HTTP.
        builder.with_root_certificates(roots).with_no_client_auth()
    } else {
        let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
        let inner = inner.map_err(|error| Error::work("fetch", error))?;
        let verifier = Arc::new(Trust { inner, trusted });
        builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()
    };
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    Ok(config)
}

/// Makes the TLS configuration of connections to proxies, which speak HTTP/1.1.
pub(super) fn to_proxies(mut config: ClientConfig) -> ClientConfig {
    config.alpn_protocols.clear();
    config
}

/// Makes the TLS configuration of connections to whoever answers.
pub(super) fn unverified(mut config: ClientConfig) -> ClientConfig {
    let schemes = config.crypto_provider().signature_verification_algorithms.supported_schemes();
    config.dangerous().set_certificate_verifier(Arc::new(AnyCertificate { schemes }));
    // A session that began so must not be resumed where certificates count.
    config.resumption = Resumption::default();
    config
}

/// Believes every certificate, as `fetch.tls_verify = false` asks for.
#[derive(Debug)]
struct AnyCertificate {
    schemes: Vec<SignatureScheme>,
}

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}

/// The verifier of rustls, and certificates that are trusted as they are.
#[derive(Debug)]
struct Trust {
    inner: Arc<WebPkiServerVerifier>,
    trusted: BTreeSet<Vec<u8>>,
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let verified =
            self.inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            // Dates are checked before this error, names after it.
            Err(error) if is_authority(&error) && self.trusted.contains(end_entity.as_ref()) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Returns true for the error that a server's certificate is marked as an authority.
fn is_authority(error: &rustls::Error) -> bool {
    let rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(cause))) = error else {
        return false;
    };
    matches!(cause.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}
