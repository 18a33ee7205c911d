//! Times as XNAT writes them. All in UTC.

use time::OffsetDateTime;

fn at(ms: u64) -> OffsetDateTime {
    let nanoseconds = i128::from(ms).saturating_mul(1_000_000);
    OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// Year, month, day, hour, minute and second, with what stands between them.
fn written(t: OffsetDateTime, [date, between, clock]: [&str; 3]) -> String {
    let (year, month, day) = (t.year(), u8::from(t.month()), t.day());
    let (hour, minute, second) = t.to_hms();
    format!("{year:04}{date}{month:02}{date}{day:02}{between}{hour:02}{clock}{minute:02}{clock}{second:02}")
}

/// `yyyyMMdd_HHmmssSSS`, the name of a prearchive session's timestamp folder.
pub fn timestamp_folder(ms: u64) -> String {
    format!("{}{:03}", written(at(ms), ["", "_", ""]), at(ms).millisecond())
}

/// `yyyy-MM-dd HH:mm:ss.SSS`, a date and time in a table. Always three digits of a second: clients parse them.
pub fn date_time(ms: u64) -> String {
    format!("{}.{:03}", written(at(ms), ["-", " ", ":"]), at(ms).millisecond())
}

#[cfg(test)]
mod tests {
    #[test]
    fn times_have_the_forms_that_clients_parse() {
        let ms = 1_714_559_553_123;
        assert_eq!(super::timestamp_folder(ms), "20240501_103233123");
        assert_eq!(super::date_time(ms), "2024-05-01 10:32:33.123");
    }
}
