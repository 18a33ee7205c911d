//! Tests of the intake as a whole: archives that are right, odd or hostile, built byte by byte or by other programs.

mod builder;
mod compressed;
mod damage;
mod forms;
mod harness;
mod hostile;
mod limits;
mod output;
mod reading;
mod real;
mod real_compressed;
mod tar_builder;
mod tar_forms;
mod tar_harness;
mod tar_hostile;
mod xz_samples;
