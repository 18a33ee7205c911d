//! Random bytes, keyed hashes, and the server's secret.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::AccountError;
use crate::storage::keys;
use crate::storage::records::{Record, Records};
use crate::storage::store::StoreError;

/// The length of the secret and of tokens.
pub const SECRET_BYTES: usize = 32;

/// Random bytes from the platform.
///
/// # Errors
/// [`AccountError::Random`].
pub fn random_bytes<const N: usize>() -> Result<[u8; N], AccountError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| AccountError::Random(error.to_string()))?;
    Ok(bytes)
}

/// Bytes in lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    out
}

/// SHA-256 in hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The server's secret for keyed hashes. All instances share it.
#[derive(Clone, Serialize, Deserialize)]
pub struct ServerSecret {
    key: String,
}

impl Record for ServerSecret {
    const VERSION: u32 = 1;
}

impl fmt::Debug for ServerSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ServerSecret")
    }
}

impl ServerSecret {
    /// The secret, if it was made.
    ///
    /// # Errors
    /// The store's failure.
    #[crate::boxed(?Send)]
    pub async fn load(records: &Records) -> Result<Option<Self>, StoreError> {
        records.get(&keys::server_secret()).await
    }

    /// The secret; makes it if there is none. **The caller holds the lease `bootstrap`**, since two makers would make
    /// two secrets and one would be lost with everything hashed under it.
    ///
    /// # Errors
    /// The store's failure, or [`AccountError::Random`].
    #[crate::boxed(?Send)]
    pub async fn ensure(records: &Records) -> Result<Self, AccountError> {
        if let Some(secret) = Self::load(records).await? {
            return Ok(secret);
        }
        let secret = Self { key: hex(&random_bytes::<SECRET_BYTES>()?) };
        records.set(&keys::server_secret(), &secret).await?;
        Ok(secret)
    }

    /// This secret mixed with one that is not in the store (a setting), so that a copy of the store alone does not
    /// allow passwords to be tried against the keyed hashes.
    #[must_use]
    pub fn with_pepper(self, pepper: &str) -> Self {
        if pepper.is_empty() { self } else { Self { key: self.keyed_hash("pepper", &[pepper]) } }
    }

    /// HMAC-SHA-256 over the purpose and the words, joined by NUL, in hexadecimal. The words hold no NUL, or stand
    /// last.
    pub fn keyed_hash(&self, purpose: &str, words: &[&str]) -> String {
        // HMAC takes keys of any length; the other arm is never reached.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.key.as_bytes()) else { return String::new() };
        mac.update(purpose.as_bytes());
        for word in words {
            mac.update(b"\0");
            mac.update(word.as_bytes());
        }
        hex(&mac.finalize().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::memory::MemoryStore;

    #[test]
    fn the_secret_is_made_once_and_not_shown() {
        futures::executor::block_on(async {
            let records = Records::new(MemoryStore::new());
            assert!(ServerSecret::load(&records).await.unwrap().is_none());
            let one = ServerSecret::ensure(&records).await.unwrap();
            let two = ServerSecret::ensure(&records).await.unwrap();
            assert_eq!(one.key, two.key);
            assert_eq!(one.key.len(), 64);
            assert_eq!(format!("{one:?}"), "ServerSecret");
        });
    }

    #[test]
    fn keyed_hashes_are_hmac_sha256_and_keep_words_apart() {
        let secret = ServerSecret { key: "key".to_owned() };
        // RFC 4231 has no such key; this is `printf 'a\0b\0c' | openssl dgst -sha256 -hmac key`.
        assert_eq!(
            secret.keyed_hash("a", &["b", "c"]),
            "a5746d31e1d57ed2d6a05c235f2dd2d44acb9aefa799440f5ae9c5709b169aa8"
        );
        assert_ne!(secret.keyed_hash("a", &["bc", ""]), secret.keyed_hash("a", &["b", "c"]));
        assert_ne!(secret.keyed_hash("p", &["b"]), secret.clone().with_pepper("x").keyed_hash("p", &["b"]));
        assert_eq!(secret.keyed_hash("p", &["b"]), secret.clone().with_pepper("").keyed_hash("p", &["b"]));
    }

    #[test]
    fn sha256_is_what_others_make_of_it() {
        assert_eq!(sha256_hex(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
