//! `POST /data/services/import` with the handler SI: what is taken, where it goes, what is answered.

mod destinations;
mod headers;
mod shapes;
