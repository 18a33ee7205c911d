//! What the operator sets for logging in.

use super::failures::LockRule;
use super::verify::VerifyRule;
use crate::domain::settings::{SettingError, count, number, switch};

/// The settings for logging in.
#[derive(Debug, Clone)]
pub struct AuthSettings {
    /// Whether requests without credentials are let in as guests.
    pub allow_guests: bool,
    /// How long a verified password is remembered.
    pub verified_login_seconds: u64,
    /// How long a login session lives without being used.
    pub session_timeout_seconds: u64,
    /// How many failures lock an account; 0 for never.
    pub lock_after_failures: u32,
    /// For how long.
    pub lock_seconds: u64,
    /// How long an alias token lives.
    pub alias_token_seconds: u64,
    /// Whether changes that a browser sends with a login session must carry the session's own token.
    pub csrf_check: bool,
}

impl Default for AuthSettings {
    fn default() -> Self {
        Self {
            allow_guests: false,
            verified_login_seconds: 300,
            session_timeout_seconds: 900,
            lock_after_failures: 20,
            lock_seconds: 3600,
            alias_token_seconds: 2 * 24 * 60 * 60,
            csrf_check: true,
        }
    }
}

impl AuthSettings {
    /// The settings that `lookup` gives by name, the defaults for those it does not give (or gives empty).
    ///
    /// # Errors
    /// [`SettingError`] for a value that cannot be used.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingError> {
        let set = |name: &str| lookup(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let defaults = Self::default();
        Ok(Self {
            allow_guests: !switch(&set, "require_login", !defaults.allow_guests)?,
            verified_login_seconds: number(&set, "verified_login_seconds", defaults.verified_login_seconds, 1)?,
            session_timeout_seconds: number(&set, "session_timeout_seconds", defaults.session_timeout_seconds, 1)?,
            lock_after_failures: count(&set, "lock_after_failures", defaults.lock_after_failures)?,
            lock_seconds: number(&set, "lock_seconds", defaults.lock_seconds, 1)?,
            alias_token_seconds: number(&set, "alias_token_seconds", defaults.alias_token_seconds, 1)?,
            csrf_check: switch(&set, "csrf_check", defaults.csrf_check)?,
        })
    }

    /// The idle life of a login session in milliseconds.
    pub fn idle_ms(&self) -> u64 {
        self.session_timeout_seconds.saturating_mul(1000)
    }

    pub(super) fn verify_rule(&self) -> VerifyRule {
        VerifyRule {
            remember_ms: self.verified_login_seconds.saturating_mul(1000),
            lock: LockRule { after_failures: self.lock_after_failures, for_ms: self.lock_seconds.saturating_mul(1000) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_required_and_changes_are_checked_unless_the_operator_says_otherwise() {
        let defaults = AuthSettings::from_lookup(|_| Some(" ".to_owned())).unwrap();
        assert!(!defaults.allow_guests && defaults.csrf_check);
        let lookup = |name: &str| match name {
            "require_login" | "csrf_check" => Some("false".to_owned()),
            "lock_after_failures" => Some("0".to_owned()),
            "alias_token_seconds" => Some(" 60 ".to_owned()),
            _ => None,
        };
        let settings = AuthSettings::from_lookup(lookup).unwrap();
        assert!(settings.allow_guests && !settings.csrf_check);
        assert_eq!((settings.lock_after_failures, settings.alias_token_seconds), (0, 60));
        for name in ["require_login", "lock_seconds", "lock_after_failures", "session_timeout_seconds"] {
            let error = AuthSettings::from_lookup(|asked| (asked == name).then(|| "-1".to_owned())).unwrap_err();
            assert_eq!(error.name, name);
        }
    }
}
