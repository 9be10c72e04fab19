//! Protection and its audit: properties, traps, and releases broken on purpose.

mod country;
mod mutations;
mod properties;
mod quality;
mod synthetic;
mod traps;
mod undecided;
mod units;
mod weights;
