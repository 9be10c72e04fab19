//! The certificate that clients are shown. It is read from files, and read again when they change, so that a renewed one is taken up while
//! connections go on.

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use crate::error::{Error, Result};

/// How often the files are looked at.
const EVERY: Duration = Duration::from_secs(5);

/// Where a certificate lies: both files are in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, followed by those that lead from it to its authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// A certificate in use.
#[derive(Debug)]
pub struct Certificate {
    files: TlsFiles,
    provider: Arc<CryptoProvider>,
    current: RwLock<Arc<CertifiedKey>>,
}

impl Certificate {
    /// Reads a certificate and its key.
    ///
    /// # Errors
    /// Says which file cannot be read or what is wrong with it.
    pub fn read(files: &TlsFiles) -> Result<Arc<Self>> {
        let provider = Arc::new(ring::default_provider());
        let current = RwLock::new(Arc::new(files.read(&provider)?));
        Ok(Arc::new(Self { files: files.clone(), provider, current }))
    }

    /// How connections are encrypted that speak one of these protocols.
    ///
    /// # Errors
    /// Where the library refuses its own defaults.
    pub fn settings(self: &Arc<Self>, protocols: &[&str]) -> Result<Arc<ServerConfig>> {
        let settings = ServerConfig::builder_with_provider(Arc::clone(&self.provider)).with_safe_default_protocol_versions();
        let settings = settings.map_err(|error| Error::Internal(format!("settings of TLS: {error}")))?;
        let resolver = Arc::clone(self) as Arc<dyn ResolvesServerCert>;
        let mut settings = settings.with_no_client_auth().with_cert_resolver(resolver);
        settings.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        Ok(Arc::new(settings))
    }

    /// Takes up what stands in the files whenever they have changed. Dropping the future ends it.
    pub async fn keep_up(self: Arc<Self>) {
        let mut known = self.files.changed();
        loop {
            tokio::time::sleep(EVERY).await;
            let now = self.files.changed();
            if now == known {
                continue;
            }
            match self.files.read(&self.provider) {
                Ok(renewed) => {
                    *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(renewed);
                    known = now;
                    tracing::info!("a renewed certificate is in use");
                }
                // The two files may be in the middle of being replaced: they are looked at again.
                Err(error) => tracing::error!(%error, "the certificate has changed but cannot be taken up; the one before is shown on"),
            }
        }
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl TlsFiles {
    fn read(&self, provider: &CryptoProvider) -> Result<CertifiedKey> {
        let wrong = |file: &PathBuf, problem: &dyn std::fmt::Display| Error::Input(format!("{}: {problem}", file.display()));
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(Iterator::collect)
            .map_err(|error| wrong(&self.certificate, &format!("expected certificates in PEM: {error}")))?;
        if chain.is_empty() {
            return Err(wrong(&self.certificate, &"it holds no certificate; expected the service's own one, then those above it"));
        }
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .map_err(|error| wrong(&self.key, &format!("expected a private key in PEM: {error}")))?;
        // It also says so if the two do not belong together.
        CertifiedKey::from_der(chain, key, provider)
            .map_err(|error| wrong(&self.key, &format!("it does not go with {}: {error}", self.certificate.display())))
    }

    /// Changes whenever one of the files does.
    fn changed(&self) -> [Option<(SystemTime, u64)>; 2] {
        [&self.certificate, &self.key].map(|file| {
            let found = fs::metadata(file).ok()?;
            Some((found.modified().ok()?, found.len()))
        })
    }
}
