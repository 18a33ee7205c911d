//! Logging in, staying logged in, and what is open without.

mod logins;
mod sessions;
