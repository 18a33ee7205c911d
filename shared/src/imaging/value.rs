//! From the bytes of a value to text (DICOM PS3.5 6.2).

use super::charset::Charset;
use super::element::Encoding;
use dicom_core::VR;

/// Numbers kept of a binary value with many of them; no element of interest has more than four.
const MAX_NUMBERS: usize = 64;

/// The value as text: decoded, without padding, several values joined by `\`. `None` if there is no value or the
/// VR has no text.
pub fn render(vr: VR, bytes: &[u8], encoding: Encoding, charset: &Charset) -> Option<String> {
    let text = match vr {
        // One text that may hold backslashes and whose leading blanks count.
        VR::LT | VR::ST | VR::UT => charset.decode(bytes).trim_end_matches([' ', '\0']).to_owned(),
        VR::LO | VR::PN | VR::SH | VR::UC => joined(&charset.decode(bytes)),
        VR::AE | VR::AS | VR::CS | VR::DA | VR::DS | VR::DT | VR::IS | VR::TM | VR::UI | VR::UR => {
            joined(&Charset::default().decode(bytes))
        }
        VR::US => numbers(bytes, |b| encoding.u16(b).to_string()),
        VR::SS => numbers(bytes, |b| encoding.u16(b).cast_signed().to_string()),
        VR::UL => numbers(bytes, |b| encoding.u32(b).to_string()),
        VR::SL => numbers(bytes, |b| encoding.u32(b).cast_signed().to_string()),
        VR::FL => numbers(bytes, |b| f32::from_bits(encoding.u32(b)).to_string()),
        VR::FD => {
            let big = encoding.big_endian;
            numbers(bytes, |b| if big { f64::from_be_bytes(b) } else { f64::from_le_bytes(b) }.to_string())
        }
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// Values separated by backslashes, each without its padding.
fn joined(text: &str) -> String {
    const PADDING: [char; 2] = [' ', '\0'];
    let text = text.trim_matches(PADDING);
    let mut joined = String::with_capacity(text.len());
    for (n, part) in text.split('\\').enumerate() {
        if n > 0 {
            joined.push('\\');
        }
        joined.push_str(part.trim_matches(PADDING));
    }
    joined
}

fn numbers<const N: usize>(bytes: &[u8], show: impl Fn([u8; N]) -> String) -> String {
    let (chunks, _) = bytes.as_chunks::<N>();
    chunks.iter().take(MAX_NUMBERS).map(|&chunk| show(chunk)).collect::<Vec<_>>().join("\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn le(vr: VR, bytes: &[u8]) -> Option<String> {
        render(vr, bytes, Encoding::EXPLICIT_LE, &Charset::default())
    }

    #[test]
    fn padding_is_no_part_of_a_value() {
        assert_eq!(le(VR::UI, b"1.2.3\0").as_deref(), Some("1.2.3"));
        assert_eq!(le(VR::DS, b" 1.5 \\ 2 ").as_deref(), Some("1.5\\2"));
        assert_eq!(le(VR::LT, b"  a\\b  ").as_deref(), Some("  a\\b"));
        assert_eq!(le(VR::CS, b"  "), None);
        assert_eq!(le(VR::OB, b"xx"), None);
    }

    #[test]
    fn binary_numbers_are_written_in_decimal() {
        assert_eq!(le(VR::US, &[0, 1, 2, 0]).as_deref(), Some("256\\2"));
        assert_eq!(le(VR::FD, &2.5f64.to_le_bytes()).as_deref(), Some("2.5"));
        assert_eq!(le(VR::FL, &0.1f32.to_le_bytes()).as_deref(), Some("0.1"));
        assert_eq!(le(VR::SS, &[0xFF, 0xFF]).as_deref(), Some("-1"));
        assert_eq!(render(VR::US, &[1, 0], Encoding::EXPLICIT_BE, &Charset::default()).as_deref(), Some("256"));
        assert_eq!(le(VR::US, &[1]), None);
    }
}
