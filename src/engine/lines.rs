//! Streams of JSON, a value a line: events, the progress of a pull, the answer of a wait.

use std::io::{self, BufRead, Read};
use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use super::{Error, broken};
use crate::http::{Body, Limit, Socket};

/// A longer line is not an engine's, and must not take all memory.
const LONGEST: u64 = 1 << 20;

/// The lines of a stream, read one at a time: an iterator that blocks.
#[derive(Debug)]
pub struct JsonLines<T> {
    call: String,
    body: Body<Socket>,
    line: Vec<u8>,
    of: PhantomData<T>,
}

impl<T> JsonLines<T> {
    pub(super) fn new(call: impl Into<String>, body: Body<Socket>) -> Self {
        Self { call: call.into(), body, line: Vec::new(), of: PhantomData }
    }

    /// How long the next line may take.
    pub(super) fn set_limit(&mut self, limit: Limit) {
        self.body.stream_mut().set_limit(limit);
    }
}

impl<T: DeserializeOwned> JsonLines<T> {
    /// The next line; one that the stream ends without is an error.
    pub(super) fn expect(&mut self) -> Result<T, Error> {
        let line = self.next();
        line.unwrap_or_else(|| Err(broken(self.call.clone(), io::ErrorKind::UnexpectedEof.into())))
    }
}

impl<T: DeserializeOwned> Iterator for JsonLines<T> {
    type Item = Result<T, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.line.clear();
            match (&mut self.body).take(LONGEST).read_until(b'\n', &mut self.line) {
                Ok(0) => return None,
                Ok(_) if self.line.trim_ascii().is_empty() => {}
                Ok(_) => {
                    let value = serde_json::from_slice(&self.line);
                    return Some(
                        value.map_err(|error| Error::Nonsense { call: self.call.clone(), what: error.to_string() }),
                    );
                }
                Err(source) => return Some(Err(broken(self.call.clone(), source))),
            }
        }
    }
}
