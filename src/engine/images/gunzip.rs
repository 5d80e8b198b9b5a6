//! Gzip (RFC 1952) around the decompressor: headers and several members in a row. The sums at the end of a member are passed
//! over: the engine, which reads all of the file, looks at them.

use std::io::{self, BufRead, Read};

use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};

/// A file name or a comment that is longer is none.
const LONGEST_TEXT: u64 = 64 << 10;

/// The flags of a header (RFC 1952, 2.3.1).
const SUM: u8 = 2;
const EXTRA: u8 = 4;
const NAME: u8 = 8;
const COMMENT: u8 = 16;

/// What is in a gzip file, as it is read.
pub(super) struct Gunzip<R> {
    source: R,
    state: Box<InflateState>,
    /// Whether the source stands amid a member.
    within: bool,
}

impl<R: BufRead> Gunzip<R> {
    /// Of a source that begins with a header.
    pub(super) fn new(source: R) -> Self {
        Self { source, state: InflateState::new_boxed(DataFormat::Raw), within: false }
    }

    fn skip(&mut self, length: u64) -> io::Result<()> {
        let skipped = io::copy(&mut self.source.by_ref().take(length), &mut io::sink())?;
        if skipped < length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    fn skip_text(&mut self) -> io::Result<()> {
        let mut text = Vec::new();
        self.source.by_ref().take(LONGEST_TEXT).read_until(0, &mut text)?;
        if text.ends_with(&[0]) { Ok(()) } else { Err(broken()) }
    }

    /// Reads the header of the next member; false at the end.
    fn begin(&mut self) -> io::Result<bool> {
        if self.source.fill_buf()?.is_empty() {
            return Ok(false);
        }
        let mut header = [0; 10];
        self.source.read_exact(&mut header)?;
        let [0x1f, 0x8b, 8, flags, ..] = header else { return Err(broken()) };
        if flags & EXTRA != 0 {
            let mut length = [0; 2];
            self.source.read_exact(&mut length)?;
            self.skip(u16::from_le_bytes(length).into())?;
        }
        for text in [NAME, COMMENT] {
            if flags & text != 0 {
                self.skip_text()?;
            }
        }
        if flags & SUM != 0 {
            self.skip(2)?;
        }
        self.state.reset(DataFormat::Raw);
        self.within = true;
        Ok(true)
    }
}

impl<R: BufRead> Read for Gunzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !buffer.is_empty() && (self.within || self.begin()?) {
            let input = self.source.fill_buf()?;
            let is_all = input.is_empty();
            let step = inflate(&mut self.state, input, buffer, MZFlush::None);
            self.source.consume(step.bytes_consumed);
            match step.status {
                Ok(MZStatus::StreamEnd) => {
                    // The sum and the size.
                    self.skip(8)?;
                    self.within = false;
                }
                Ok(_) | Err(MZError::Buf) if !is_all || step.bytes_written > 0 => {}
                Ok(_) | Err(MZError::Buf) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Err(_) => return Err(broken()),
            }
            if step.bytes_written > 0 {
                return Ok(step.bytes_written);
            }
        }
        Ok(0)
    }
}

fn broken() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "its compression is damaged")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, GzBuilder};

    use super::*;

    fn packed(content: &[u8]) -> Vec<u8> {
        let with_all = GzBuilder::new().filename("a name").comment("a comment").extra(vec![1, 2, 3]);
        let mut packer = with_all.write(Vec::new(), Compression::default());
        packer.write_all(content).and_then(|()| packer.finish()).expect("packed")
    }

    fn unpacked(packed: &[u8], capacity: usize) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        Gunzip::new(io::BufReader::with_capacity(capacity, packed)).read_to_end(&mut content)?;
        Ok(content)
    }

    /// Neither all the same nor without any order, and larger than the window.
    fn sample() -> Vec<u8> {
        let mut seed = 1_u32;
        let mut next = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            seed.to_le_bytes()[3] & 0x1f
        };
        (0..200_000).map(|_| next()).collect()
    }

    #[test]
    fn what_was_packed_is_unpacked_whatever_the_buffer() {
        let sample = sample();
        let packed = packed(&sample);
        for capacity in [1, 7, 4096, 1 << 20] {
            assert!(unpacked(&packed, capacity).expect("whole") == sample, "{capacity}");
        }
    }

    #[test]
    fn members_in_a_row_are_one_content() {
        let all = [packed(b"one "), packed(b""), packed(b"two")].concat();
        assert_eq!(unpacked(&all, 16).expect("whole"), b"one two");
    }

    #[test]
    fn what_is_cut_off_or_damaged_is_an_error() {
        let packed = packed(&sample());
        for length in (1..packed.len()).step_by(997).chain([packed.len() - 1]) {
            let error = unpacked(&packed[..length], 64).expect_err("cut off");
            assert!(matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData), "{error}");
        }
        assert_eq!(
            unpacked(&[packed.as_slice(), b"more"].concat(), 64).expect_err("no header").kind(),
            io::ErrorKind::UnexpectedEof
        );
        assert_eq!(
            unpacked(b"\x1f\x8b\x07\0\0\0\0\0\0\0", 64).expect_err("another method").kind(),
            io::ErrorKind::InvalidData
        );
        let endless = [b"\x1f\x8b\x08\x08\0\0\0\0\0\0".as_slice(), &vec![b'x'; 1 << 20]].concat();
        assert_eq!(unpacked(&endless, 64).expect_err("a name without end").kind(), io::ErrorKind::InvalidData);
    }
}
