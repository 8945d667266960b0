//! Figures against independent computations, and what must hold of any figures.

mod daily;
mod golden;
mod property;
mod trades;
