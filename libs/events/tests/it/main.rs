//! What is written once decodes for ever: the frozen bodies of every kind and version, and the codec.

mod codec;
mod every;
mod frozen;
mod identity;
mod routing;
mod samples;
mod words;
