//! Projects and their settings.
