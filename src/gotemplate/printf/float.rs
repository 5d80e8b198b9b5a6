//! Floating-point numbers as Go's strconv.FormatFloat writes them.

/// More digits than this after the point, or in all, no finite number has: the others are zeros.
const DIGITS: usize = 1100;

/// The bits of a mantissa, without the first.
const MANTISSA_BITS: i32 = 52;

/// strconv.FormatFloat of a number's magnitude: `e`, `E`, `f`, `g`, `G`, `x`, `X` or `b`, with so many digits as
/// the form counts them, or else as few as tell the number from all others.
pub(super) fn magnitude(number: f64, form: char, precision: Option<usize>) -> String {
    let number = number.abs();
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return "Inf".to_owned();
    }
    match (form, precision) {
        ('f', Some(digits)) => {
            let text = format!("{number:.*}", digits.min(DIGITS));
            text + &"0".repeat(digits.saturating_sub(DIGITS))
        }
        ('f', None) => Decimal::shortest(number).fixed(),
        ('e' | 'E', Some(digits)) => Decimal::rounded(number, digits.saturating_add(1)).scientific(form, digits),
        ('e' | 'E', None) => {
            let decimal = Decimal::shortest(number);
            let digits = decimal.digits.len().saturating_sub(1);
            decimal.scientific(form, digits)
        }
        ('x' | 'X', precision) => hexadecimal(number, form, precision),
        ('b', _) => binary(number),
        (_, precision) => general(number, if form == 'G' { 'E' } else { 'e' }, precision),
    }
}

/// `%g`: with an exponent where that is very small, or too large for the digits.
fn general(number: f64, letter: char, precision: Option<usize>) -> String {
    let precision = precision.map(|digits| digits.max(1));
    let decimal = precision.map_or_else(|| Decimal::shortest(number), |digits| Decimal::rounded(number, digits));
    let count = decimal.digits.len();
    let whole = usize::try_from(decimal.point).unwrap_or(0);
    if decimal.point < -3 || whole > precision.unwrap_or(6) {
        let digits = precision.map_or(count, |digits| digits.min(count));
        return decimal.scientific(letter, digits.saturating_sub(1));
    }
    decimal.fixed()
}

/// A number `0.DIGITS × 10^point`, without zeros at the end; zero has no digits.
struct Decimal {
    digits: String,
    point: i32,
}

impl Decimal {
    /// As few digits as tell the number from all others.
    fn shortest(number: f64) -> Self {
        Self::read(&format!("{number:e}"))
    }

    /// So many digits at most.
    fn rounded(number: f64, digits: usize) -> Self {
        Self::read(&format!("{number:.*e}", digits.saturating_sub(1).min(DIGITS)))
    }

    /// Reads `D.DDDeX`.
    fn read(text: &str) -> Self {
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let digits = mantissa.replace('.', "").trim_end_matches('0').to_owned();
        let point = if digits.is_empty() { 0 } else { exponent.parse().unwrap_or(0) + 1 };
        Self { digits, point }
    }

    /// `1.25e+06`, with so many digits after the point.
    fn scientific(&self, letter: char, fraction: usize) -> String {
        let (first, rest) = self.digits.split_at_checked(1).unwrap_or(("0", ""));
        let point = if fraction > 0 { "." } else { "" };
        let exponent = if self.digits.is_empty() { 0 } else { self.point - 1 };
        let zeros = "0".repeat(fraction.saturating_sub(rest.len()));
        format!("{first}{point}{rest}{zeros}{letter}{}", exponent_text(exponent))
    }

    /// `1250000` or `0.125`: all digits, and no exponent.
    fn fixed(&self) -> String {
        let whole = usize::try_from(self.point).unwrap_or(0);
        let zeros = usize::try_from(-self.point).unwrap_or(0);
        if whole >= self.digits.len() {
            let digits = format!("{}{}", self.digits, "0".repeat(whole - self.digits.len()));
            return if digits.is_empty() { "0".to_owned() } else { digits };
        }
        match self.digits.split_at(whole) {
            ("", fraction) => format!("0.{}{fraction}", "0".repeat(zeros)),
            (whole, fraction) => format!("{whole}.{fraction}"),
        }
    }
}

/// An exponent with its sign and at least two digits.
fn exponent_text(exponent: i32) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{sign}{:02}", exponent.unsigned_abs())
}

/// A number as `mantissa × 2^exponent`, the mantissa whole.
fn parts(number: f64) -> (u64, i32) {
    let bits = number.to_bits();
    let mantissa = bits & ((1 << MANTISSA_BITS) - 1);
    let exponent = i32::try_from((bits >> MANTISSA_BITS) & 0x7ff).unwrap_or(0);
    let (mantissa, exponent) = if exponent == 0 { (mantissa, 1) } else { (mantissa | (1 << MANTISSA_BITS), exponent) };
    (mantissa, exponent - 1023 - MANTISSA_BITS)
}

/// `%b`: `4503599627370496p-52`.
fn binary(number: f64) -> String {
    let (mantissa, exponent) = parts(number);
    format!("{mantissa}p{exponent:+}")
}

/// `%x`: `0x1.8p+01`, one binary digit before the point and `precision` hexadecimal ones after it.
fn hexadecimal(number: f64, form: char, precision: Option<usize>) -> String {
    /// Where the digit before the point is: 15 hexadecimal digits may follow it.
    const FIRST: u32 = 60;
    let (mut mantissa, mut exponent) = parts(number);
    exponent += MANTISSA_BITS;
    mantissa <<= 60 - MANTISSA_BITS;
    if mantissa == 0 {
        exponent = 0;
    } else {
        let shift = mantissa.leading_zeros() - (u64::BITS - 1 - FIRST);
        mantissa <<= shift;
        exponent -= i32::try_from(shift).unwrap_or(0);
    }
    if let Some(digits) = precision.filter(|digits| *digits < 15) {
        let lost = FIRST - 4 * u32::try_from(digits).unwrap_or(0);
        let (kept, rest, half) = (mantissa >> lost, mantissa & ((1 << lost) - 1), 1 << (lost - 1));
        mantissa = (kept + u64::from(rest > half || rest == half && kept & 1 == 1)) << lost;
        if mantissa >> (FIRST + 1) != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let all = format!("{:015x}", mantissa & ((1 << FIRST) - 1));
    let fraction = match precision {
        None => all.trim_end_matches('0').to_owned(),
        Some(digits) => all[..digits.min(15)].to_owned() + &"0".repeat(digits.saturating_sub(15)),
    };
    let point = if fraction.is_empty() { "" } else { "." };
    let text = format!("0x{}{point}{fraction}p{}", mantissa >> FIRST, exponent_text(exponent));
    if form == 'X' { text.to_uppercase() } else { text }
}

#[cfg(test)]
mod tests {
    use super::magnitude;

    #[test]
    fn the_shortest_text_has_an_exponent_below_a_ten_thousandth_and_from_a_million_on() {
        for (number, text) in [
            (0.0, "0"),
            (100_000.0, "100000"),
            (1e6, "1e+06"),
            (123_456_789.0, "1.23456789e+08"),
            (0.0001, "0.0001"),
            (0.000_01, "1e-05"),
            (f64::MIN_POSITIVE * f64::EPSILON, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
        ] {
            assert_eq!(magnitude(number, 'g', None), text);
        }
    }

    #[test]
    fn digits_that_no_number_has_are_zeros() {
        let text = magnitude(f64::MAX, 'f', Some(100_000));
        assert_eq!(text.len(), 309 + 1 + 100_000);
        assert!(text.ends_with('0'));
        let smallest = f64::MIN_POSITIVE * f64::EPSILON;
        assert!(magnitude(smallest, 'f', Some(1080)).ends_with("625000000"));
        assert!(magnitude(smallest, 'e', Some(70_000)).ends_with("000e-324"));
    }

    #[test]
    fn halves_go_to_the_even_digit() {
        for (number, digits, text) in
            [(0.5, 0, "0"), (1.5, 0, "2"), (2.5, 0, "2"), (0.125, 2, "0.12"), (0.375, 2, "0.38")]
        {
            assert_eq!(magnitude(number, 'f', Some(digits)), text);
        }
        assert_eq!(magnitude(2.5, 'e', Some(0)), "2e+00");
        assert_eq!(magnitude(2.5, 'g', Some(1)), "2");
    }
}
