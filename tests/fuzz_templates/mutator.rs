//! Seed → template: one of the corpus with changes, or one that is made up of what the language has.

use super::corpus::{Answer, Case};
use super::dice::Dice;

/// No mutant is longer, in bytes.
pub(crate) const LONGEST: usize = 16 << 10;

/// What the lexer makes something of.
#[rustfmt::skip]
const FRAGMENTS: &[&str] = &[
    "{{", "}}", "{{-", "-}}", "{{- ", " -}}", "{{/*", "*/}}", "{{- /*", "*/ -}}", "(", ")", "((", "|", ":=", "=", ",", ".",
    "..", "$", "$x", "$.", "\"", "`", "'", "\\", "\n", "\r\n", "\t", " ", "-", "+", "%", "{", "}", "_", "é", "世", "\0",
    "\u{feff}", "\u{a0}", "\u{10ffff}", "\u{e000}", "{{if", "{{else", "{{else if", "{{else with", "{{end}}", "{{range",
    "{{with", "{{define", "{{template", "{{block", "{{break}}", "{{continue}}", "{{include", "{{ end }}", "nil", "true",
    "false", "if", "end", "range", "break", "/*", "*/", "'a'", "'\\x", "\"\\u", "0x", "1e", "1_", "0b", ".5",
];

/// Values as they are written.
#[rustfmt::skip]
const LITERALS: &[&str] = &[
    "0", "1", "-1", "2", "3", "7", "007", "0x10", "1_000", "'a'", "'\\n'", "9223372036854775807", "-9223372036854775808",
    "4294967296", "1000000", "1000001", "0.0", "-0.0", "1.5", "1e3", "1e308", "5e-324", "0x1p-2",
    "\"\"", "\"x\"", "\"a b\"", "\"é世\"", "\"\\n\"", "\"\\x00\"", "`raw`", "`<\"&'>`", "true", "false", "nil",
    "\"42\"", "\"deeper\"", "\"k\"",
];

/// Values of the data.
#[rustfmt::skip]
const FIELDS: &[&str] = &[
    ".", "$", ".int", ".negative", ".zero", ".big", ".float", ".round", ".million", ".tiny", ".huge", ".text", ".empty",
    ".unicode", ".markup", ".lines", ".yes", ".no", ".nil", ".missing", ".missing.more", ".list", ".words", ".mixed", ".none",
    ".map", ".nothing", ".holes", ".holes.nil", ".keys", ".deep", ".deep.deeper.deepest", ".ports", ".names", ".pairs",
    ".counts", ".wait", ".port", ".Service", ".Service.Name", ".Service.Ports", ".Service.Labels", ".Service.Environment",
    ".Service.Environment.SET", ".Service.Environment.UNSET", ".Service.Deploy", ".Service.Deploy.Replicas",
    ".Service.Deploy.Limits", ".Service.HealthCheck", ".Service.HealthCheck.Retries", ".Service.Logging",
    ".Service.Logging.Driver", ".Service.Grace", ".Service.Delay", ".Service.Delay.Seconds", ".Service.Memory",
    ".Service.Unknown", ".Project", ".Project.Version", "$.list", "$.text", "$.Service.Ports", "$x", "$y", "$x.y",
];

/// What makes [`FIELDS`] of the variables among them.
const VARIABLES: &str = "{{ $x := .deep }}{{ $y := .list }}";

/// Functions, with the number of arguments that suits them.
#[rustfmt::skip]
const FUNCTIONS: &[(&str, usize)] = &[
    ("and", 2), ("or", 2), ("not", 1), ("eq", 2), ("ne", 2), ("lt", 2), ("le", 2), ("gt", 2), ("ge", 2), ("eq", 3),
    ("index", 2), ("index", 3), ("slice", 2), ("slice", 3), ("slice", 4), ("len", 1), ("print", 2), ("println", 1),
    ("printf", 0), ("html", 1), ("js", 1), ("urlquery", 1), ("upper", 1), ("repeat", 2), ("concat", 2),
    ("list", 3), ("same", 1), ("include", 2),
];

/// Parts of formats.
#[rustfmt::skip]
const FORMATS: &[&str] = &[
    "%", "%%", "%v", "%+v", "%#v", "%T", "%d", "%s", "%q", "%x", "%X", "%o", "%O", "%b", "%c", "%U", "%e", "%E", "%f", "%F",
    "%g", "%G", "%t", "%p", "%w", "%z", "%!", "%5", "%-", "%+", "%#", "% ", "%0", "%.", "%.3", "%8.3", "%-8", "%08", "%*",
    "%.*", "%*.*", "%[1]", "%[2]", "%[3]*", "%[", "%[0]", "%[9]", "%99", "%9999999", "%.99", "d", "s", "v", "q", "x", "f",
    "g", "U", "c", "*", "]", "é", " ", "text",
];

/// Changes and makes templates.
pub(crate) struct Mutator {
    /// Those of the corpus that have an output, and those that have none.
    good: Vec<String>,
    bad: Vec<String>,
}

impl Mutator {
    pub(crate) fn new(cases: &[Case]) -> Self {
        let (good, bad) = cases.iter().partition::<Vec<&Case>, _>(|case| matches!(case.answer, Answer::Output(_)));
        let texts = |cases: Vec<&Case>| cases.into_iter().map(|case| case.template.clone()).collect();
        Self { good: texts(good), bad: texts(bad) }
    }

    /// The mutant of a seed.
    pub(crate) fn mutant(&self, seed: u64) -> String {
        let mut dice = Dice::new(seed);
        let mut maker = Maker { mutator: self, dice: &mut dice };
        let mut text = match maker.dice.roll(3) {
            0 => maker.body(0),
            1 => maker.case(),
            _ => maker.case() + &maker.body(1),
        };
        if !maker.dice.one_in(4) {
            text.insert_str(0, VARIABLES);
        }
        if maker.dice.one_in(2) {
            for _ in 0..=maker.dice.roll(4) {
                maker.change(&mut text);
            }
        }
        text.truncate(text.floor_char_boundary(LONGEST));
        text
    }
}

struct Maker<'a> {
    mutator: &'a Mutator,
    dice: &'a mut Dice,
}

impl Maker<'_> {
    fn case(&mut self) -> String {
        let cases = if self.dice.one_in(8) { &self.mutator.bad } else { &self.mutator.good };
        self.dice.pick(cases).clone()
    }

    /// Text and actions.
    fn body(&mut self, depth: usize) -> String {
        (0..=self.dice.roll(3)).map(|_| if self.dice.one_in(4) { self.part() } else { self.action(depth) }).collect()
    }

    /// A template that can stand in another.
    fn part(&mut self) -> String {
        let part = self.dice.pick(&self.mutator.good);
        if part.contains("define") || part.contains("block") { String::new() } else { part.clone() }
    }

    fn action(&mut self, depth: usize) -> String {
        let pipe = self.pipeline(0);
        if depth > 3 {
            return format!("{{{{ {pipe} }}}}");
        }
        let (body, other) = (self.body(depth + 1), self.body(depth + 1));
        match self.dice.roll(16) {
            0 => format!("{{{{ if {pipe} }}}}{body}{{{{ else }}}}{other}{{{{ end }}}}"),
            1 => format!("{{{{- if {pipe} -}}}}{body}{{{{ else if {} }}}}{other}{{{{ end }}}}", self.pipeline(1)),
            2 => format!("{{{{ range {pipe} }}}}{body}{{{{ else }}}}{other}{{{{ end }}}}"),
            3 => format!("{{{{ range $x := {pipe} }}}}{body}{{{{ break }}}}{{{{ end }}}}"),
            4 => format!(
                "{{{{ range $y, $x := {pipe} }}}}{body}{{{{ if $x }}}}{{{{ continue }}}}{{{{ end }}}}{other}{{{{ end }}}}"
            ),
            5 => format!("{{{{ with {pipe} }}}}{body}{{{{ else with {} }}}}{other}{{{{ end }}}}", self.pipeline(1)),
            6 => format!("{{{{ $x := {pipe} }}}}{body}{{{{ $x = {} }}}}{other}", self.pipeline(1)),
            7 if depth == 0 => format!("{{{{ define \"a\" }}}}{body}{{{{ end }}}}{{{{ template \"a\" {pipe} }}}}"),
            8 if depth == 0 => format!("{{{{ block \"b\" {pipe} }}}}{body}{{{{ end }}}}{{{{ template \"b\" . }}}}"),
            9 => format!("{{{{ with $y := {pipe} }}}}{body}{{{{ end }}}}"),
            10 => format!("{{{{ $x := 1 }}}}{{{{ range $x = {pipe} }}}}{body}{{{{ end }}}}{{{{ $x }}}}"),
            11 => format!("{{{{- {pipe} -}}}}"),
            _ => format!("{{{{ {pipe} }}}}"),
        }
    }

    fn pipeline(&mut self, depth: usize) -> String {
        let mut pipe = if self.dice.one_in(3) { self.operand(depth) } else { self.call(depth) };
        while self.dice.one_in(4) {
            let call = self.call(depth + 1);
            pipe = format!("{pipe} | {call}");
        }
        pipe
    }

    fn call(&mut self, depth: usize) -> String {
        let (name, mut count) = *self.dice.pick(FUNCTIONS);
        if self.dice.one_in(12) {
            count = self.dice.roll(5);
        }
        let mut call = name.to_owned();
        if name == "printf" {
            let format: String = (0..=self.dice.roll(3)).map(|_| self.dice.word(FORMATS)).collect();
            call = format!("{call} \"{format}\"");
            count = self.dice.roll(4);
        }
        for _ in 0..count {
            call += " ";
            call += &self.operand(depth + 1);
        }
        call
    }

    fn operand(&mut self, depth: usize) -> String {
        match self.dice.roll(8) {
            0..=2 => self.dice.word(FIELDS).to_owned(),
            3 if depth < 5 => format!("({})", self.pipeline(depth + 1)),
            4 if depth < 5 => {
                format!("({}){}", self.pipeline(depth + 1), self.dice.word(&[".name", ".x", ".Target", ".deeper"]))
            }
            _ => self.dice.word(LITERALS).to_owned(),
        }
    }

    /// Changes something in a text.
    fn change(&mut self, text: &mut String) {
        let at = self.dice.place(text);
        match self.dice.roll(12) {
            0..=2 => text.insert_str(at, self.dice.word(FRAGMENTS)),
            3 => {
                let many = 1 << self.dice.roll(10);
                text.insert_str(at, &self.dice.word(FRAGMENTS).repeat(many));
            }
            4 => {
                let (from, to) = self.range(text);
                text.replace_range(from..to, "");
            }
            5 => {
                let (from, to) = self.range(text);
                let part = text[from..to].repeat(1 + self.dice.roll(9));
                text.insert_str(at, &part);
            }
            6 => {
                let other = self.case();
                text.truncate(at);
                text.push_str(&other[self.dice.place(&other)..]);
            }
            7 => self.nest(text),
            8 => {
                let action = self.action(2);
                text.insert_str(self.between(text), &action);
            }
            _ => self.word(text),
        }
    }

    /// Puts something else in the place of a word.
    fn word(&mut self, text: &mut String) {
        let is_end = |c: char| matches!(c, ' ' | '(' | ')' | '{' | '}' | '|');
        let starts: Vec<usize> = text.match_indices([' ', '(']).map(|(at, _)| at + 1).collect();
        if starts.is_empty() {
            return;
        }
        let from = *self.dice.pick(&starts);
        let to = text[from..].find(is_end).map_or(text.len(), |length| from + length);
        let word = if self.dice.one_in(4) { self.dice.pick(FUNCTIONS).0.to_owned() } else { self.operand(2) };
        text.replace_range(from..to, &word);
    }

    /// Puts a part of a text deep into something.
    fn nest(&mut self, text: &mut String) {
        let most = if self.dice.one_in(8) { 700 } else { 8 };
        let many = 1 + self.dice.roll(most);
        let (open, close) = *self.dice.pick(&[
            ("(", ")"),
            ("(print ", ")"),
            ("{{ if true }}", "{{ end }}"),
            ("{{ with 1 }}", "{{ end }}"),
            ("{{ range .list }}", "{{ break }}{{ end }}"),
            ("{{ if false }}{{ else if true }}", "{{ end }}"),
            ("{{ block \"x\" . }}", "{{ end }}"),
        ]);
        let (a, b) = if open.starts_with('(') {
            (self.dice.place(text), self.dice.place(text))
        } else {
            (self.between(text), self.between(text))
        };
        text.insert_str(a.max(b), &close.repeat(many));
        text.insert_str(a.min(b), &open.repeat(many));
    }

    /// A place before an action, or the end.
    fn between(&mut self, text: &str) -> usize {
        let places: Vec<usize> = text.match_indices("{{").map(|(at, _)| at).chain([text.len()]).collect();
        *self.dice.pick(&places)
    }

    fn range(&mut self, text: &str) -> (usize, usize) {
        let (a, b) = (self.dice.place(text), self.dice.place(text));
        (a.min(b), a.max(b))
    }
}
