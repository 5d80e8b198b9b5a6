//! Durations as Go's time.Duration writes them.

const SECOND: u64 = 1_000_000_000;

/// A number of nanoseconds such as `1h30m0s`, `1.5s` or `250µs`: no unit above hours, and below a second the largest
/// that fits.
pub(super) fn duration(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let all = nanoseconds.unsigned_abs();
    let text = match all {
        0 => "0s".to_owned(),
        1..1_000 => format!("{all}ns"),
        1_000..1_000_000 => format!("{}µs", decimal(all, 1_000)),
        1_000_000..SECOND => format!("{}ms", decimal(all, 1_000_000)),
        _ => {
            let (minutes, rest) = (all / (60 * SECOND), all % (60 * SECOND));
            let seconds = decimal(rest, SECOND);
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{seconds}s"),
                (0, minutes) => format!("{minutes}m{seconds}s"),
                (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
            }
        }
    };
    format!("{sign}{text}")
}

/// A number in another unit, without zeros after the point. The unit is a power of ten.
fn decimal(number: u64, unit: u64) -> String {
    let fraction = (unit + number % unit).to_string();
    let text = format!("{}.{}", number / unit, &fraction[1..]);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_print_as_in_go() {
        for (nanoseconds, text) in [
            (0, "0s"),
            (1, "1ns"),
            (-1_100, "-1.1µs"),
            (2_200_000, "2.2ms"),
            (999_999_999, "999.999999ms"),
            (1_000_000_000, "1s"),
            (90_000_000_000, "1m30s"),
            (1_500_000_000, "1.5s"),
            (129_600_000_000_000, "36h0m0s"),
            (60_000_000_001, "1m0.000000001s"),
            (i64::MAX, "2562047h47m16.854775807s"),
            (i64::MIN, "-2562047h47m16.854775808s"),
        ] {
            assert_eq!(duration(nanoseconds), text);
        }
    }
}
