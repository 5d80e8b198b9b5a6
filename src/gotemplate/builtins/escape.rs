//! Texts for where they go: HTML, JavaScript, and the query of an address.

use std::fmt::Write as _;

use super::super::quote::is_print;

/// Text in HTML.
pub(super) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\0' => out.push('\u{fffd}'),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            _ => out.push(c),
        }
    }
    out
}

/// Text inside of a string of JavaScript.
pub(super) fn js(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '\'' | '"' => out.extend(['\\', c]),
            '<' | '>' | '&' | '=' => _ = write!(out, "\\u{:04X}", u32::from(c)),
            _ if c < ' ' || !c.is_ascii() && !is_print(c) => _ = write!(out, "\\u{:04X}", u32::from(c)),
            _ => out.push(c),
        }
    }
    out
}

/// Text in the query of an address.
pub(super) fn query(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte.into()),
            b' ' => out.push('+'),
            _ => _ = write!(out, "%{byte:02X}"),
        }
    }
    out
}
