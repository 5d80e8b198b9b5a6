//! How a verb prints a value.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::names::{slot_name, type_name};
use super::super::quote;
use super::super::{StructType, Type, Value};
use super::duration::duration;
use super::layout::{Flags, Output, Style};
use super::number::{self, Notation};

/// How deep values in values are followed; what is deeper prints as `...`.
const DEPTH: usize = 1000;

/// Prints values one after the other.
#[derive(Debug, Default)]
pub(super) struct Printer {
    /// What is printed.
    pub out: Output,
    /// The flags before the verb.
    pub flags: Flags,
    /// Whether a value is shown because the verb is not for it: as it is, without its own words.
    plainly: bool,
    depth: usize,
}

/// A scalar, and what knows its type: the value with its pointers, and the slot that it is in.
#[derive(Clone, Copy)]
struct Scalar<'a> {
    verb: char,
    value: &'a Value,
    slot: &'a Type,
}

impl Printer {
    /// Prints an argument.
    pub(super) fn argument(&mut self, value: &Value, verb: char) {
        match (value, verb) {
            (Value::Missing | Value::Nil, 'T' | 'v') => self.out.pad("<nil>", &self.flags),
            (Value::Missing | Value::Nil, _) => self.out.push(&format!("%!{verb}(<nil>)")),
            (_, 'T') => self.text(&type_name(value)),
            (_, 'p') if is_nil(value) => self.integer(0, false, Notation::Lower, !self.flags.sharp),
            // There are no addresses to tell, and no errors to wrap.
            (_, 'p' | 'w') => self.bad_verb(Scalar { verb, value, slot: &Type::Interface }),
            (Value::Pointer(target), _) if is_composite(target) => {
                self.out.push("&");
                self.value(target, &Type::Interface, verb);
            }
            _ => self.value(value, &Type::Interface, verb),
        }
    }

    /// Prints a value in a slot of a type: a field or an element, with all that is in it.
    fn value(&mut self, value: &Value, slot: &Type, verb: char) {
        if self.out.is_full() {
            return;
        }
        if self.depth == DEPTH {
            return self.out.push("...");
        }
        self.depth += 1;
        let scalar = Scalar { verb, value, slot };
        match value.target() {
            Value::List(Type::Uint("uint8"), bytes) if matches!(verb, 's' | 'q' | 'x' | 'X') => self.bytes(bytes, verb),
            Value::List(element, values) => self.list(value, element, values, verb),
            Value::Map(element, entries) => self.map(value, element, entries, verb),
            Value::Struct(kind, values) if !kind.opaque => self.fields(kind, values, verb),
            Value::Missing | Value::Nil if self.flags.style == Style::Source => self.out.push("interface {}(nil)"),
            Value::Missing | Value::Nil => self.out.push("<nil>"),
            nil @ (Value::NilPointer(_) | Value::Struct(..)) => self.nil_pointer(nil, scalar),
            Value::Bool(true) if matches!(verb, 't' | 'v') => self.out.pad("true", &self.flags),
            Value::Bool(false) if matches!(verb, 't' | 'v') => self.out.pad("false", &self.flags),
            Value::Int(number) => self.number(number.unsigned_abs(), *number < 0, scalar),
            Value::Uint(number) => self.number(*number, false, scalar),
            Value::Float(number) => self.float(*number, scalar),
            Value::Str(text) => self.string(text, scalar),
            Value::Duration(length) if self.has_words(verb) => self.string(&duration(*length), scalar),
            Value::Duration(length) => self.number(length.unsigned_abs(), *length < 0, scalar),
            Value::Bool(_) | Value::Pointer(_) => self.bad_verb(scalar),
        }
        self.depth -= 1;
    }

    fn list(&mut self, list: &Value, element: &Type, values: &[Value], verb: char) {
        self.open(list, "[");
        for (position, value) in values.iter().enumerate() {
            self.separate(position);
            self.value(value, element, verb);
        }
        self.close("]");
    }

    fn map(&mut self, map: &Value, element: &Type, entries: &BTreeMap<String, Value>, verb: char) {
        self.open(map, "map[");
        for (position, (key, value)) in entries.iter().enumerate() {
            self.separate(position);
            self.value(&Value::Str(key.as_str().into()), &Type::Str("string"), verb);
            self.out.push(":");
            self.value(value, element, verb);
        }
        self.close("]");
    }

    fn fields(&mut self, kind: &StructType, values: &[Value], verb: char) {
        let name = if self.flags.style == Style::Source { kind.name } else { "" };
        self.out.push(name);
        self.out.push("{");
        let shown = kind.fields.iter().zip(values).filter(|(field, value)| !(field.newer && value.is_zero()));
        for (position, (field, value)) in shown.enumerate() {
            self.separate(position);
            if self.flags.style != Style::Plain {
                self.out.push(field.name);
                self.out.push(":");
            }
            self.value(value, field.kind, verb);
        }
        self.out.push("}");
    }

    fn open(&mut self, value: &Value, bracket: &str) {
        match self.flags.style {
            Style::Source => self.out.push(&format!("{}{{", type_name(value.target()))),
            Style::Plain | Style::Named => self.out.push(bracket),
        }
    }

    fn close(&mut self, bracket: &str) {
        self.out.push(if self.flags.style == Style::Source { "}" } else { bracket });
    }

    fn separate(&mut self, position: usize) {
        match (position, self.flags.style) {
            (0, _) => {}
            (_, Style::Source) => self.out.push(", "),
            (_, Style::Plain | Style::Named) => self.out.push(" "),
        }
    }

    /// Whether a duration prints in its own words.
    fn has_words(&self, verb: char) -> bool {
        !self.plainly && self.flags.style != Style::Source && matches!(verb, 'v' | 's' | 'x' | 'X' | 'q')
    }

    fn nil_pointer(&mut self, nil: &Value, scalar: Scalar) {
        let verb = scalar.verb;
        match verb {
            _ if self.has_words(verb) && matches!(nil, Value::NilPointer(Type::Duration(_))) => self.out.push("<nil>"),
            'v' if self.flags.style == Style::Source => self.out.push(&format!("({})(nil)", type_name(nil))),
            'v' => self.out.pad("<nil>", &self.flags),
            'b' | 'o' | 'd' | 'x' | 'X' => self.number(0, false, scalar),
            _ => self.bad_verb(scalar),
        }
    }

    /// `%!d(string=hi)`: the verb is not for this value.
    fn bad_verb(&mut self, scalar: Scalar) {
        self.out.push(&format!("%!{}({}=", scalar.verb, slot_name(scalar.value, scalar.slot)));
        self.plainly = true;
        self.argument(scalar.value, 'v');
        self.plainly = false;
        self.out.push(")");
    }

    fn number(&mut self, magnitude: u64, negative: bool, scalar: Scalar) {
        let source = self.flags.style == Style::Source;
        let signed = !matches!(scalar.value.target(), Value::Uint(_));
        let sharp = self.flags.sharp;
        match scalar.verb {
            'v' if source && !signed => self.integer(magnitude, negative, Notation::Lower, true),
            'v' | 'd' => self.integer(magnitude, negative, Notation::Decimal, sharp),
            'b' => self.integer(magnitude, negative, Notation::Binary, sharp),
            'o' => self.integer(magnitude, negative, Notation::Octal, sharp),
            'O' => self.integer(magnitude, negative, Notation::MarkedOctal, sharp),
            'x' => self.integer(magnitude, negative, Notation::Lower, sharp),
            'X' => self.integer(magnitude, negative, Notation::Upper, sharp),
            'c' => self.out.pad(character(magnitude, negative).encode_utf8(&mut [0; 4]), &self.flags),
            'q' => {
                let quote = if self.flags.plus { quote::quote_char_to_ascii } else { quote::quote_char };
                self.out.pad(&quote(character(magnitude, negative)), &self.flags);
            }
            'U' => self.code_point(magnitude, negative),
            _ => self.bad_verb(scalar),
        }
    }

    fn integer(&mut self, magnitude: u64, negative: bool, notation: Notation, sharp: bool) {
        let text = number::integer(magnitude, negative, notation, &Flags { sharp, ..self.flags });
        self.out.pad(&text, &Flags { zero: false, ..self.flags });
    }

    /// `U+0078`, and with `#` the character too. A negative number is taken as unsigned.
    fn code_point(&mut self, magnitude: u64, negative: bool) {
        let code = if negative { magnitude.wrapping_neg() } else { magnitude };
        let digits = format!("{code:X}");
        let least = self.flags.precision.unwrap_or(0).max(4);
        let zeros = "0".repeat(least.saturating_sub(digits.len()));
        let shown =
            u32::try_from(code).ok().and_then(char::from_u32).filter(|c| self.flags.sharp && quote::is_print(*c));
        let shown = shown.map(|c| format!(" '{c}'")).unwrap_or_default();
        self.out.pad(&format!("U+{zeros}{digits}{shown}"), &Flags { zero: false, ..self.flags });
    }

    fn float(&mut self, number: f64, scalar: Scalar) {
        let form = match scalar.verb {
            'v' => 'g',
            'b' | 'e' | 'E' | 'f' | 'F' | 'g' | 'G' | 'x' | 'X' => scalar.verb,
            _ => return self.bad_verb(scalar),
        };
        let (sign, digits) = number::float(number, form, &self.flags);
        let zero = self.flags.zero && number.is_finite();
        self.out.pad_number(sign, &digits, &Flags { zero, ..self.flags });
    }

    fn string(&mut self, text: &str, scalar: Scalar) {
        match scalar.verb {
            'v' if self.flags.style == Style::Source => self.quoted(text),
            'v' | 's' => self.text(text),
            'q' => self.quoted(text),
            'x' | 'X' => self.hexadecimal(text.as_bytes(), scalar.verb),
            _ => self.bad_verb(scalar),
        }
    }

    fn text(&mut self, text: &str) {
        self.out.pad(self.flags.cut(text), &self.flags);
    }

    fn quoted(&mut self, text: &str) {
        let text = self.flags.cut(text);
        let quoted = match (self.flags.sharp && quote::can_backquote(text), self.flags.plus) {
            (true, _) => format!("`{text}`"),
            (false, true) => quote::quote_to_ascii(text),
            (false, false) => quote(text),
        };
        self.out.pad(&quoted, &self.flags);
    }

    fn bytes(&mut self, bytes: &[Value], verb: char) {
        let byte = |value: &Value| if let Value::Uint(byte) = value { u8::try_from(*byte).unwrap_or(0) } else { 0 };
        let bytes = bytes.iter().map(byte).collect::<Vec<_>>();
        let text = String::from_utf8_lossy(&bytes);
        match verb {
            's' => self.text(&text),
            'q' => self.quoted(&text),
            _ => self.hexadecimal(&bytes, verb),
        }
    }

    /// Two digits for each byte, as many bytes as the precision lets be.
    fn hexadecimal(&mut self, bytes: &[u8], verb: char) {
        let most = self.flags.precision.unwrap_or(bytes.len());
        let mut text = String::new();
        for (position, byte) in bytes.iter().take(most).enumerate() {
            if position > 0 && self.flags.space {
                text.push(' ');
            }
            if self.flags.sharp && (position == 0 || self.flags.space) {
                text.push_str("0x");
            }
            // A String takes whatever is written.
            _ = write!(text, "{byte:02x}");
        }
        self.out.pad(&if verb == 'X' { text.to_uppercase() } else { text }, &self.flags);
    }
}

/// Whether a pointer to it shows with a `&`.
fn is_composite(value: &Value) -> bool {
    match value {
        Value::List(..) | Value::Map(..) => true,
        Value::Struct(kind, _) => !kind.opaque,
        _ => false,
    }
}

fn is_nil(value: &Value) -> bool {
    matches!(value, Value::NilPointer(_)) || matches!(value, Value::Struct(kind, _) if kind.opaque)
}

/// The character of a number; U+FFFD where it has none.
fn character(magnitude: u64, negative: bool) -> char {
    let code = u32::try_from(magnitude).ok().filter(|_| !negative);
    code.and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}
