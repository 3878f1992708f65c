//! Signatures of requests in the Standard Webhooks way (https://www.standardwebhooks.com): who receives one can check who it is from, and that
//! it is no old one.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::header::HeaderName;

use super::HttpError;

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// A key to sign with (HMAC-SHA-256).
pub struct SigningKey(hmac::Key);

impl SigningKey {
    /// `whsec_` and base64, or the key itself as text.
    pub fn read(secret: &str) -> Result<SigningKey, HttpError> {
        let bytes = match secret.trim().strip_prefix("whsec_") {
            Some(encoded) => STANDARD.decode(encoded).map_err(|_| HttpError::SigningKey)?,
            None => secret.as_bytes().to_vec(),
        };
        Ok(SigningKey(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// The headers that prove a body; `now` is in ms since 1970 UTC.
    pub fn headers(&self, id: &str, now: i64, body: &str) -> [(HeaderName, String); 3] {
        let seconds = now.div_euclid(1000).to_string();
        let mut context = hmac::Context::with_key(&self.0);
        for part in [id, ".", &seconds, ".", body] {
            context.update(part.as_bytes());
        }
        let signature = format!("v1,{}", STANDARD.encode(context.sign()));
        [(ID, id.to_owned()), (TIMESTAMP, seconds), (SIGNATURE, signature)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_standard() {
        // The example of the standard's reference libraries.
        let key = SigningKey::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let [id, timestamp, signature] = key.headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330_000, "{\"test\": 2432232314}");
        assert_eq!(id, (ID, "msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned()));
        assert_eq!(timestamp.1, "1614265330");
        assert_eq!(signature.1, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert!(SigningKey::read("whsec_!").is_err());
        let raw = SigningKey::read("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        assert_ne!(raw.headers("m", 0, "")[2], key.headers("m", 0, "")[2]);
    }
}
