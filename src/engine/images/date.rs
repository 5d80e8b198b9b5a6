//! Moments as the API writes them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The moment that an RFC 3339 text means, such as `2026-11-22T01:28:43.123456789Z`. None if it is no such text, or
/// before 1970: the API writes the year 1 for a moment that it does not know.
pub(in super::super) fn moment(text: &str) -> Option<SystemTime> {
    let (date, time) = text.split_once(['T', 't'])?;
    let zone = time.find(['Z', 'z', '+', '-'])?;
    let (time, zone) = time.split_at(zone);
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    // A second of 60 is a leap second.
    if !(1..=12).contains(&month) || day < 1 || day > days_of(year, month) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - ahead(zone)?;
    let since = Duration::new(u64::try_from(seconds).ok()?, nanoseconds(fraction)?);
    UNIX_EPOCH.checked_add(since)
}

/// Numbers of fixed widths with a separator between them.
fn numbers<const N: usize>(text: &str, separator: char, widths: [usize; N]) -> Option<[i64; N]> {
    let mut parts = text.split(separator);
    let mut numbers = [0; N];
    for (number, width) in numbers.iter_mut().zip(widths) {
        let part = parts.next().filter(|part| part.len() == width && is_number(part))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The part of a second behind the dot; what is finer than nanoseconds is dropped.
fn nanoseconds(fraction: &str) -> Option<u32> {
    let nine = if fraction.len() > 9 { fraction.get(..9)? } else { fraction };
    is_number(fraction).then(|| format!("{nine:0<9}").parse().ok())?
}

/// The seconds that a zone is ahead of UTC: `Z`, `+02:00`, `-07:30`.
fn ahead(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, offset) = zone.strip_prefix('-').map_or_else(|| (1, &zone[1..]), |offset| (-1, offset));
    let [hours, minutes] = numbers(offset, ':', [2, 2])?;
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The days from the first of January 1970 to a date of the years 0 to 9999.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let before = year - 1;
    let leap_days = before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400);
    let in_this_year: i64 = (1..month).map(|month| days_of(year, month)).sum();
    // 719162 days lie between the first days of the years 1 and 1970.
    before * 365 + leap_days + in_this_year + day - 1 - 719_162
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> Option<u64> {
        Some(moment(text)?.duration_since(UNIX_EPOCH).expect("since 1970").as_secs())
    }

    /// As `date -u -d TEXT +%s` has them.
    #[test]
    fn dates_are_as_the_calendar_has_them() {
        for (text, since) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-12-31T23:59:59Z", 31_535_999),
            ("1972-02-29T12:00:00Z", 68_212_800),
            ("1999-12-31T23:59:59Z", 946_684_799),
            ("2000-02-29T00:00:00Z", 951_782_400),
            ("2000-03-01T00:00:00Z", 951_868_800),
            ("2024-02-29T23:59:60Z", 1_709_251_200),
            ("2026-11-22T01:28:43Z", 1_795_310_923),
            ("2100-03-01T00:00:00Z", 4_107_542_400),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            assert_eq!(seconds(text), Some(since), "{text}");
        }
    }

    #[test]
    fn a_zone_is_taken_off() {
        assert_eq!(seconds("2026-11-22T03:28:43+02:00"), seconds("2026-11-22T01:28:43Z"));
        assert_eq!(seconds("2026-11-21T17:58:43-07:30"), seconds("2026-11-22T01:28:43z"));
        assert_eq!(seconds("1970-01-01T00:00:00+00:01"), None, "before 1970");
    }

    #[test]
    fn a_fraction_is_kept_to_the_nanosecond() {
        for (fraction, nanoseconds) in
            [("5", 500_000_000), ("123456789", 123_456_789), ("000000001", 1), ("1234567899", 123_456_789)]
        {
            let moment = moment(&format!("1970-01-01T00:00:01.{fraction}Z"));
            assert_eq!(moment, Some(UNIX_EPOCH + Duration::new(1, nanoseconds)), "{fraction}");
        }
    }

    #[test]
    fn the_zero_time_and_what_is_no_moment_are_unknown() {
        for text in [
            "0001-01-01T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "",
            "2026-11-22",
            "2026-11-22T01:28:43",
            "2026-11-22T01:28Z",
            "2026-11-22T01:28:43.Z",
            "2026-11-22T01:28:43.éééééZ",
            "2026-11-22T01:28:43+0200",
            "2026-11-22T01:28:43+é2:00",
            "2026-11-22T01:28:43+25:00",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2026-11-22T24:00:00Z",
            "26-11-22T01:28:43Z",
            "+026-11-22T01:28:43Z",
            "-2026-11-22T01:28:43Z",
            "2026-11-22T01:28:43Zx",
        ] {
            assert_eq!(moment(text), None, "{text}");
        }
    }
}
