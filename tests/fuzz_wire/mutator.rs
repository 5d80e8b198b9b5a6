//! Seed → bytes: a part of a corpus, some of its bytes changed.

use super::dice::Dice;

/// No mutant is longer, in bytes.
const LONGEST: usize = 64 << 10;

/// Makes a mutant of one or two of the corpus, with what is at an edge for those who read it.
pub(crate) fn mutant(corpus: &[Vec<u8>], fragments: &[&[u8]], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = dice.pick(corpus).clone();
    if dice.one_in(4) {
        let other = dice.pick(corpus);
        let (cut, from) = (place(&bytes, dice), place(other, dice));
        bytes.truncate(cut);
        bytes.extend_from_slice(&other[from..]);
    }
    for _ in 0..dice.roll(6) {
        edit(&mut bytes, fragments, dice);
    }
    bytes.truncate(LONGEST);
    bytes
}

fn place(bytes: &[u8], dice: &mut Dice) -> usize {
    dice.roll(bytes.len() + 1)
}

fn edit(bytes: &mut Vec<u8>, fragments: &[&[u8]], dice: &mut Dice) {
    let at = place(bytes, dice);
    let end = (at + 1 + dice.roll(16)).min(bytes.len());
    match dice.roll(8) {
        0 => bytes.truncate(at),
        1 => drop(bytes.drain(at..end)),
        2 => {
            let copied = bytes[at..end].repeat(1 + dice.roll(40));
            let to = place(bytes, dice);
            drop(bytes.splice(to..to, copied));
        }
        3 if at < bytes.len() => bytes[at] ^= 1 << dice.roll(8),
        4 if at < bytes.len() => {
            bytes[at] = *dice.pick(&[0, 1, b' ', b'\n', b'\r', b'0', b'9', b'f', 0x7f, 0x80, 0xff]);
        }
        5 => drop(bytes.splice(at..end, dice.pick(fragments).iter().copied())),
        _ => {
            let fragment = dice.pick(fragments).to_vec();
            drop(bytes.splice(at..at, fragment));
        }
    }
}
