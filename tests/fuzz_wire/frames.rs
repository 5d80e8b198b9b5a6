//! Frames: what is put into them comes out again, wherever they are cut; and of any bytes no more comes out than went in.

use podlike::engine::{Frames, Stream};

use super::dice::Dice;
use super::mutator;

#[rustfmt::skip]
const FRAGMENTS: [&[u8]; 14] = [
    b"\x01\0\0\0\0\0\0\0", b"\x02\0\0\0\0\0\0\x01", b"\0\0\0\0\0\0\0\x04", b"\x03\0\0\0\0\0\x01\0", b"\x04\0\0\0\0\0\0\x01",
    b"\x01\0\0\0\xff\xff\xff\xff", b"\x01\x01\0\0\0\0\0\x01", b"\n", b"\r\n", b"\0", b"\x01", b"x", b"\xff\xfe", b"\x01\0\0\0\x7f\xff\xff\xff",
];

pub(crate) struct Output {
    corpus: Vec<Vec<u8>>,
    taken: u64,
}

type Content = [Vec<u8>; 2];

impl Output {
    pub(crate) fn new() -> Self {
        let frames = |pieces: &[(u8, &[u8])]| pieces.iter().flat_map(|(stream, piece)| frame(*stream, piece)).collect();
        let corpus = vec![
            frames(&[(1, b"one\n"), (2, b"two\n"), (1, b"three")]),
            frames(&[(1, b""), (2, b""), (0, b"zero\n"), (3, b"three\n")]),
            frames(&[(1, &[b'x'; 5000]), (2, &[b'y'; 300]), (1, b"\n")]),
            frames(&[(1, b"\xff\0\x01\0\0\0"), (1, b"\x02\0\0\0\0\0\0\x01z")]),
            Vec::new(),
        ];
        Self { corpus, taken: 0 }
    }
}

fn frame(stream: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).expect("short").to_be_bytes();
    [&[stream, 0, 0, 0], &length[..], content].concat()
}

/// What is in frames that are cut anywhere.
fn taken_apart(bytes: &[u8], dice: &mut Dice) -> Option<Content> {
    let mut content = Content::default();
    let mut frames = Frames::new();
    let mut left = bytes;
    while !left.is_empty() {
        let (mut piece, rest) = left.split_at(1 + dice.roll(left.len().min(100)));
        while let Some((stream, part)) = frames.next(&mut piece).ok()? {
            content[usize::from(stream == Stream::Err)].extend_from_slice(part);
        }
        left = rest;
    }
    Some(content)
}

impl super::Target for Output {
    const NAME: &'static str = "frames";
    const MUTANTS: u64 = 40_000;

    fn corpus(&self) -> usize {
        self.corpus.len()
    }

    fn mutant(&mut self, seed: u64) -> Vec<u8> {
        mutator::mutant(&self.corpus, &FRAGMENTS, &mut Dice::new(seed))
    }

    fn attempt(&mut self, mutant: &[u8], seed: u64) -> Result<(), String> {
        let mut dice = Dice::new(seed ^ 0x5eed);
        let (first, again) = (taken_apart(mutant, &mut dice), taken_apart(mutant, &mut dice));
        if first != again {
            return Err("another cut gives other content".to_owned());
        }
        if let Some([out, err]) = first {
            self.taken += 1;
            if out.len() + err.len() > mutant.len() {
                return Err("more comes out than went in".to_owned());
            }
        }
        let (mut framed, mut wanted, mut left) = (Vec::new(), Content::default(), mutant);
        while !left.is_empty() {
            let (piece, rest) = left.split_at(dice.roll(left.len() + 1).max(1));
            let stream = dice.roll(4);
            framed.extend(frame(u8::try_from(stream).expect("small"), piece));
            wanted[stream / 2].extend_from_slice(piece);
            left = rest;
        }
        if taken_apart(&framed, &mut dice) == Some(wanted) {
            Ok(())
        } else {
            Err("frames are no round trip".to_owned())
        }
    }

    fn deep(&self) -> u64 {
        self.taken
    }
}
