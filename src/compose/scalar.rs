//! Scalars with a notation of their own: durations, byte sizes, signals.

use std::str::FromStr;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::{Error, Node};

/// A duration such as `1m30s`, `1.5s`, `300ms`, `0`.
pub fn duration(node: &Node) -> Result<Duration, Error> {
    let text = node.text()?;
    go_duration(&text).ok_or_else(|| {
        let hint = if text.parse::<f64>().is_ok() {
            format!("a duration: it needs a unit, such as {text}s")
        } else {
            "a duration such as 1m30s or 500ms".to_owned()
        };
        node.invalid(hint)
    })
}

/// A duration as Compose reads it: Go's, and with days (`d`) and weeks (`w`); none if it is not one.
pub fn go_duration(text: &str) -> Option<Duration> {
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut seconds = 0f64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let unit = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let scale = match &rest[..unit] {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            "w" => 604_800.0,
            _ => return None,
        };
        seconds += number * scale;
        rest = &rest[unit..];
    }
    // Go's durations end at 2^63 nanoseconds.
    (!text.is_empty() && seconds < 9.2e9).then(|| Duration::from_secs_f64(seconds))
}

/// A number of bytes as Docker reads it (go-units `RAMInBytes`): `67108864`, `64m`, `1.5gb`, `512 KiB`.
pub fn byte_size(node: &Node) -> Result<i64, Error> {
    let text = node.text()?;
    parse_byte_size(&text).ok_or_else(|| node.invalid("a size in bytes such as 64m or 1.5g"))
}

#[expect(clippy::cast_possible_truncation, reason = "a fraction of a byte is dropped, and the range is checked")]
fn parse_byte_size(text: &str) -> Option<i64> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..digits].parse().ok()?;
    let suffix = text[digits..].strip_prefix(' ').unwrap_or(&text[digits..]).to_ascii_lowercase();
    let scale = match suffix.strip_suffix('b').unwrap_or(&suffix) {
        "" => 1u64,
        "k" | "ki" => 1 << 10,
        "m" | "mi" => 1 << 20,
        "g" | "gi" => 1 << 30,
        "t" | "ti" => 1 << 40,
        "p" | "pi" => 1 << 50,
        _ => return None,
    };
    #[expect(clippy::cast_precision_loss, reason = "powers of two up to 2^50 are exact")]
    let bytes = number * scale as f64;
    (bytes < 9.2e18).then_some(bytes as i64)
}

/// A signal by name or number as the engine takes it: `SIGTERM`, `TERM`, `15`, `SIGRTMIN+3`.
pub fn signal(node: &Node) -> Result<String, Error> {
    let text = node.text()?;
    let name = text.to_ascii_uppercase();
    let name = name.strip_prefix("SIG").unwrap_or(&name);
    let known = match name.parse::<i32>() {
        Ok(number) => (1..=64).contains(&number),
        Err(_) => is_real_time(name) || Signal::from_str(&format!("SIG{name}")).is_ok(),
    };
    if known { Ok(text) } else { Err(node.invalid("a signal such as SIGTERM or 15")) }
}

/// `RTMIN`, `RTMIN+1` to `RTMIN+15`, `RTMAX-14` to `RTMAX-1`, `RTMAX`.
fn is_real_time(name: &str) -> bool {
    let above = name.strip_prefix("RTMIN").map(|rest| (rest.strip_prefix('+'), rest, 15));
    let below = name.strip_prefix("RTMAX").map(|rest| (rest.strip_prefix('-'), rest, 14));
    above.or(below).is_some_and(|(distance, rest, most)| {
        rest.is_empty() || distance.and_then(|it| it.parse().ok()).is_some_and(|it: u32| (1..=most).contains(&it))
    })
}

/// A reference of an image, `[HOST[:PORT]/]NAME[:TAG][@DIGEST]`, by the grammar of Docker's registry (distribution's
/// `reference`).
pub fn image(node: &Node) -> Result<String, Error> {
    let text = node.text()?;
    if is_image(&text) {
        return Ok(text);
    }
    let hint = match text.split_once("://") {
        _ if text.is_empty() => " (it is empty: is a variable not set?)",
        Some((_, rest)) if is_image(rest) => " (without '://' and what is before it)",
        _ if is_image(&text.to_ascii_lowercase()) => " (names are lowercase)",
        _ => "",
    };
    Err(node.invalid(format!("an image such as nginx:1.29 or host:5000/org/app{hint}")))
}

fn is_image(text: &str) -> bool {
    let (rest, digest) = text.split_once('@').map_or((text, None), |(rest, digest)| (rest, Some(digest)));
    let (rest, tag) = match rest.rsplit_once(':') {
        Some((rest, tag)) if !tag.contains('/') => (rest, Some(tag)),
        _ => (rest, None),
    };
    // The first part is a host if it can be nothing else.
    let name = match rest.split_once('/') {
        Some((host, name)) if host == "localhost" || host.contains(['.', ':']) || host != host.to_ascii_lowercase() => {
            let (host, port) = host.split_once(':').unwrap_or((host, "0"));
            if !is_host(host) || port.parse::<u16>().is_err() {
                return false;
            }
            name
        }
        _ => rest,
    };
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.split('/').all(is_path_component)
        && tag.is_none_or(|tag| {
            tag.len() <= 128 && tag.starts_with(word) && tag.chars().all(|c| word(c) || ".-".contains(c))
        })
        && digest.is_none_or(|digest| {
            let hex = digest.split_once(':').map(|(_, hex)| hex);
            hex.is_some_and(|hex| hex.len() >= 32 && hex.chars().all(|c| c.is_ascii_hexdigit()))
        })
}

fn is_host(host: &str) -> bool {
    let label = |part: &str| {
        !part.is_empty()
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    host.split('.').all(label)
}

/// Lowercase letters and digits, with `.`, `_`, `__` or any number of `-` between them.
fn is_path_component(part: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separators = part.split(plain).filter(|separator| !separator.is_empty());
    part.starts_with(plain)
        && part.ends_with(plain)
        && separators.into_iter().all(|it| matches!(it, "." | "_" | "__") || it.chars().all(|c| c == '-'))
}

#[cfg(test)]
mod tests {
    use super::super::yaml::valid;
    use super::*;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        for (text, milliseconds) in
            [("0", 0), ("1m30s", 90_000), ("1.5s", 1_500), ("300ms", 300), ("2h", 7_200_000), ("1w1d1h", 694_800_000)]
        {
            assert_eq!(go_duration(text), Some(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["", "10", "s", "1x", "-1s", "d", "5", "1s2", "1.2.3s", "9999999999999h"] {
            assert_eq!(go_duration(text), None, "{text}");
        }
    }

    #[test]
    fn a_duration_without_a_unit_gets_a_hint() {
        let node = valid("10");
        assert_eq!(
            duration(&node).expect_err("no unit").to_string(),
            "line 1, column 1: '10' is not a duration: it needs a unit, such as 10s"
        );
    }

    #[test]
    fn byte_sizes_are_read_as_docker_reads_them() {
        for (text, bytes) in
            [("67108864", 67_108_864), ("64m", 67_108_864), ("1.5gb", 1_610_612_736), ("512 KiB", 524_288), ("1b", 1)]
        {
            assert_eq!(parse_byte_size(text), Some(bytes), "{text}");
        }
        for text in ["", "m", "64x", "-1", "1 2", "99999999p"] {
            assert_eq!(parse_byte_size(text), None, "{text}");
        }
    }

    #[test]
    fn signals_by_name_and_number() {
        for (text, known) in [
            ("SIGTERM", true),
            ("quit", true),
            ("9", true),
            ("RTMIN+3", true),
            ("SIGRTMAX", true),
            ("RTMAX-14", true),
            ("RTMINx", false),
            ("RTMIN+16", false),
            ("SIGNOPE", false),
            ("65", false),
            ("0", false),
        ] {
            assert_eq!(signal(&valid(text)).is_ok(), known, "{text}");
        }
    }

    #[test]
    fn images_by_dockers_grammar() {
        let digest = format!("x@sha256:{}", "ab".repeat(32));
        for text in ["nginx", "org/img:1", "host:5000/x", "localhost/x", "Host/x", "a.b/c__d/e-f--g.h:T_1", &digest] {
            assert!(is_image(text), "{text}");
        }
        for text in ["", "UPPER", "Not:An:Image", "a b", "x:", "x@y", "a//b", "/x", "x..y", "-x", "h:99999/x", "x:t/"] {
            assert!(!is_image(text), "{text}");
        }
    }
}
