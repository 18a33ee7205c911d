//! The import service and the user cache.
