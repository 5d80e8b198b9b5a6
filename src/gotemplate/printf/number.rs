//! Numbers as fmt prints them by their verbs, before they are padded.

use super::float;
use super::layout::Flags;

/// What an integer is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notation {
    /// `%b`
    Binary,
    /// `%o`
    Octal,
    /// `%O`: with a leading `0o`.
    MarkedOctal,
    /// `%d`
    Decimal,
    /// `%x`
    Lower,
    /// `%X`
    Upper,
}

/// An integer with its sign, its prefix, and the zeros that flags or precision ask for. What is left to pad is padded
/// with blanks.
pub(super) fn integer(magnitude: u64, negative: bool, notation: Notation, flags: &Flags) -> String {
    if flags.precision == Some(0) && magnitude == 0 {
        return String::new();
    }
    let sign = sign(negative, flags);
    let least = match (flags.precision, flags.width) {
        (Some(digits), _) => digits,
        (None, Some(width)) if flags.zero => width.saturating_sub(sign.len()),
        _ => 0,
    };
    let digits = match notation {
        Notation::Binary => format!("{magnitude:b}"),
        Notation::Octal | Notation::MarkedOctal => format!("{magnitude:o}"),
        Notation::Decimal => magnitude.to_string(),
        Notation::Lower => format!("{magnitude:x}"),
        Notation::Upper => format!("{magnitude:X}"),
    };
    let digits = "0".repeat(least.saturating_sub(digits.len())) + &digits;
    let prefix = match notation {
        Notation::MarkedOctal if flags.sharp && !digits.starts_with('0') => "0o0",
        Notation::MarkedOctal => "0o",
        Notation::Binary if flags.sharp => "0b",
        Notation::Octal if flags.sharp && !digits.starts_with('0') => "0",
        Notation::Lower if flags.sharp => "0x",
        Notation::Upper if flags.sharp => "0X",
        _ => "",
    };
    format!("{sign}{prefix}{digits}")
}

/// A floating-point number as its sign and the rest, by a verb of floats but `v`.
pub(super) fn float(number: f64, verb: char, flags: &Flags) -> (&'static str, String) {
    let form = if verb == 'F' { 'f' } else { verb };
    let precision = flags.precision.or(if matches!(form, 'e' | 'E' | 'f') { Some(6) } else { None });
    let text = float::magnitude(number, form, precision);
    let sign = match sign(number.is_sign_negative() && !number.is_nan(), flags) {
        "" if number.is_infinite() => "+",
        sign => sign,
    };
    let restore = flags.sharp && form != 'b' && number.is_finite();
    (sign, if restore { with_point(&text, form, precision) } else { text })
}

/// A sign, or the blank in its place.
fn sign(negative: bool, flags: &Flags) -> &'static str {
    match (negative, flags.plus, flags.space) {
        (true, ..) => "-",
        (false, true, _) => "+",
        (false, false, true) => " ",
        (false, false, false) => "",
    }
}

/// What `#` makes of a number: it always has a point, and keeps the zeros at its end.
fn with_point(text: &str, form: char, precision: Option<usize>) -> String {
    let hexadecimal = matches!(form, 'x' | 'X');
    let is_exponent = |c: char| matches!(c, 'p' | 'P') || !hexadecimal && matches!(c, 'e' | 'E');
    let (number, exponent) = text.split_at(text.find(is_exponent).unwrap_or(text.len()));
    // Go counts the digits of %x from its x on, and does not restore those of %X.
    let significant = if matches!(form, 'g' | 'G' | 'x') { precision.unwrap_or(6) } else { 0 };
    let shown = number.trim_start_matches(['0', '.']).replace('.', "").len() + usize::from(number == "0");
    let point = if number.contains('.') { "" } else { "." };
    format!("{number}{point}{}{exponent}", "0".repeat(significant.saturating_sub(shown)))
}
