//! One test binary for everything.

mod http;
