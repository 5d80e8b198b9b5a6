//! The pen writes lines that may be made of many pieces, and keeps account of what cannot be written.

use std::io::{self, IoSlice, Write};

/// Writes on one page.
#[derive(Debug, Default)]
pub(super) struct Pen {
    /// Bytes that could not be written, since it was told last.
    pub(super) lost: u64,
    /// What was written last lacks its line end.
    torn: bool,
}

impl Pen {
    /// Writes text that ends a line, or only begins one; `goes_on` where it belongs to the line that the last one began.
    /// False where something of it is lost.
    pub(super) fn write(
        &mut self,
        mut to: impl Write,
        mut text: &mut [IoSlice<'_>],
        goes_on: bool,
        ends: bool,
    ) -> bool {
        if self.torn
            && !goes_on
            && let Err(error) = to.write_all(b"\n")
        {
            return self.lose(text, &error);
        }
        self.torn = goes_on;
        // Empty pieces at the start would look as if nothing can be written.
        IoSlice::advance_slices(&mut text, 0);
        while !text.is_empty() {
            match to.write_vectored(text) {
                Ok(0) => return self.lose(text, &io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    IoSlice::advance_slices(&mut text, written);
                    self.torn = !text.is_empty() || !ends;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return self.lose(text, &error),
            }
        }
        if self.lost > 0 {
            log::warn!("the output of the components goes on, {} bytes of it were lost", self.lost);
            self.lost = 0;
        }
        true
    }

    /// Takes account of what cannot be written.
    pub(super) fn lose(&mut self, text: &[IoSlice<'_>], error: &io::Error) -> bool {
        if self.lost == 0 {
            log::warn!("the output of the components is lost, it cannot be written: {error}");
        }
        self.lost += text.iter().map(|piece| piece.len() as u64).sum::<u64>();
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes so many bytes, and no more until it has room again.
    struct Disk {
        room: usize,
        written: Vec<u8>,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(self.room);
            if taken == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.room -= taken;
            self.written.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn write(pen: &mut Pen, disk: &mut Disk, pieces: [&str; 2], goes_on: bool, ends: bool) -> bool {
        pen.write(disk, &mut pieces.map(|piece| IoSlice::new(piece.as_bytes())), goes_on, ends)
    }

    #[test]
    fn what_a_full_disk_does_not_take_is_counted_and_lines_stay_whole_when_it_has_room_again() {
        let (mut disk, mut pen) = (Disk { room: 8, written: Vec::new() }, Pen::default());
        assert!(!write(&mut pen, &mut disk, ["one\ntw", "o three\n"], false, true));
        assert!(!write(&mut pen, &mut disk, ["fo", "ur\n"], false, true));
        assert_eq!((pen.lost, pen.torn), (6 + 5, true));
        disk.room = 100;
        assert!(write(&mut pen, &mut disk, ["fi", "ve\n"], false, true));
        assert_eq!((pen.lost, pen.torn), (0, false));
        assert_eq!(disk.written, b"one\ntwo \nfive\n");
    }

    #[test]
    fn a_line_that_goes_on_is_one_line_and_another_one_ends_it() {
        let (mut disk, mut pen) = (Disk { room: 100, written: Vec::new() }, Pen::default());
        write(&mut pen, &mut disk, ["a long", " line"], false, false);
        write(&mut pen, &mut disk, [" goes", " on"], true, false);
        write(&mut pen, &mut disk, ["another", "\n"], false, true);
        assert_eq!(disk.written, b"a long line goes on\nanother\n");
    }
}
