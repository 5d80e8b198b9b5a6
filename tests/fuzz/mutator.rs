//! Seed → mutant: a case of the corpus, its trees changed where keys and values stand, its texts where they are only text.

use std::collections::BTreeMap;

use podlike::pod::{Class, KEYS};
use serde_json::{Map, Value, json};

use super::corpus::{Corpus, Entry, SECRET, World, sort, tree};
use super::dice::Dice;

/// The texts of a mutant are not longer together, in bytes.
pub(crate) const LONGEST: usize = 64 << 10;

/// What YAML, Compose and files of variables make something of.
#[rustfmt::skip]
const FRAGMENTS: &[&str] = &[
    "&a ", "*a", "<<: *a", "<<: [*a, *a]", "&a [*a]", "!!str ", "!!binary ", "!x ", "!<tag:x> ", "---\n", "...\n",
    "--- ", "%YAML 1.2\n", "%TAG ! x\n", "|\n", "|2-\n", ">\n", ">+9\n", "|0\n", "? ", "? [a]\n: b", "- ", "-", ": ",
    ":", ",", "[", "]", "{", "}", "{}", "[]", "'", "\"", "''", "\"\\x41\\u00e9\\U0010FFFF\"", "\"\\ud800\"",
    "\"\\q\"", "#", " #", "\\", "\n", "\r\n", "\r", "\n\n\n", "\t", "\t- x\n", " ", "  ", "    ", "\u{feff}", "\0",
    "\u{85}", "\u{2028}", "\u{a0}", "é", "e\u{301}\u{301}", "👩‍👩‍👧‍👦", "\u{fffd}", "\u{d7ff}\u{e000}", "\u{202e}",
    "\u{10ffff}", "\u{7f}", "\u{1b}[31m", "~", "null", "yes", "NO", "0", "-0", "0x7fffffffffffffff",
    "-9223372036854775808", "18446744073709551616", "1e999", "-1e-999", ".inf", ".nan", "0o777", "08", "1_000",
    "99999999999999999999999999999999999999h", "-1s", "1.7976931348623157e308", "$", "$$", "${", "${A", "${A:-",
    "${A:?no}", "${A:+${B:-${C}}}", "$A$A$A", "${LONG}", "export A=", "A='\n", "A=\"$A$A\"\n", "=", "=\n",
];

/// Scalars that are at an edge somewhere.
#[rustfmt::skip]
const SCALARS: [&str; 40] = [
    "", " ", "~", "/", ".", "..", "../../..", "~/", ":", "::", "a:b", "/a:/b", "/a:/b:ro,z,nocopy", "/a:/b:rshared",
    "service:db", "service:", "container:x", "host", "private", "none", "all", "-1", "0", "1", "9223372036854775807",
    "-9223372036854775808", "0.000000001", "1e300", "64m", "0x10", "0777", "1h", "1ns", "every_99999w", "daily",
    "SIGRTMIN", "NONE", "seccomp=/seccomp.json", "a=b=c", "=a",
];

/// Makes the mutant of a seed.
pub(crate) fn mutant(corpus: &Corpus, seed: u64) -> World {
    let mut dice = Dice::new(seed);
    let mut mutator = Mutator { corpus, dice: &mut dice };
    let mut world = match mutator.dice.roll(10) {
        0 => mutator.secret(),
        1..=4 => mutator.made_up(),
        _ => corpus.world(mutator.dice),
    };
    if !world.is_secret {
        if mutator.dice.one_in(3) {
            mutator.trees(&mut world);
        }
        if mutator.dice.one_in(3) {
            mutator.texts(&mut world);
        }
        if mutator.dice.one_in(4) {
            mutator.as_document(&mut world);
        }
        if mutator.dice.one_in(6) {
            mutator.labels(&mut world);
        }
    }
    if mutator.dice.one_in(2) {
        world.profiles = ["full", "web", ""].map(str::to_owned).to_vec();
    }
    cut(&mut world);
    world
}

/// Leaves no more of the texts than may be.
fn cut(world: &mut World) {
    let mut left = LONGEST;
    for text in world.texts() {
        text.truncate(text.floor_char_boundary(left));
        left -= text.len();
    }
}

struct Mutator<'a> {
    corpus: &'a Corpus,
    dice: &'a mut Dice,
}

impl Mutator<'_> {
    /// Changes texts that are trees as such.
    fn trees(&mut self, world: &mut World) {
        let edits = 1 + self.dice.roll(3);
        for _ in 0..edits {
            let mut texts = world.texts();
            if texts.is_empty() {
                return;
            }
            let at = self.dice.roll(texts.len());
            let Some(mut value) = tree(texts[at]) else { continue };
            self.edit(&mut value, "", 0);
            *texts[at] = self.written(&value);
        }
    }

    fn written(&mut self, value: &Value) -> String {
        match self.dice.roll(4) {
            0 => value.to_string(),
            1 => serde_json::to_string_pretty(value).expect("a text"),
            _ => serde_yaml::to_string(value).expect("a text"),
        }
    }

    /// Changes something in a tree, which stands behind a key.
    fn edit(&mut self, value: &mut Value, behind: &str, depth: usize) {
        let deeper = !self.dice.one_in(3) && depth < 8;
        match value {
            Value::Object(entries) if deeper && !entries.is_empty() => {
                let key = self.key_of(entries);
                self.edit(entries.get_mut(&key).expect("a key of it"), &key, depth + 1);
            }
            Value::Array(items) if deeper && !items.is_empty() => {
                let at = self.dice.roll(items.len());
                self.edit(&mut items[at], behind, depth + 1);
            }
            Value::Object(entries) => self.edit_entries(entries, behind),
            Value::Array(items) => match self.dice.roll(8) {
                4 => self.grow(items),
                0 => items.push(self.value()),
                1 => items.extend(items.clone()),
                2 => items.truncate(1),
                3 => *value = self.value(),
                _ => *value = self.value_of(behind),
            },
            _ => match self.dice.roll(12) {
                0 => *value = json!([value]),
                1 => *value = json!({ "a": value }),
                2 => *value = Value::String(value.to_string()),
                3 => *value = Value::String(format!("{}{}", self.scalar(), value.as_str().unwrap_or_default())),
                4 | 5 => *value = self.value(),
                6 => *value = Value::String(self.scalar()),
                _ => *value = self.value_of(behind),
            },
        }
    }

    fn edit_entries(&mut self, entries: &mut Map<String, Value>, behind: &str) {
        match self.dice.roll(12) {
            0 if !entries.is_empty() => {
                let key = self.key_of(entries);
                entries.remove(&key);
            }
            1 if !entries.is_empty() => {
                let key = self.key_of(entries);
                let value = entries.remove(&key).expect("a key of it");
                entries.insert(self.key(), value);
            }
            2 if !entries.is_empty() => {
                let key = self.key_of(entries);
                entries.insert(key, self.value());
            }
            3 => {
                let key = self.key();
                entries.insert(key, self.value());
            }
            4 => {
                let Entry { key, value, .. } = self.dice.pick(&self.corpus.pool);
                entries.insert(key.clone(), value.clone());
            }
            5 => {
                // Many of a kind.
                let value = self.value();
                for number in 0..1 << self.dice.roll(11) {
                    entries.insert(format!("A{number}"), value.clone());
                }
            }
            6 | 7 if !entries.is_empty() => {
                let key = self.key_of(entries);
                let value = self.value_of(&key);
                entries.insert(key, value);
            }
            _ => {
                let sort = sort(entries, behind);
                let pool = &self.corpus.pool;
                let fitting: Vec<&Entry> = pool.iter().filter(|entry| entry.of == sort).collect();
                if !fitting.is_empty() {
                    let Entry { key, value, .. } = self.dice.pick(&fitting);
                    entries.insert(key.clone(), value.clone());
                }
            }
        }
    }

    /// Makes a list long, of entries that are alike.
    fn grow(&mut self, items: &mut Vec<Value>) {
        if let Some(Value::String(first)) = items.first().cloned() {
            let many = 1 << self.dice.roll(12);
            let at = self.dice.place(&first);
            items.extend((0..many).map(|number| json!(format!("{}{number}{}", &first[..at], &first[at..]))));
        }
    }

    /// A value that this key has somewhere, or any.
    fn value_of(&mut self, key: &str) -> Value {
        let pool = &self.corpus.pool;
        let fitting: Vec<&Value> = pool.iter().filter(|entry| entry.key == key).map(|entry| &entry.value).collect();
        if fitting.is_empty() { self.value() } else { (*self.dice.pick(&fitting)).clone() }
    }

    fn key_of(&mut self, entries: &Map<String, Value>) -> String {
        let at = self.dice.roll(entries.len());
        entries.keys().nth(at).expect("as many as it has").clone()
    }

    fn key(&mut self) -> String {
        match self.dice.roll(3) {
            0 => self.dice.pick(&KEYS).0.to_owned(),
            1 => self.dice.pick(&self.corpus.pool).key.clone(),
            _ => self.scalar(),
        }
    }

    fn value(&mut self) -> Value {
        match self.dice.roll(8) {
            0 => Value::String(self.scalar()),
            1 => json!(self.dice.pick(&[i64::MAX, i64::MIN, 0, -1, 1, 1 << 40])),
            2 => Value::Null,
            3 => json!(self.dice.one_in(2)),
            _ => self.dice.pick(&self.corpus.pool).value.clone(),
        }
    }

    fn scalar(&mut self) -> String {
        match self.dice.roll(12) {
            0 => self.dice.word(FRAGMENTS).to_owned(),
            1 => self.dice.word(FRAGMENTS).repeat(1 + self.dice.roll(300)),
            2 => "x".repeat(self.dice.roll(20_000)),
            _ => self.dice.word(&SCALARS).to_owned(),
        }
    }

    /// A pod of services whose keys have values that these keys have somewhere.
    fn made_up(&mut self) -> World {
        let names = ["app", "db", "web", "init-1", "base"];
        let mut labels = BTreeMap::new();
        for name in &names[..=self.dice.roll(4)] {
            let mut service = Map::new();
            service.insert("image".to_owned(), json!("demo/app:1"));
            for _ in 0..self.dice.roll(16) {
                let (key, class) = self.dice.pick(&KEYS);
                if *class != Class::Supported && !self.dice.one_in(8) {
                    continue;
                }
                let mut value = self.value_of(key);
                match self.dice.roll(24) {
                    0 => value = Value::String(self.scalar()),
                    1 => value = self.value(),
                    2 | 3 => self.edit(&mut value, key, 0),
                    _ => {}
                }
                service.insert((*key).to_owned(), value);
            }
            labels.insert(format!("pod.component.{name}"), self.written(&Value::Object(service)));
        }
        if self.dice.one_in(3) {
            labels.insert(
                "pod.copy.app".to_owned(),
                "- ~/a:/b\n- {source: x, target: /y/, mode: 0640, uid: 1}\n".to_owned(),
            );
            labels.insert("pod.volume.data".to_owned(), "{medium: memory, size: 16m}".to_owned());
        }
        if self.dice.one_in(3) {
            let files =
                self.corpus.worlds.iter().find(|world| !world.files.is_empty()).map(|world| world.files.clone());
            return World { labels, files: files.unwrap_or_default(), ..World::default() };
        }
        World { labels, ..World::default() }
    }

    /// A project with secrets, everything but them changed.
    fn secret(&mut self) -> World {
        // What looks like a variable is told by its name, but not of a secret: a "$" stands before nothing else.
        const AROUND: [&str; 24] = [
            "$", "${", "", "", "", "", "'", "\"", "\\", "$$", "#", " #", ": ", "- ", "\t", "\n", "}", "{", "é", "=",
            "%", "@", "\0", "\u{feff}",
        ];
        let mut around = |what: &str, from: usize| {
            let (before, after) = (self.dice.word(&AROUND[from..]), self.dice.word(&AROUND[from..]));
            format!("{before}{what}{after}")
        };
        // In a file of pairs, what stands on a line of its own is a key.
        let env = format!("A=1\nPASSWORD={}\nB=2\n", around(SECRET, 2).replace('\n', ""));
        let raw = format!("{}={}\n", around("PASSWORD", 0), around(SECRET, 2).replace('\n', ""));
        let pair = format!("{}={}", around("PASSWORD", 0), around(SECRET, 2));
        let mut content = Value::String(around(SECRET, 0));
        let mut note = Value::String(around(SECRET, 2));
        let mut value = Value::String(around(SECRET, 2));
        for wrapped in [&mut content, &mut note, &mut value] {
            match self.dice.roll(8) {
                0 => *wrapped = json!([wrapped]),
                1 => *wrapped = json!({ "a": wrapped }),
                _ => {}
            }
        }
        let mut root = json!({
            "services": {"app": {
                "image": "x", "env_file": ["/app.env", {"path": "/raw.env", "format": "raw"}],
                "secrets": ["password", {"source": "token", "target": "t"}], "configs": ["note"],
            }},
        });
        for _ in 0..self.dice.roll(3) {
            let Entry { key, value, .. } = self.dice.pick(&self.corpus.pool);
            // A service that is drawn in would take the secret where it is none.
            if key != "extends" && !value.to_string().contains("TOKEN") {
                root["services"]["app"][key.as_str()] = value.clone();
            }
        }
        let environment = if self.dice.one_in(2) { json!([pair]) } else { json!({"PASSWORD": value}) };
        let app = &mut root["services"]["app"];
        app["environment"] = environment;
        for (section, name, content) in [("secrets", "password", content), ("configs", "note", note)] {
            let mut entry = json!({"content": content});
            if self.dice.one_in(3) {
                let Entry { key, value, .. } = self.dice.pick(&self.corpus.pool);
                entry[key.as_str()] = value.clone();
            }
            entry["content"] = content;
            root[section][name] = entry;
        }
        root["secrets"]["token"] = json!({"environment": "TOKEN"});
        let files = [("/compose.yml", root.to_string()), ("/app.env", env), ("/raw.env", raw)];
        World {
            labels: [("pod.compose.file".to_owned(), "/compose.yml".to_owned())].into(),
            files: files.map(|(path, text)| (path.to_owned(), text)).into(),
            is_secret: true,
            ..World::default()
        }
    }

    /// Changes texts as what they are to nobody but us.
    fn texts(&mut self, world: &mut World) {
        let other = self.dice.pick(&self.corpus.worlds).clone().texts().first().map(|text| (*text).clone());
        let edits = 1 + self.dice.roll(5);
        for _ in 0..edits {
            let mut texts = world.texts();
            if texts.is_empty() {
                return;
            }
            let at = self.dice.roll(texts.len());
            let text = &mut *texts[at];
            if text.len() > LONGEST {
                return;
            }
            self.text(text, other.as_deref().unwrap_or_default());
        }
    }

    fn text(&mut self, text: &mut String, other: &str) {
        match self.dice.roll(14) {
            0..=3 => {
                let at = self.dice.place(text);
                text.insert_str(at, self.dice.word(FRAGMENTS));
            }
            4 => {
                let at = self.dice.place(text);
                let many = 1 << self.dice.roll(14);
                text.insert_str(at, &self.dice.word(FRAGMENTS).repeat(many));
            }
            5 => {
                let (from, to) = self.range(text);
                text.replace_range(from..to, "");
            }
            6 => {
                let (from, to) = self.range(text);
                let part = text[from..to].repeat(1 + self.dice.roll(20));
                let at = self.dice.place(text);
                text.insert_str(at, &part);
            }
            7 => {
                let at = self.dice.place(text);
                text.truncate(at);
                text.push_str(&other[self.dice.place(other)..]);
            }
            8 => {
                // A line with another indentation.
                let starts: Vec<usize> =
                    [0].into_iter().chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
                let at = *self.dice.pick(&starts);
                if self.dice.one_in(2) {
                    text.insert_str(at, self.dice.word(&[" ", "  ", "\t", "   \t", "- "]));
                } else if text[at..].starts_with(' ') {
                    text.remove(at);
                }
            }
            9 => {
                let lines = self.dice.word(&["\r\n", "\r", "\n\n", "\n  ", "\u{85}"]);
                *text = text.replace('\n', lines);
            }
            10 => {
                let many = 1 + self.dice.roll(300);
                let (open, close) = *self.dice.pick(&[
                    ("[", "]"),
                    ("{a: ", "}"),
                    ("- ", ""),
                    ("? ", ""),
                    ("${A:-", "}"),
                    ("[{a: [", "]}]"),
                    ("&a [", "]"),
                ]);
                let (from, to) = self.range(text);
                text.insert_str(to, &close.repeat(many));
                text.insert_str(from, &open.repeat(many));
            }
            11 => {
                // Another value behind a colon.
                let colons: Vec<usize> = text.match_indices(": ").map(|(at, _)| at + 2).collect();
                if !colons.is_empty() {
                    let at = *self.dice.pick(&colons);
                    let end = text[at..].find([',', '\n', '}', ']']).map_or(text.len(), |length| at + length);
                    let value = if self.dice.one_in(2) { self.scalar() } else { self.value().to_string() };
                    text.replace_range(at..end, &value);
                }
            }
            12 => {
                let many = self.dice.roll(400);
                for number in 0..many {
                    let line: String = match number % 4 {
                        0 => format!("x-{number}: &a{number} {{a: 1}}\n"),
                        1 => format!("k{number}: {number}\n"),
                        2 => format!("A{number}=$A{}$A{}\n", number - 1, number - 1),
                        _ => format!("<<: *a{}\n", number - 3),
                    };
                    text.push_str(&line);
                }
            }
            _ => text.insert_str(0, self.dice.word(&["\u{feff}", "---\n", "--- ", "# x\n", "a: &a\n", "\n"])),
        }
    }

    fn range(&mut self, text: &str) -> (usize, usize) {
        let (a, b) = (self.dice.place(text), self.dice.place(text));
        (a.min(b), a.max(b))
    }

    /// Other keys of labels, and more of them.
    fn labels(&mut self, world: &mut World) {
        const NAMES: [&str; 16] = [
            "pod.component.app",
            "pod.component.",
            "pod.component.a b",
            "pod.container.old",
            "pod.init.components",
            "pod.compose.file",
            "pod.copy.app",
            "pod.copy.nobody",
            "pod.volume.data",
            "pod.volume.é",
            "pod.componnt.x",
            "pods.comp",
            "pod.é",
            "pod",
            "",
            "com.docker.x",
        ];
        let other = self.dice.pick(&self.corpus.worlds).labels.clone();
        for (key, text) in other {
            let key = if self.dice.one_in(2) { key } else { self.dice.word(&NAMES).to_owned() };
            world.labels.insert(key, text);
        }
    }

    /// Makes the labels a text for `podlike validate`.
    fn as_document(&mut self, world: &mut World) {
        let block = |text: &str, indent: &str| {
            let lines: Vec<&str> = text.lines().collect();
            format!("|\n{indent}{}\n", lines.join(&format!("\n{indent}")))
        };
        let list = |lead: &str, indent: &str| {
            let entry = |(key, text): (&String, &String)| format!("{lead}{key}: {}", block(text, indent));
            world.labels.iter().map(entry).collect::<Vec<_>>().concat()
        };
        let lines = |lead: &str| {
            let line = |(key, text): (&String, &String)| format!("{lead}{key}={}\n", text.replace('\n', " "));
            world.labels.iter().map(line).collect::<Vec<_>>().concat()
        };
        let document = match self.dice.roll(6) {
            0 => list("", "  "),
            1 => lines(""),
            2 => format!("services:\n  web:\n    image: podlike\n    labels:\n{}", list("      ", "        ")),
            3 => format!("services:\n  web:\n    labels:\n{}", lines("      - ")),
            4 => serde_json::to_string(&world.labels).expect("a text"),
            _ => match world.files.values().next() {
                Some(text) => text.clone(),
                None => format!("services: {}", serde_json::to_string(&world.labels).expect("a text")),
            },
        };
        world.document = Some(document);
        if self.dice.one_in(3) {
            self.texts(world);
        }
    }
}
