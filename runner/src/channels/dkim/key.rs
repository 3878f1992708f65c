//! A key that mails are signed with, and the DNS record that receivers check it by.

use aws_lc_rs::digest::Digest;
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

/// What is wrong with a key. No text repeats any of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DkimError {
    #[error(
        "the DKIM key of {0} is no private key in PEM: give the text between and with -----BEGIN PRIVATE KEY----- and -----END PRIVATE KEY-----, or the path of its file"
    )]
    Pem(String),
    #[error(
        "the DKIM key of {0} is an RSA key of fewer than 2048 bits, which receivers do not trust: make a new one (openssl genrsa 2048)"
    )]
    Small(String),
    #[error("the DKIM key of {0} is neither RSA (of 2048 to 8192 bits) nor Ed25519, or is damaged")]
    Kind(String),
    #[error("the DKIM key of {0} cannot sign")]
    Sign(String),
}

/// A key as the settings give it, its text read. Its `Debug` hides the text.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyText {
    /// In lower case.
    pub domain: String,
    pub selector: String,
    /// The private key: PKCS#8 (RFC 5958) or, for RSA, PKCS#1 (RFC 8017), in PEM.
    pub pem: String,
}

impl std::fmt::Debug for KeyText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyText({}, {}, …)", self.domain, self.selector)
    }
}

/// A key ready to sign.
pub struct DkimKey {
    pub domain: String,
    pub selector: String,
    pair: Pair,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// What has to be published in the DNS for receivers to check signatures by (RFC 6376 section 3.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub name: String,
    /// The text of the TXT record, in one piece.
    pub value: String,
}

impl DkimKey {
    /// Reads a private key.
    ///
    /// # Errors
    /// When it is no RSA or Ed25519 key in PEM, or too small.
    pub fn read(text: &KeyText) -> Result<DkimKey, DkimError> {
        let name = || format!("{}._domainkey.{}", text.selector, text.domain);
        // Some ways of passing secrets allow no line ends in them.
        let pem = if text.pem.trim().contains('\n') { text.pem.clone() } else { text.pem.replace("\\n", "\n") };
        let pair = match PrivateKeyDer::from_pem_slice(pem.as_bytes()) {
            Ok(PrivateKeyDer::Pkcs1(der)) => RsaKeyPair::from_der(der.secret_pkcs1_der()).map(Pair::Rsa),
            Ok(PrivateKeyDer::Pkcs8(der)) => {
                let der = der.secret_pkcs8_der();
                match Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
                    Ok(pair) => Ok(Pair::Ed25519(pair)),
                    Err(_) => RsaKeyPair::from_pkcs8(der).map(Pair::Rsa),
                }
            }
            Ok(_) => return Err(DkimError::Kind(name())),
            Err(_) => return Err(DkimError::Pem(name())),
        };
        let pair = pair.map_err(|error| match error.to_string().as_str() {
            "TooSmall" => DkimError::Small(name()),
            _ => DkimError::Kind(name()),
        })?;
        Ok(DkimKey { domain: text.domain.clone(), selector: text.selector.clone(), pair })
    }

    /// The name of its algorithm in signatures.
    pub(super) fn algorithm(&self) -> &'static str {
        match self.pair {
            Pair::Rsa(_) => "rsa-sha256",
            Pair::Ed25519(_) => "ed25519-sha256",
        }
    }

    /// Signs a SHA-256 hash: Ed25519 signs the hash as if it was the message (RFC 8463 section 3).
    pub(super) fn sign(&self, hash: &Digest) -> Result<Vec<u8>, DkimError> {
        let failed = |Unspecified| DkimError::Sign(self.name());
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign_digest(&RSA_PKCS1_SHA256, hash, &mut signature).map_err(failed)?;
                Ok(signature)
            }
            Pair::Ed25519(pair) => Ok(pair.sign(hash.as_ref()).as_ref().to_vec()),
        }
    }

    /// The DNS record of its public half.
    ///
    /// # Errors
    /// When the public half cannot be written down.
    pub fn record(&self) -> Result<Record, DkimError> {
        let value = match &self.pair {
            Pair::Rsa(pair) => {
                let public = AsDer::<aws_lc_rs::encoding::PublicKeyX509Der<'_>>::as_der(pair.public_key());
                let public = public.map_err(|_| DkimError::Kind(self.name()))?;
                format!("v=DKIM1; k=rsa; p={}", STANDARD.encode(public.as_ref()))
            }
            Pair::Ed25519(pair) => format!("v=DKIM1; k=ed25519; p={}", STANDARD.encode(pair.public_key().as_ref())),
        };
        Ok(Record { name: self.name(), value })
    }

    fn name(&self) -> String {
        format!("{}._domainkey.{}", self.selector, self.domain)
    }
}
