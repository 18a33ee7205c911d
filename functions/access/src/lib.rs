//! Login, accounts, and what clients ask for when they connect.
