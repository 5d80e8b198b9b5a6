//! Go's quoted strings and characters: strconv.Quote and strconv.Unquote.

/// strconv.Quote.
pub(super) fn quote(text: &str) -> String {
    format!("{text:?}")
}

/// The text of a literal, `"…"` or `` `…` ``; none where it is not one.
pub(super) fn unquote(literal: &str) -> Option<String> {
    if let Some(raw) = literal.strip_prefix('`') {
        return raw.strip_suffix('`').filter(|raw| !raw.contains('`')).map(|raw| raw.replace('\r', ""));
    }
    let mut rest = literal.strip_prefix('"')?.strip_suffix('"')?;
    let mut bytes = Vec::new();
    while !rest.is_empty() {
        rest = piece(rest, '"', &mut bytes)?.1;
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The character of a literal `'…'`, as a number; none where it is not one.
pub(super) fn unquote_char(literal: &str) -> Option<u32> {
    let inner = literal.strip_prefix('\'')?.strip_suffix('\'')?;
    let (code, rest) = piece(inner, '\'', &mut Vec::new())?;
    rest.is_empty().then_some(code)
}

/// Takes one character or escape off the front of what stands between quotes: its code, what is left; and its bytes are
/// appended.
fn piece<'a>(text: &'a str, quote: char, bytes: &mut Vec<u8>) -> Option<(u32, &'a str)> {
    let mut chars = text.chars();
    let first = chars.next()?;
    if first == quote || first == '\n' {
        return None;
    }
    if first != '\\' {
        bytes.extend_from_slice(first.encode_utf8(&mut [0; 4]).as_bytes());
        return Some((first.into(), chars.as_str()));
    }
    let escape = chars.next()?;
    let (digits, radix) = match escape {
        'x' => (2, 16),
        'u' => (4, 16),
        'U' => (8, 16),
        '0'..='7' => (3, 8),
        _ => {
            let simple = simple_escape(escape, quote)?;
            bytes.push(simple);
            return Some((simple.into(), chars.as_str()));
        }
    };
    let rest = if radix == 8 { &text[1..] } else { chars.as_str() };
    let number = rest.get(..digits).filter(|number| number.chars().all(|c| c.is_digit(radix)))?;
    let code = u32::from_str_radix(number, radix).ok()?;
    if matches!(escape, 'u' | 'U') {
        bytes.extend_from_slice(char::from_u32(code)?.encode_utf8(&mut [0; 4]).as_bytes());
    } else {
        bytes.push(u8::try_from(code).ok()?);
    }
    Some((code, &rest[digits..]))
}

fn simple_escape(escape: char, quote: char) -> Option<u8> {
    Some(match escape {
        'a' => 0x07,
        'b' => 0x08,
        'f' => 0x0c,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 0x0b,
        '\\' => b'\\',
        '\'' | '"' if escape == quote => u8::try_from(quote).ok()?,
        _ => return None,
    })
}
