//! The forms in which a stack writes a value: the words of the tables in `schema.rs`.

/// The form of a value, and what becomes of it.
#[derive(Debug)]
pub(super) enum Form {
    /// Anything, as it is written.
    Kept,
    /// A string.
    Text,
    /// A string or a number: a text as it is written.
    Word,
    /// One of some strings, and what they are.
    Choice(&'static str, &'static [&'static str]),
    /// A string: the path of a file, which is made absolute.
    Path,
    /// A boolean.
    Bool,
    /// A whole number; `Count` is not negative.
    Int,
    /// A whole number from 0 on.
    Count,
    /// A number.
    Float,
    /// A duration such as `90s`: as Go prints it, `1m30s`.
    Duration,
    /// A size such as `64m`: a text of bytes.
    Bytes,
    /// A command: a list of arguments, or a line that is split into them.
    Command,
    /// A health check's test: likewise, but a line is for the shell.
    Test,
    /// A list.
    List(&'static Form),
    /// A list that has nothing twice.
    Set(&'static Form),
    /// A string or a list of them that has none twice.
    OneOrMore,
    /// `KEY=VALUE` in a list, or a mapping: a mapping of strings. A missing value is the empty one.
    Pairs,
    /// Likewise, but a missing value stays missing: it is the environment's.
    Variables,
    /// A mapping of strings.
    Options,
    /// `NAME:ADDRESS` in a list, or a mapping: a list.
    Hosts,
    /// Names in a list, or a mapping of such names to what belongs to them.
    Names(&'static Form),
    /// A mapping of names to what belongs to them.
    Map(&'static Form),
    /// A mapping with these keys.
    Object(&'static Object),
    /// A string that stands for a mapping with only this key, or the mapping.
    Short(&'static str, &'static Form),
    /// A number, or a mapping that has all of these keys.
    NumberOr(&'static Object),
    /// What may also be null.
    Optional(&'static Form),
    /// A boolean, or `{name: NAME}`.
    External,
    /// Services: a list, of a component also a mapping to conditions.
    Dependencies,
    /// Ports in the short and the long syntax: a list of long ones.
    Ports,
    /// Volumes, likewise.
    Volumes,
}

/// A mapping with known keys.
#[derive(Debug)]
pub(super) struct Object {
    /// Its keys in the order of docker/cli's struct.
    pub(super) fields: &'static [Field],
    /// Whether Docker takes other keys too: they stay as they are written.
    pub(super) open: bool,
}

/// A key of an [`Object`].
#[derive(Debug)]
pub(super) struct Field {
    pub(super) key: &'static str,
    pub(super) form: Form,
    /// Whether it stays when it is zero or empty: docker/cli has it behind a pointer.
    pub(super) pointer: bool,
}

/// A key that is left out when it is zero or empty.
pub(super) const fn field(key: &'static str, form: Form) -> Field {
    Field { key, form, pointer: false }
}

/// A key that stays when it is zero or empty.
pub(super) const fn pointer(key: &'static str, form: Form) -> Field {
    Field { key, form, pointer: true }
}

/// A mapping that takes no other keys.
pub(super) const fn closed(fields: &'static [Field]) -> Object {
    Object { fields, open: false }
}

/// A mapping that takes other keys too.
pub(super) const fn open(fields: &'static [Field]) -> Object {
    Object { fields, open: true }
}

impl Form {
    /// What it takes, for an error.
    pub(super) fn expected(&self) -> &'static str {
        match self {
            Self::Kept => "a value",
            Self::Text | Self::Choice(..) | Self::Path => "a string",
            Self::Word => "a string or a number",
            Self::Bool => "a boolean",
            Self::Int | Self::Count => "a whole number",
            Self::Float => "a number",
            Self::Duration => "a duration such as 1m30s",
            Self::Bytes => "a size such as 64m",
            Self::Command | Self::Test | Self::OneOrMore => "a string or a list of strings",
            Self::List(_) | Self::Set(_) | Self::Ports | Self::Volumes | Self::Dependencies => "a list",
            Self::Pairs | Self::Variables => "a list of KEY=VALUE or a mapping",
            Self::Hosts => "a list of HOST:ADDRESS or a mapping",
            Self::Names(_) => "a list or a mapping",
            Self::Options | Self::Map(_) | Self::Object(_) => "a mapping",
            Self::Short(..) => "a string or a mapping",
            Self::NumberOr(_) => "a whole number or a mapping",
            Self::External => "a boolean or {name: NAME}",
            Self::Optional(form) => form.expected(),
        }
    }
}
