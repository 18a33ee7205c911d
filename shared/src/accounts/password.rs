//! Passwords: Argon2id in PHC strings.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

use super::AccountError;
use super::secret::random_bytes;

/// OWASP's Password Storage Cheat Sheet, Argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// As the PHC format recommends.
const SALT_BYTES: usize = 16;
/// Longer passwords are refused, also at login: hashing them costs time.
pub const MAX_PASSWORD_BYTES: usize = 1024;
/// Shorter new passwords are refused (NIST SP 800-63B).
pub const MIN_PASSWORD_CHARACTERS: usize = 8;
/// The length of passwords that the server makes.
const GENERATED_CHARACTERS: usize = 24;
/// Letters and digits without those that look alike (`0 O 1 I l`).
const ALPHABET: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";

/// Why a text is refused as a new password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Shorter than [`MIN_PASSWORD_CHARACTERS`].
    #[error("A password must have at least 8 characters.")]
    TooShort,
    /// Longer than [`MAX_PASSWORD_BYTES`].
    #[error("A password must have at most 1024 bytes.")]
    TooLong,
    /// The algorithm refused its input.
    #[error("The password cannot be hashed: {0}")]
    Unhashable(String),
}

fn hasher() -> Result<Argon2<'static>, PasswordError> {
    let params =
        Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| PasswordError::Unhashable(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Refuses what cannot be a new password.
///
/// # Errors
/// [`PasswordError`] if it is too short or too long.
pub fn check(password: &str) -> Result<(), PasswordError> {
    if password.chars().count() < MIN_PASSWORD_CHARACTERS {
        return Err(PasswordError::TooShort);
    }
    if password.len() > MAX_PASSWORD_BYTES {
        return Err(PasswordError::TooLong);
    }
    Ok(())
}

/// Hashes a new password.
///
/// # Errors
/// [`PasswordError`] if it is too short or too long, [`AccountError::Random`] without random bytes for the salt.
pub fn hash(password: &str) -> Result<String, AccountError> {
    check(password)?;
    let salt: [u8; SALT_BYTES] = random_bytes()?;
    Ok(hash_with(password, &salt)?)
}

fn hash_with(password: &str, salt: &[u8]) -> Result<String, PasswordError> {
    let hash: PasswordHash = hasher()?
        .hash_password_with_salt(password.as_bytes(), salt)
        .map_err(|error| PasswordError::Unhashable(error.to_string()))?;
    Ok(hash.to_string())
}

/// Whether the password is the one that was hashed; takes its time either way.
pub fn matches(password: &str, hashed: &str) -> bool {
    let (Ok(hash), Ok(hasher)) = (PasswordHash::new(hashed), hasher()) else { return false };
    password.len() <= MAX_PASSWORD_BYTES && hasher.verify_password(password.as_bytes(), &hash).is_ok()
}

/// Takes as long as [`matches`], for users that do not exist.
pub fn waste_time(password: &str) {
    let bounded: String = password.chars().take(MAX_PASSWORD_BYTES / 4).collect();
    let hashed = hash_with(&bounded, b"nobody has this.");
    // Keeps the work from being optimised away.
    std::hint::black_box(hashed.is_ok());
}

/// A new password of 24 characters (some 139 bits) without look-alikes.
///
/// # Errors
/// [`AccountError::Random`].
pub fn generate() -> Result<String, AccountError> {
    random_letters(GENERATED_CHARACTERS)
}

/// So many random letters and digits, of 5.8 bits each.
///
/// # Errors
/// [`AccountError::Random`].
pub fn random_letters(count: usize) -> Result<String, AccountError> {
    let mut text = String::with_capacity(count);
    while text.len() < count {
        let bytes: [u8; 64] = random_bytes()?;
        // Six bits of each byte; values beyond the alphabet are thrown away, so that all letters are equally likely.
        let letters = bytes.iter().filter_map(|byte| ALPHABET.get(usize::from(byte & 63)));
        text.extend(letters.map(|&letter| char::from(letter)).take(count - text.len()));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_hashed_with_the_documented_parameters_and_a_salt_of_its_own() {
        let one = hash("correct horse").unwrap();
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_ne!(one, hash("correct horse").unwrap());
        assert!(matches("correct horse", &one));
        assert!(!matches("correct horsf", &one));
        assert!(!matches("", &one));
        assert!(!matches("correct horse", "no hash"));
        assert!(!matches("correct horse", ""));
    }

    #[test]
    fn bad_new_passwords_are_refused() {
        assert!(matches!(hash("1234567"), Err(AccountError::Password(PasswordError::TooShort))));
        assert!(matches!(hash(&"a".repeat(1025)), Err(AccountError::Password(PasswordError::TooLong))));
    }

    #[test]
    fn made_passwords_are_long_and_without_look_alikes() {
        let one = generate().unwrap();
        assert_eq!(one.len(), 24);
        assert!(one.bytes().all(|byte| ALPHABET.contains(&byte)));
        assert!(!ALPHABET.iter().any(|letter| b"0O1Il".contains(letter)));
        assert_ne!(one, generate().unwrap());
    }

    #[test]
    fn unknown_users_cost_as_much_as_known_ones() {
        let hashed = hash("correct horse").unwrap();
        // The least of several, as other work on the machine only adds to it.
        let time = |work: &dyn Fn()| {
            let times = (0..5).map(|_| {
                let start = std::time::Instant::now();
                work();
                start.elapsed().as_secs_f64()
            });
            times.fold(f64::INFINITY, f64::min)
        };
        let known = time(&|| assert!(!matches("wrong", &hashed)));
        let unknown = time(&|| waste_time("wrong"));
        assert!(known / unknown < 4.0 && unknown / known < 4.0, "{known} {unknown}");
    }
}
