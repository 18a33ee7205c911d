//! Refreshing archive catalogs.
