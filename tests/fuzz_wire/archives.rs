//! Archives of images in the folder of `-images`: read or refused, in memory that does not grow with what they claim.

use std::fs;

use podlike::engine::{Reference, Shelf};
use tempfile::TempDir;

use super::archives_of_images::{file, gzipped};
use super::dice::Dice;
use super::guard;
use super::mutator;

/// What a process holds while archives are looked into, in KiB: a manifest may have 4 MiB, and JSON takes more.
const MEMORY: usize = 300 << 10;

#[rustfmt::skip]
const FRAGMENTS: [&[u8]; 18] = [
    b"manifest.json", b"./manifest.json", b"../manifest.json", b"/manifest.json", b"ustar\0", b"77777777777\0", b"00000000000\0",
    b"\x80\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", b"x", b"g", b"L", b"2",
    b"20 size=18446744073709551615\n", b"11 size=99\n", b"[{\"RepoTags\":null}]", b"\x1f\x8b\x08\0", b"\x28\xb5\x2f\xfd",
];

pub(crate) struct Archives {
    corpus: Vec<Vec<u8>>,
    folder: TempDir,
    taken: u64,
}

impl Archives {
    pub(crate) fn new() -> Self {
        let tagged = br#"[{"Config": "c0ffee.json", "RepoTags": ["demo:1", "h:1/x/y:z"], "Layers": ["a/layer.tar"]}]"#;
        let long = [b"30 mtime=1700000000.123456789\n".as_slice(), b"12 size=512\n"].concat();
        let with = |entries: &[(&str, u8, &[u8])]| {
            let mut archive = tar::Builder::new(Vec::new());
            for (name, kind, content) in entries {
                let mut header = tar::Header::new_ustar();
                header.set_size(content.len() as u64);
                header.set_entry_type(tar::EntryType::new(*kind));
                archive.append_data(&mut header, name, *content).expect("an entry");
            }
            archive.into_inner().expect("an archive")
        };
        let plain = [
            with(&[("manifest.json", b'0', tagged)]),
            with(&[("a/layer.tar", b'0', &[7; 2000]), ("manifest.json", b'0', tagged)]),
            with(&[("x", b'x', &long), ("layer", b'0', &[1; 512]), ("./manifest.json", b'0', tagged)]),
            with(&[("manifest.json", b'0', b"[{\"Config\":\"blobs/sha256/00\",\"RepoTags\":null}]")]),
            with(&[("folder", b'5', b""), ("index.json", b'0', b"{}")]),
        ];
        let packed: Vec<_> = plain.iter().map(|archive| gzipped(archive)).collect();
        let folder = tempfile::tempdir().expect("a folder");
        Self { corpus: plain.into_iter().chain(packed).collect(), folder, taken: 0 }
    }
}

/// Makes the sums of all headers right again: else every mutant would be refused for them.
fn with_sums(bytes: &mut [u8]) {
    for block in bytes.as_chunks_mut::<512>().0 {
        if block[257..262] == *b"ustar" {
            block[148..156].fill(b' ');
            let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
            block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
    }
}

impl super::Target for Archives {
    const NAME: &'static str = "archives";
    const MUTANTS: u64 = 15_000;

    fn corpus(&self) -> usize {
        self.corpus.len()
    }

    fn mutant(&mut self, seed: u64) -> Vec<u8> {
        let mut dice = Dice::new(seed);
        let (plain, packed) = self.corpus.split_at(self.corpus.len() / 2);
        match dice.roll(4) {
            0 => mutator::mutant(packed, &FRAGMENTS, &mut dice),
            kind => {
                let mut bytes = mutator::mutant(plain, &FRAGMENTS, &mut dice);
                if kind > 1 {
                    with_sums(&mut bytes);
                }
                if kind > 2 { gzipped(&bytes) } else { bytes }
            }
        }
    }

    fn attempt(&mut self, mutant: &[u8], _: u64) -> Result<(), String> {
        let path = file(self.folder.path(), "images.tar", mutant);
        let wanted = Reference::parse("demo:1");
        let images = Shelf::open(self.folder.path()).map_err(|error| error.to_string())?;
        let found: Vec<_> = images.archives_of(&wanted).collect();
        if !found.is_empty() {
            self.taken += 1;
        }
        if found.iter().any(|found| **found != path) {
            return Err(format!("found elsewhere: {found:?}"));
        }
        fs::remove_file(path).map_err(|error| error.to_string())?;
        let memory = guard::memory().peak;
        if memory > MEMORY { Err(format!("{memory} KiB were held")) } else { Ok(()) }
    }

    fn deep(&self) -> u64 {
        self.taken
    }
}
