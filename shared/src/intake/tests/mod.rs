//! Tests of the intake as a whole: zips that are right, odd or hostile, built byte by byte or by other programs.

mod builder;
mod damage;
mod forms;
mod harness;
mod hostile;
mod limits;
mod output;
mod reading;
mod real;
