//! Templates of a stack.

mod fetch;

pub use fetch::{Error as FetchError, Fetch};
