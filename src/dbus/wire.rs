//! Messages as bytes (the D-Bus specification, "Message Protocol"). Every value stands at a multiple of its size, counted from
//! the start of the message; heads and bodies begin at a multiple of eight. Written little-endian, read in both orders.
//!
//! ```text
//!  l|B  kind  flags  1   length of body   serial   length of fields  ─▶ 16 bytes: HEAD
//!  fields: an array of (code, value)   padding to 8   body
//! ```

use super::Error;

/// Bytes up to the first field.
pub(super) const HEAD: usize = 16;
/// More than anything that we are told.
const LARGEST: usize = 1 << 20;

const NONSENSE: &str = "a value that is cut short";

/// A value in a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `t`
    Number(u64),
    /// `ay`
    Bytes(Vec<u8>),
    /// `s`
    Text(String),
}

/// The arguments of a call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Body {
    signature: String,
    bytes: Vec<u8>,
}

impl Body {
    /// No arguments.
    pub const EMPTY: Self = Self { signature: String::new(), bytes: Vec::new() };

    /// To begin with.
    pub fn new() -> Self {
        Self::EMPTY
    }

    /// One more: a string.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.signature.push('s');
        put_text(&mut self.bytes, text);
        self
    }

    /// One more: an array of strings.
    #[must_use]
    pub fn texts(mut self, texts: &[&str]) -> Self {
        self.signature.push_str("as");
        put_array(&mut self.bytes, 4, |to| texts.iter().for_each(|text| put_text(to, text)));
        self
    }

    /// One more: an array of properties.
    #[must_use]
    pub fn properties(mut self, properties: &[(&str, Value)]) -> Self {
        self.signature.push_str("a(sv)");
        put_array(&mut self.bytes, 8, |to| {
            for (name, value) in properties {
                pad(to, 8);
                put_text(to, name);
                match value {
                    Value::Number(number) => {
                        put_signature(to, "t");
                        pad(to, 8);
                        to.extend(number.to_le_bytes());
                    }
                    Value::Bytes(bytes) => {
                        put_signature(to, "ay");
                        put_array(to, 1, |to| to.extend(bytes));
                    }
                    Value::Text(text) => {
                        put_signature(to, "s");
                        put_text(to, text);
                    }
                }
            }
        });
        self
    }

    /// One more: an empty array of units with properties.
    #[must_use]
    pub fn no_units(mut self) -> Self {
        self.signature.push_str("a(sa(sv))");
        put_array(&mut self.bytes, 8, |_| ());
        self
    }
}

/// A call of a method.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    /// Who is called.
    pub destination: &'a str,
    /// The object.
    pub path: &'a str,
    /// The interface.
    pub interface: &'a str,
    /// The method.
    pub member: &'a str,
    /// The arguments.
    pub body: Body,
}

impl Call<'_> {
    pub(super) fn bytes(&self, serial: u32) -> Vec<u8> {
        let mut to = vec![b'l', 1, 0, 1];
        put_number(&mut to, length(self.body.bytes.len()));
        put_number(&mut to, serial);
        put_array(&mut to, 8, |to| {
            let fields =
                [(1, "o", self.path), (2, "s", self.interface), (3, "s", self.member), (6, "s", self.destination)];
            for (code, signature, text) in fields {
                pad(to, 8);
                to.push(code);
                put_signature(to, signature);
                put_text(to, text);
            }
            if !self.body.signature.is_empty() {
                pad(to, 8);
                to.push(8);
                put_signature(to, "g");
                put_signature(to, &self.body.signature);
            }
        });
        pad(&mut to, 8);
        to.extend(&self.body.bytes);
        to
    }
}

fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("what we send is short")
}

fn pad(to: &mut Vec<u8>, size: usize) {
    to.resize(to.len().next_multiple_of(size), 0);
}

fn put_number(to: &mut Vec<u8>, number: u32) {
    pad(to, 4);
    to.extend(number.to_le_bytes());
}

fn put_text(to: &mut Vec<u8>, text: &str) {
    put_number(to, length(text.len()));
    to.extend(text.as_bytes());
    to.push(0);
}

fn put_signature(to: &mut Vec<u8>, signature: &str) {
    to.push(u8::try_from(signature.len()).expect("signatures of ours are short"));
    to.extend(signature.as_bytes());
    to.push(0);
}

/// An array whose elements are aligned so: the padding before the first is not part of its length.
fn put_array(to: &mut Vec<u8>, size: usize, elements: impl FnOnce(&mut Vec<u8>)) {
    put_number(to, 0);
    let at = to.len() - 4;
    pad(to, size);
    let start = to.len();
    elements(to);
    let long = length(to.len() - start);
    to[at..at + 4].copy_from_slice(&long.to_le_bytes());
}

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The answer to a call.
    Answer,
    /// The answer is an error.
    Error,
    /// Nobody asked.
    Signal,
    /// Something else.
    Other,
}

/// A message that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What it is.
    pub kind: Kind,
    /// The serial of the call that it answers.
    pub answers: Option<u32>,
    /// The name of an error.
    pub error: Option<String>,
    /// The name of a signal.
    pub member: Option<String>,
    signature: String,
    body: Vec<u8>,
    big: bool,
}

impl Message {
    /// The strings and paths among its arguments, up to the first that is neither a text nor a number.
    pub fn texts(&self) -> Vec<String> {
        let mut reader = Reader { bytes: &self.body, at: 0, big: self.big };
        let mut texts = Vec::new();
        for kind in self.signature.chars() {
            match kind {
                's' | 'o' => match reader.text() {
                    Ok(text) => texts.push(text),
                    Err(_) => break,
                },
                'u' | 'i' | 'b' if reader.number().is_ok() => {}
                _ => break,
            }
        }
        texts
    }

    /// The names in its only argument, an array of units as systemd lists them: `a(ssssssouso)`.
    pub fn units(&self) -> Result<Vec<String>, Error> {
        if self.signature != "a(ssssssouso)" {
            return Err(Error::Nonsense("no list of units"));
        }
        let mut reader = Reader { bytes: &self.body, at: 0, big: self.big };
        let length = reader.number()? as usize;
        reader.skip_to(8);
        let end = reader.at.saturating_add(length);
        let mut names = Vec::new();
        while reader.at < end {
            reader.skip_to(8);
            names.push(reader.text()?);
            // Description, three states, who it follows, and its path; the job, its kind and its path.
            for _ in 0..6 {
                reader.text()?;
            }
            reader.number()?;
            reader.text()?;
            reader.text()?;
        }
        Ok(names)
    }
}

/// The first bytes of a message.
pub(super) struct Head {
    kind: Kind,
    big: bool,
    fields: usize,
    body: usize,
}

impl Head {
    pub(super) fn read(bytes: [u8; HEAD]) -> Result<Self, Error> {
        let big = match bytes[0] {
            b'l' => false,
            b'B' => true,
            _ => return Err(Error::Nonsense("no byte order")),
        };
        let kind = match bytes[1] {
            2 => Kind::Answer,
            3 => Kind::Error,
            4 => Kind::Signal,
            _ => Kind::Other,
        };
        let mut reader = Reader { bytes: &bytes, at: 4, big };
        let body = reader.number()? as usize;
        reader.number()?;
        let fields = reader.number()? as usize;
        if body > LARGEST || fields > LARGEST {
            return Err(Error::Nonsense("a message that is too long"));
        }
        Ok(Self { kind, big, fields, body })
    }

    /// The bytes that follow.
    pub(super) fn rest(&self) -> usize {
        self.fields.next_multiple_of(8) + self.body
    }

    pub(super) fn message(&self, rest: &[u8]) -> Result<Message, Error> {
        let (kind, big) = (self.kind, self.big);
        let body = rest.get(self.fields.next_multiple_of(8)..).ok_or(Error::Nonsense(NONSENSE))?.to_vec();
        let fields = rest.get(..self.fields).ok_or(Error::Nonsense(NONSENSE))?;
        let mut message =
            Message { kind, answers: None, error: None, member: None, signature: String::new(), body, big };
        // The fields begin at a multiple of eight.
        let mut reader = Reader { bytes: fields, at: 0, big };
        while reader.at < fields.len() {
            reader.skip_to(8);
            let code = reader.byte()?;
            match reader.signature()?.as_str() {
                "s" | "o" => {
                    let text = reader.text()?;
                    match code {
                        3 => message.member = Some(text),
                        4 => message.error = Some(text),
                        _ => {}
                    }
                }
                "g" => {
                    let signature = reader.signature()?;
                    if code == 8 {
                        message.signature = signature;
                    }
                }
                "u" => {
                    let number = reader.number()?;
                    if code == 5 {
                        message.answers = Some(number);
                    }
                }
                _ => return Err(Error::Nonsense("a field of an unknown type")),
            }
        }
        Ok(message)
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    big: bool,
}

impl<'a> Reader<'a> {
    fn skip_to(&mut self, size: usize) {
        self.at = self.at.next_multiple_of(size);
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Error> {
        let end = self.at.checked_add(length).ok_or(Error::Nonsense(NONSENSE))?;
        let taken = self.bytes.get(self.at..end).ok_or(Error::Nonsense(NONSENSE))?;
        self.at = end;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Error> {
        Ok(self.take(1)?[0])
    }

    fn number(&mut self) -> Result<u32, Error> {
        self.skip_to(4);
        let bytes = self.take(4)?.try_into().expect("four were taken");
        Ok(if self.big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    fn text(&mut self) -> Result<String, Error> {
        let length = self.number()? as usize;
        self.until_zero(length)
    }

    fn signature(&mut self) -> Result<String, Error> {
        let length = self.byte()?;
        self.until_zero(usize::from(length))
    }

    fn until_zero(&mut self, length: usize) -> Result<String, Error> {
        let text = String::from_utf8_lossy(self.take(length)?).into_owned();
        if self.byte()? == 0 { Ok(text) } else { Err(Error::Nonsense("a text without an end")) }
    }
}
