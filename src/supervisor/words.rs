//! How numbers and times are told to people.

use std::time::Duration;

/// The ordinal of a number, such as `2nd`.
pub fn ordinal(number: u32) -> String {
    let ending = match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// A time in the two units that matter most, such as `2.3 s` or `1 h 5 min`; those that are zero are left out.
pub fn span(time: Duration) -> String {
    let in_two = |many: u64, unit: &str, few: u64, smaller: &str| match few {
        0 => format!("{many} {unit}"),
        few => format!("{many} {unit} {few} {smaller}"),
    };
    let seconds = time.as_secs();
    match seconds {
        0 if !time.is_zero() => format!("{} ms", time.as_millis()),
        1..10 if time.subsec_millis() >= 100 => format!("{seconds}.{} s", time.subsec_millis() / 100),
        0..60 => format!("{seconds} s"),
        60..3600 => in_two(seconds / 60, "min", seconds % 60, "s"),
        3600..86400 => in_two(seconds / 3600, "h", seconds / 60 % 60, "min"),
        _ => in_two(seconds / 86400, "d", seconds / 3600 % 24, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_what_matters() {
        for (milliseconds, text) in [
            (0, "0 s"),
            (7, "7 ms"),
            (999, "999 ms"),
            (1_000, "1 s"),
            (9_050, "9 s"),
            (9_999, "9.9 s"),
            (59_900, "59 s"),
            (60_000, "1 min"),
            (61_000, "1 min 1 s"),
            (3_600_000, "1 h"),
            (3_700_000, "1 h 1 min"),
            (86_400_000, "1 d"),
            (90_000_000, "1 d 1 h"),
        ] {
            assert_eq!(span(Duration::from_millis(milliseconds)), text);
        }
    }

    #[test]
    fn numbers_have_their_endings() {
        let numbers = [1, 2, 3, 4, 11, 12, 13, 21, 101, 112].map(ordinal);
        assert_eq!(numbers, ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "101st", "112th"]);
    }
}
