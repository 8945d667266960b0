//! The limits, as tables of requests and answers.

mod budget;
