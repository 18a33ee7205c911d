//! Signatures of messages, as the Standard Webhooks specification has them: HMAC-SHA256 over
//! `{identifier}.{seconds}.{body}`, in base64 behind `v1,`; the secret is `whsec_` and the key in base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::domain::error::DomainError;
use crate::domain::ids::random_id;

const PREFIX: &str = "whsec_";

/// Bytes of a key, by the specification.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A key that messages are signed with.
pub struct SigningKey(Vec<u8>);

/// A new secret: 256 random bits.
///
/// # Errors
/// The platform gives no random bytes.
pub fn new_secret() -> Result<String, DomainError> {
    Ok(format!("{PREFIX}{}", STANDARD.encode(format!("{}{}", random_id()?, random_id()?))))
}

impl SigningKey {
    /// The key of a secret.
    ///
    /// # Errors
    /// [`DomainError::Invalid`] for what is none.
    pub fn parse(secret: &str) -> Result<Self, DomainError> {
        let key = secret.strip_prefix(PREFIX).and_then(|text| STANDARD.decode(text).ok());
        key.filter(|key| KEY_BYTES.contains(&key.len())).map(Self).ok_or_else(|| DomainError::Invalid {
            what: format!(
                "A webhook's secret must be {PREFIX} and {} to {} bytes in base64; leave it out to have one made.",
                KEY_BYTES.start(),
                KEY_BYTES.end()
            ),
        })
    }

    /// The signature of a message.
    ///
    /// # Errors
    /// [`DomainError::Invalid`], which no key that was parsed gives.
    pub fn sign(&self, id: &str, seconds: u64, body: &[u8]) -> Result<String, DomainError> {
        let unfit = |_| DomainError::Invalid { what: "The webhook's secret cannot be used.".to_owned() };
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).map_err(unfit)?;
        mac.update(format!("{id}.{seconds}.").as_bytes());
        mac.update(body);
        Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification() {
        // Identifier, moment, body, secret and signature as the specification's reference libraries test them.
        let key = SigningKey::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#).unwrap();
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn secrets_that_are_none_are_refused_and_new_ones_are_fit() {
        for bad in ["", "x", "whsec_", "whsec_AAAA", "whsec_?", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] {
            assert!(SigningKey::parse(bad).is_err(), "{bad:?}");
        }
        assert!(SigningKey::parse(&new_secret().unwrap()).is_ok());
    }
}
