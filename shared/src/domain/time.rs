//! Times as XNAT writes them. All in UTC.

use time::OffsetDateTime;

/// The longest of the forms below.
const LONGEST_BYTES: usize = "yyyy-MM-dd HH:mm:ss.SSS".len();

/// Year, month, day, hour, minute, second and milliseconds, with what stands between them. Long lists have two of these
/// in each row, so the digits are written without the general formatter.
fn written(ms: u64, [date, between, clock, fraction]: [&str; 4]) -> String {
    let seconds = i64::try_from(ms / 1000).unwrap_or(i64::MAX);
    let t = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (year, month, day) = t.to_calendar_date();
    let (hour, minute, second) = t.to_hms();
    let mut out = String::with_capacity(LONGEST_BYTES);
    push_digits(&mut out, u32::try_from(year).unwrap_or(0), 4);
    for (before, number) in [(date, u8::from(month)), (date, day), (between, hour), (clock, minute), (clock, second)] {
        out.push_str(before);
        push_digits(&mut out, number.into(), 2);
    }
    out.push_str(fraction);
    push_digits(&mut out, u32::try_from(ms % 1000).unwrap_or(0), 3);
    out
}

/// The last `count` digits of a number.
fn push_digits(out: &mut String, number: u32, count: u32) {
    for position in (0..count).rev() {
        let digit = number / 10_u32.pow(position) % 10;
        out.push(char::from_digit(digit, 10).unwrap_or('0'));
    }
}

/// `yyyyMMdd_HHmmssSSS`, the name of a prearchive session's timestamp folder.
pub fn timestamp_folder(ms: u64) -> String {
    written(ms, ["", "_", "", ""])
}

/// `yyyy-MM-dd HH:mm:ss.SSS`, a date and time in a table. Always three digits of a second: clients parse them.
pub fn date_time(ms: u64) -> String {
    written(ms, ["-", " ", ":", "."])
}

/// `yyyy-MM-ddTHH:mm:ss.SSSZ` (RFC 3339), a date and time in a message.
pub fn rfc3339(ms: u64) -> String {
    let mut text = written(ms, ["-", "T", ":", "."]);
    text.push('Z');
    text
}

/// `EEE MMM dd HH:mm:ss UTC yyyy`, as Java shows dates, which XNAT's items carry.
pub fn java_date(ms: u64) -> String {
    let seconds = i64::try_from(ms / 1000).unwrap_or(i64::MAX);
    let t = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let (weekday, month) = (t.weekday().to_string(), t.month().to_string());
    let short = |name: &str| name.chars().take(3).collect::<String>();
    let (hour, minute, second) = t.to_hms();
    let (weekday, month, day) = (short(&weekday), short(&month), t.day());
    format!("{weekday} {month} {day:02} {hour:02}:{minute:02}:{second:02} UTC {:04}", t.year())
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_have_the_forms_that_clients_parse() {
        let ms = 1_714_559_553_123;
        assert_eq!(super::timestamp_folder(ms), "20240501_103233123");
        assert_eq!(super::date_time(ms), "2024-05-01 10:32:33.123");
        assert_eq!(super::rfc3339(ms), "2024-05-01T10:32:33.123Z");
        assert_eq!(super::date_time(0), "1970-01-01 00:00:00.000");
        assert_eq!(super::date_time(1_709_251_199_007), "2024-02-29 23:59:59.007");
        assert_eq!(super::java_date(ms), "Wed May 01 10:32:33 UTC 2024");
        assert_eq!(super::date_time(u64::MAX), "1970-01-01 00:00:00.615", "beyond the calendar");
    }
}
