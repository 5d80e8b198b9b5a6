//! What numbers of a template are worth.

use super::Value;
use super::quote::{quote, unquote_char};

/// A number as it is written in a template. Its type depends on where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Number {
    /// As it is written.
    pub(super) text: Box<str>,
    /// Its value where nothing tells the type; none where it is too big for an `int`.
    pub(super) ideal: Option<Value>,
    /// Its value as an integer, if it is one: `1.0` is.
    pub(super) integer: Option<i64>,
}

impl Number {
    /// Of a character such as `'a'`.
    pub(super) fn character(text: &str) -> Result<Self, String> {
        let inner = text.get(1..).unwrap_or_default();
        let code = unquote_char(text).ok_or_else(|| match first_character(inner) {
            Some(rest) if !rest.is_empty() => format!("malformed character constant: {text}"),
            _ => "invalid syntax".to_owned(),
        })?;
        Ok(Self::of(text, Value::Int(code.into()), Some(code.into())))
    }

    /// Of a number as Go writes it: decimal, `0x`, `0o`, `0b`, with underscores, or floating.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.ends_with('i') {
            return Err(format!("complex number {text}: templates here have none"));
        }
        let unsigned = parse_unsigned(text);
        if let Some(integer) = parse_signed(text) {
            #[expect(clippy::cast_precision_loss, reason = "Go's float64(n) rounds so too")]
            let ideal = if floats(text) { Value::Float(integer as f64) } else { Value::Int(integer) };
            return Ok(Self::of(text, ideal, Some(integer)));
        }
        if unsigned.is_some() {
            return Ok(Self { text: text.into(), ideal: None, integer: None });
        }
        let float = parse_float(text).ok_or_else(|| format!("illegal number syntax: {}", quote(text)))?;
        if !text.contains(['.', 'e', 'E', 'p', 'P']) {
            return Err(format!("integer overflow: {}", quote(text)));
        }
        Ok(Self::of(text, Value::Float(float), whole(float)))
    }

    fn of(text: &str, ideal: Value, integer: Option<i64>) -> Self {
        Self { text: text.into(), ideal: Some(ideal), integer }
    }
}

/// What follows the first character, or the first escape, of a character constant.
fn first_character(inner: &str) -> Option<&str> {
    (1..inner.len()).filter(|end| inner.is_char_boundary(*end)).find_map(|end| {
        unquote_char(&format!("'{}'", &inner[..end]))?;
        inner[end..].strip_suffix('\'')
    })
}

/// Whether a number that is whole counts as a float by how it is written. (A hexadecimal one with a sign and an `e` in it
/// does: so it is in Go.)
fn floats(text: &str) -> bool {
    let hexadecimal = text.starts_with("0x") || text.starts_with("0X");
    !hexadecimal && text.contains(['.', 'e', 'E', 'p', 'P'])
}

/// strconv.ParseInt with a base of 0.
fn parse_signed(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let magnitude = i128::from(parse_unsigned(digits)?);
    i64::try_from(if negative { -magnitude } else { magnitude }).ok()
}

/// strconv.ParseUint with a base of 0.
fn parse_unsigned(text: &str) -> Option<u64> {
    if !underscores_are_right(text) {
        return None;
    }
    let bytes = text.as_bytes();
    let (radix, skip) = match (bytes.first(), bytes.get(1).map(u8::to_ascii_lowercase)) {
        (Some(b'0'), Some(b'x')) => (16, 2),
        (Some(b'0'), Some(b'o')) => (8, 2),
        (Some(b'0'), Some(b'b')) => (2, 2),
        (Some(b'0'), Some(_)) => (8, 1),
        _ => (10, 0),
    };
    let digits: String = text.chars().skip(skip).filter(|c| *c != '_').collect();
    if digits.starts_with(['+', '-']) {
        return None;
    }
    u64::from_str_radix(&digits, radix).ok()
}

/// strconv.ParseFloat, of what the lexer takes for a number; none also where it is too big.
fn parse_float(text: &str) -> Option<f64> {
    if !underscores_are_right(text) {
        return None;
    }
    let plain = text.replace('_', "").to_ascii_lowercase();
    let (sign, magnitude) = match plain.strip_prefix('-') {
        Some(magnitude) => (-1.0, magnitude),
        None => (1.0, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let value = match magnitude.strip_prefix("0x") {
        Some(hexadecimal) => parse_hexadecimal(hexadecimal)?,
        None => magnitude.parse().ok()?,
    };
    value.is_finite().then_some(sign * value)
}

/// `1.8p3` with hexadecimal digits before the `p`.
fn parse_hexadecimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once('p')?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut exponent: i64 = exponent.parse::<i64>().ok()?.clamp(-100_000, 100_000);
    exponent -= 4 * i64::try_from(fraction.len()).ok()?;
    let mut bits: u64 = 0;
    for digit in whole.chars().chain(fraction.chars()) {
        let digit = u64::from(digit.to_digit(16)?);
        if bits >> 59 == 0 {
            bits = bits << 4 | digit;
        } else {
            bits |= u64::from(digit != 0);
            exponent += 4;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "it rounds to the nearest, as Go does")]
    let mut value = bits as f64;
    while exponent != 0 && value != 0.0 && value.is_finite() {
        let step = exponent.clamp(-1000, 1000);
        value *= 2f64.powi(i32::try_from(step).ok()?);
        exponent -= step;
    }
    Some(value)
}

/// Whether every underscore stands between digits, or between a prefix and a digit.
fn underscores_are_right(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text).to_ascii_lowercase();
    let hexadecimal = text.starts_with("0x");
    let prefixed = hexadecimal || text.starts_with("0o") || text.starts_with("0b");
    let (mut after_digit, mut after_underscore) = (prefixed, false);
    for c in text.chars().skip(if prefixed { 2 } else { 0 }) {
        let digit = c.is_ascii_digit() || hexadecimal && c.is_ascii_hexdigit();
        if c == '_' && !after_digit || c != '_' && !digit && after_underscore {
            return false;
        }
        after_underscore = c == '_';
        after_digit = digit;
    }
    !after_underscore
}

/// A float that is an integer, as one.
fn whole(float: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "it is in the range of an i64")]
    (float.fract() == 0.0 && float.abs() < 9.2e18).then_some(float as i64)
}

#[cfg(test)]
mod tests {
    use super::super::Value;
    use super::Number;

    fn ideal(text: &str) -> Result<Option<Value>, String> {
        Number::parse(text).map(|number| number.ideal)
    }

    fn int(text: &str, expected: i64) {
        assert_eq!(ideal(text), Ok(Some(Value::Int(expected))), "{text}");
    }

    fn float(text: &str, expected: f64) {
        assert_eq!(ideal(text), Ok(Some(Value::Float(expected))), "{text}");
    }

    #[test]
    fn integers_have_the_bases_of_go() {
        int("0x1F", 31);
        int("0b101", 5);
        int("0o17", 15);
        int("017", 15);
        int("1_000", 1000);
        int("0x_1", 1);
        int("-9223372036854775808", i64::MIN);
        int("+5", 5);
        int("0", 0);
    }

    #[test]
    fn a_point_or_an_exponent_makes_a_float() {
        float("1.0", 1.0);
        float("1e3", 1000.0);
        float(".5", 0.5);
        float("1_0.5", 10.5);
        float("0x1.8p1", 3.0);
        float("-0x1p-2", -0.25);
        float("0x1fffffffffffff8p0", 144_115_188_075_855_864.0);
        int("0x1e", 30);
        float("-0x1e", -30.0);
    }

    #[test]
    fn a_float_that_is_whole_is_an_integer_where_one_is_wanted() {
        let integer = |text| Number::parse(text).ok().and_then(|number| number.integer);
        assert_eq!(integer("1e3"), Some(1000));
        assert_eq!(integer("1.0"), Some(1));
        assert_eq!(integer("1.5"), None);
        assert_eq!(integer("1e300"), None);
    }

    #[test]
    fn what_is_no_number_is_refused_in_the_words_of_go() {
        let refused = |text: &str, problem: &str| assert_eq!(ideal(text), Err(problem.to_owned()), "{text}");
        refused("08", "integer overflow: \"08\"");
        refused("99999999999999999999", "integer overflow: \"99999999999999999999\"");
        refused("1__0", "illegal number syntax: \"1__0\"");
        refused("1_", "illegal number syntax: \"1_\"");
        refused("0x", "illegal number syntax: \"0x\"");
        refused("0x1.8", "illegal number syntax: \"0x1.8\"");
        refused("1e400", "illegal number syntax: \"1e400\"");
        refused("+", "illegal number syntax: \"+\"");
        assert_eq!(ideal("9223372036854775808"), Ok(None));
        assert!(ideal("1i").is_err());
    }

    #[test]
    fn a_character_is_a_number() {
        assert_eq!(Number::character("'a'").ok().and_then(|number| number.integer), Some(97));
        assert_eq!(Number::character("'ab'"), Err("malformed character constant: 'ab'".to_owned()));
        assert_eq!(Number::character("'\\q'"), Err("invalid syntax".to_owned()));
    }
}
