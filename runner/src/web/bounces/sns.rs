//! Amazon SNS's envelope: who signed it, and the confirmation that a subscription needs. A signature is checked with a certificate that is fetched
//! from Amazon, over HTTPS and from no other address than its own.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

use super::reading::text;
use super::unsigned;
use crate::http_client::{Client, Connections, Guard, Request, Url};
use crate::web::problem::Problem;

/// How many certificates are kept; there are a few in the world at any time.
const MOST: usize = 16;
/// How long Amazon may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Gets what lies at an address, over HTTPS and with the certificates of the system, following no redirects. At most 64 KiB.
pub trait Fetch: Send + Sync {
    fn get<'a>(&'a self, url: &'a str) -> Fetching<'a>;
}

/// What [`Fetch::get`] gives: the body of an answer of 200.
pub type Fetching<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, FetchError>> + Send + 'a>>;

/// Why something could not be fetched.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct FetchError(pub String);

/// Asks over the network.
pub struct Online(Arc<Client>);

impl Online {
    /// Nothing on a private address is asked.
    pub fn new() -> Online {
        Online(Arc::new(Client::new(Guard::new(&[]))))
    }

    async fn answer(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        let url = Url::parse(url).map_err(|error| FetchError(error.to_string()))?;
        let request = Request { method: Method::GET, url, headers: Vec::new(), body: String::new() };
        let answer = Connections::new(self.0.clone()).ask(request, PATIENCE).await;
        let answer = answer.map_err(|error| FetchError(error.to_string()))?;
        match answer.status {
            200 if answer.whole => Ok(answer.body),
            200 => Err(FetchError("the answer is far too long".to_owned())),
            status => Err(FetchError(format!("the answer is {status}"))),
        }
    }
}

impl Default for Online {
    fn default() -> Online {
        Online::new()
    }
}

impl Fetch for Online {
    fn get<'a>(&'a self, url: &'a str) -> Fetching<'a> {
        Box::pin(self.answer(url))
    }
}

/// Asks nobody: nothing that is signed with a certificate is taken.
pub struct Offline;

impl Fetch for Offline {
    fn get<'a>(&'a self, _: &'a str) -> Fetching<'a> {
        Box::pin(async { Err(FetchError("this runner asks nothing of the network".to_owned())) })
    }
}

/// The public keys of SNS's certificates, fetched once each.
pub struct Certificates {
    fetch: Arc<dyn Fetch>,
    /// SubjectPublicKeyInfo in DER, by the certificate's address. Locked while one is fetched: whoever sends nonsense makes no more than one
    /// request at a time.
    known: Mutex<HashMap<String, Arc<[u8]>>>,
}

impl Certificates {
    pub fn new(fetch: Arc<dyn Fetch>) -> Certificates {
        Certificates { fetch, known: Mutex::default() }
    }

    /// Checks who signed an envelope.
    ///
    /// # Errors
    /// 403 where it is not signed by SNS; 503 while its certificate cannot be fetched.
    pub async fn check(&self, envelope: &Value) -> Result<(), Problem> {
        let said = |name: &str| envelope.get(name).and_then(Value::as_str);
        let algorithm = match said("SignatureVersion") {
            Some("1") => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
            Some("2") => &RSA_PKCS1_2048_8192_SHA256,
            _ => return Err(unsigned("the signature is missing, or of a version that is not known")),
        };
        let url = said("SigningCertURL").filter(|url| is_certificate(url));
        let url = url.ok_or_else(|| unsigned("the signature's certificate is not at an address of SNS"))?;
        let signature = said("Signature").and_then(|signature| STANDARD.decode(signature).ok()).unwrap_or_default();
        let key = self.key(url).await?;
        UnparsedPublicKey::new(algorithm, &*key)
            .verify(signed(envelope).as_bytes(), &signature)
            .map_err(|_| unsigned("the signature is not made with the certificate that it names"))
    }

    /// Confirms a subscription: whoever asked for it gets to know by this that the address is theirs.
    ///
    /// # Errors
    /// 403 where the link leads elsewhere; 503 where it cannot be followed.
    pub async fn confirm(&self, envelope: &Value) -> Result<(), Problem> {
        let url = text(envelope, "SubscribeURL").filter(|url| is_of_sns(url).is_some());
        let url = url.ok_or_else(|| unsigned("the link that confirms the subscription is no address of SNS"))?;
        self.get(url).await.map(|_| ())
    }

    async fn key(&self, url: &str) -> Result<Arc<[u8]>, Problem> {
        let mut known = self.known.lock().await;
        if let Some(key) = known.get(url) {
            return Ok(key.clone());
        }
        let pem = self.get(url).await?;
        let key = public_key(&pem).ok_or_else(|| unsigned("what lies at the certificate's address is no certificate"))?;
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(url.to_owned(), key.clone());
        Ok(key)
    }

    async fn get(&self, url: &str) -> Result<Vec<u8>, Problem> {
        let late = || Err(FetchError("it took too long".to_owned()));
        let got = tokio::time::timeout(PATIENCE, self.fetch.get(url)).await.unwrap_or_else(|_| late());
        got.map_err(|error| {
            tracing::warn!(%error, "Amazon SNS could not be asked");
            Problem::unavailable("unavailable", "Amazon SNS could not be asked; send it again in a while")
        })
    }
}

/// Of a certificate in PEM (RFC 7468): its SubjectPublicKeyInfo.
fn public_key(pem: &[u8]) -> Option<Arc<[u8]>> {
    let certificate = CertificateDer::from_pem_slice(pem).ok()?;
    let certificate = webpki::EndEntityCert::try_from(&certificate).ok()?;
    Some(Arc::from(certificate.subject_public_key_info().as_ref()))
}

/// What is signed of an envelope: some fields with their names, in alphabetical order.
fn signed(envelope: &Value) -> String {
    let said = |name: &str| envelope.get(name).and_then(Value::as_str);
    let names: &[&str] = match said("Type") {
        Some("Notification") => &["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"],
        _ => &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"],
    };
    let fields = names.iter().filter_map(|name| Some((name, said(name)?)));
    fields.fold(String::new(), |text, (name, value)| text + name + "\n" + value + "\n")
}

/// The path, of an address on a host of SNS's: `https://sns.REGION.amazonaws.com/…`, in China with `.cn`. No other port, and no user.
fn is_of_sns(url: &str) -> Option<&str> {
    let (host, path) = url.strip_prefix("https://")?.split_once('/')?;
    let name = host.strip_suffix(".cn").unwrap_or(host);
    let region = name.strip_prefix("sns.")?.strip_suffix(".amazonaws.com")?;
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    let clean = path.bytes().all(|byte| byte.is_ascii_graphic());
    (!region.is_empty() && plain(region) && clean).then_some(path)
}

fn is_certificate(url: &str) -> bool {
    let name = is_of_sns(url).and_then(|path| path.strip_suffix(".pem"));
    name.is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_sns_are_asked() {
        for (url, of_sns, certificate) in [
            ("https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a1b.pem", true, true),
            ("https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-0a1b.pem", true, true),
            ("https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=1", true, false),
            ("https://sns.eu-west-1.amazonaws.com/a/../b.pem", true, false),
            ("https://sns.eu-west-1.amazonaws.com/x.pem?y.pem", true, false),
            ("http://sns.eu-west-1.amazonaws.com/x.pem", false, false),
            ("https://sns.eu-west-1.amazonaws.com:444/x.pem", false, false),
            ("https://sns.eu-west-1.amazonaws.com@evil.example/x.pem", false, false),
            ("https://sns.evil.example/.amazonaws.com/x.pem", false, false),
            ("https://sns.a.b.amazonaws.com/x.pem", false, false),
            ("https://sns..amazonaws.com/x.pem", false, false),
            ("https://evil.s3.amazonaws.com/x.pem", false, false),
            ("https://sns.eu-west-1.amazonaws.com.evil.example/x.pem", false, false),
            ("https://sns.eu-west-1.amazonaws.com/x\r\nHost: evil.pem", false, false),
            ("https://SNS.eu-west-1.amazonaws.com/x.pem", false, false),
            ("", false, false),
        ] {
            assert_eq!((is_of_sns(url).is_some(), is_certificate(url)), (of_sns, certificate), "{url}");
        }
    }
}
