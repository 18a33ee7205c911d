//! How the providers write a counter's value, so that it can be read without being changed.

/// The value of a counter as stored: SQLite keeps eight bytes, little-endian; Redis and others keep decimal digits.
///
/// Eight digits read as a little-endian number would exceed 3 × 10^18, which no counter reaches, so the two forms
/// cannot be confused.
pub fn read(bytes: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(bytes).ok();
    if let Some(number) = text.and_then(|text| text.parse::<i64>().ok()) {
        return Some(number);
    }
    let eight: [u8; 8] = bytes.try_into().ok()?;
    Some(i64::from_le_bytes(eight))
}

#[cfg(test)]
mod tests {
    #[test]
    fn both_forms_are_read() {
        assert_eq!(super::read(&7_i64.to_le_bytes()), Some(7));
        assert_eq!(super::read(b"12345678"), Some(12_345_678));
        assert_eq!(super::read(b"-3"), Some(-3));
        assert_eq!(super::read(b"x"), None);
    }
}
