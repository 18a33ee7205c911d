//! Character sets of text values: Specific Character Set (0008,0005), DICOM PS3.3 C.12.1.1.2 and PS3.5 6.1.
//!
//! Decoding is done by `encoding_rs`, which never fails and never panics; undecodable bytes become U+FFFD. Code
//! extensions (ISO 2022 escape sequences), which it does not know for most of the sets, are followed here.

use encoding_rs::Encoding;
use std::borrow::Cow;

const ESC: u8 = 0x1B;

/// A repertoire that one run of bytes is written in.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Repertoire {
    /// ISO 8859-1 and its subset ASCII; bytes are code points.
    Latin1,
    /// JIS X 0201: half-width katakana in the right half.
    Katakana,
    /// JIS X 0208, two seven-bit bytes a character, in the left half.
    Jis0208,
    /// JIS X 0212, two seven-bit bytes a character, in the left half.
    Jis0212,
    /// Anything whose left half is ASCII.
    Other(&'static Encoding),
}

/// How the text values of a data set are written.
#[derive(Debug, Clone, Copy)]
pub struct Charset {
    initial: Repertoire,
    extensions: bool,
}

impl Default for Charset {
    /// ISO IR 6, read as ISO 8859-1, its superset.
    fn default() -> Self {
        Self { initial: Repertoire::Latin1, extensions: true }
    }
}

impl Charset {
    /// From the value of Specific Character Set; unknown terms are read as the default repertoire.
    pub fn parse(value: &str) -> Self {
        let first = value.split('\\').next().unwrap_or_default().trim();
        let initial = repertoire(first);
        // GB 18030, GBK and UTF-8 stand alone and may not be extended (DICOM PS3.3 C.12.1.1.2).
        let alone = ["ISO_IR 192", "GB18030", "GBK"].contains(&first);
        Self { initial, extensions: !alone }
    }

    /// Decodes one value, all its parts included.
    pub fn decode<'a>(&self, bytes: &'a [u8]) -> Cow<'a, str> {
        let plain = bytes.is_ascii() && !bytes.contains(&ESC);
        if plain && let Ok(text) = std::str::from_utf8(bytes) {
            return Cow::Borrowed(text);
        }
        if !(self.extensions && bytes.contains(&ESC)) {
            return Cow::Owned(decode_run(self.initial, bytes));
        }
        Cow::Owned(self.decode_extended(bytes))
    }

    /// Follows escape sequences; each part of a value starts anew with the first set (DICOM PS3.5 6.1.2.5.3).
    fn decode_extended(&self, bytes: &[u8]) -> String {
        let mut text = String::with_capacity(bytes.len());
        let (mut left, mut right) = (None, self.initial);
        let (mut rest, mut run) = (bytes, 0);
        while let Some(&byte) = rest.get(run) {
            let two_byte = left.is_some();
            let delimiter = !two_byte && matches!(byte, b'\\' | b'^' | b'=' | b'\r' | b'\n' | 0x0C | b'\t');
            if byte != ESC && !delimiter {
                run = run.saturating_add(1);
                continue;
            }
            let (before, after) = rest.split_at_checked(run).unwrap_or((rest, &[]));
            text.push_str(&decode_run(left.unwrap_or(right), before));
            run = 0;
            if delimiter {
                text.push(char::from(byte));
                rest = after.get(1..).unwrap_or_default();
                (left, right) = (None, self.initial);
                continue;
            }
            let escape = after.get(1..).unwrap_or_default();
            match ESCAPES.iter().find(|(sequence, ..)| escape.starts_with(sequence)) {
                Some((sequence, half, repertoire)) => {
                    match half {
                        Half::Left => left = *repertoire,
                        Half::Right => right = repertoire.unwrap_or(self.initial),
                    }
                    rest = escape.get(sequence.len()..).unwrap_or_default();
                }
                None => {
                    text.push(char::REPLACEMENT_CHARACTER);
                    rest = escape;
                }
            }
        }
        text.push_str(&decode_run(left.unwrap_or(right), rest));
        text
    }
}

fn decode_run(repertoire: Repertoire, bytes: &[u8]) -> String {
    match repertoire {
        Repertoire::Latin1 => bytes.iter().map(|&byte| char::from(byte)).collect(),
        Repertoire::Katakana => bytes.iter().map(|&byte| katakana(byte)).collect(),
        Repertoire::Jis0208 => decode_with(encoding_rs::EUC_JP, &shifted(bytes, None)),
        Repertoire::Jis0212 => decode_with(encoding_rs::EUC_JP, &shifted(bytes, Some(0x8F))),
        Repertoire::Other(encoding) => decode_with(encoding, bytes),
    }
}

fn decode_with(encoding: &'static Encoding, bytes: &[u8]) -> String {
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

/// JIS X 0201: the right half holds U+FF61 to U+FF9F at A1 to DF.
fn katakana(byte: u8) -> char {
    match byte {
        0xA1..=0xDF => {
            char::from_u32(0xFEC0_u32.saturating_add(u32::from(byte))).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        0x80.. => char::REPLACEMENT_CHARACTER,
        _ => char::from(byte),
    }
}

/// Seven-bit pairs as EUC has them: high bits set, JIS X 0212 announced by 8F.
fn shifted(bytes: &[u8], prefix: Option<u8>) -> Vec<u8> {
    bytes.chunks(2).flat_map(|pair| prefix.into_iter().chain(pair.iter().map(|byte| byte | 0x80))).collect()
}

/// Defined terms of Specific Character Set (DICOM PS3.3 tables C.12-2 to C.12-5).
fn repertoire(term: &str) -> Repertoire {
    use Repertoire::{Katakana, Latin1, Other};
    let number = term.strip_prefix("ISO_IR ").or_else(|| term.strip_prefix("ISO 2022 IR "));
    match number.unwrap_or(term) {
        "13" => Katakana,
        "101" => Other(encoding_rs::ISO_8859_2),
        "109" => Other(encoding_rs::ISO_8859_3),
        "110" => Other(encoding_rs::ISO_8859_4),
        "144" => Other(encoding_rs::ISO_8859_5),
        "127" => Other(encoding_rs::ISO_8859_6),
        "126" => Other(encoding_rs::ISO_8859_7),
        "138" => Other(encoding_rs::ISO_8859_8),
        "148" => Other(encoding_rs::WINDOWS_1254),
        "203" => Other(encoding_rs::ISO_8859_15),
        "166" => Other(encoding_rs::WINDOWS_874),
        "149" => Other(encoding_rs::EUC_KR),
        "58" | "GBK" | "GB2312" => Other(encoding_rs::GBK),
        "GB18030" => Other(encoding_rs::GB18030),
        "192" => Other(encoding_rs::UTF_8),
        _ => Latin1,
    }
}

#[derive(Debug, Clone, Copy)]
enum Half {
    Left,
    Right,
}

/// Escape sequences without the escape itself (DICOM PS3.3 tables C.12-3 and C.12-4). `None` is a left half of
/// single bytes.
static ESCAPES: &[(&[u8], Half, Option<Repertoire>)] = &[
    (b"(B", Half::Left, None),
    (b"(J", Half::Left, None),
    (b")I", Half::Right, Some(Repertoire::Katakana)),
    (b"$B", Half::Left, Some(Repertoire::Jis0208)),
    (b"$@", Half::Left, Some(Repertoire::Jis0208)),
    (b"$(D", Half::Left, Some(Repertoire::Jis0212)),
    (b"$)C", Half::Right, Some(Repertoire::Other(&encoding_rs::EUC_KR_INIT))),
    (b"$)A", Half::Right, Some(Repertoire::Other(&encoding_rs::GBK_INIT))),
    (b"-A", Half::Right, Some(Repertoire::Latin1)),
    (b"-B", Half::Right, Some(Repertoire::Other(&encoding_rs::ISO_8859_2_INIT))),
    (b"-C", Half::Right, Some(Repertoire::Other(&encoding_rs::ISO_8859_3_INIT))),
    (b"-D", Half::Right, Some(Repertoire::Other(&encoding_rs::ISO_8859_4_INIT))),
    (b"-F", Half::Right, Some(Repertoire::Other(&encoding_rs::ISO_8859_7_INIT))),
    (b"-G", Half::Right, Some(Repertoire::Other(&encoding_rs::ISO_8859_6_INIT))),
    (b"-H", Half::Right, Some(Repertoire::Other(&encoding_rs::ISO_8859_8_INIT))),
    (b"-L", Half::Right, Some(Repertoire::Other(&encoding_rs::ISO_8859_5_INIT))),
    (b"-M", Half::Right, Some(Repertoire::Other(&encoding_rs::WINDOWS_1254_INIT))),
    (b"-T", Half::Right, Some(Repertoire::Other(&encoding_rs::WINDOWS_874_INIT))),
    (b"-b", Half::Right, Some(Repertoire::Other(&encoding_rs::ISO_8859_15_INIT))),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(terms: &str, bytes: &[u8]) -> String {
        Charset::parse(terms).decode(bytes).into_owned()
    }

    #[test]
    fn single_sets_of_ps3_3_table_c_12_2() {
        assert_eq!(decode("", b"DOE^JANE"), "DOE^JANE");
        assert_eq!(decode("ISO_IR 100", b"Buc^J\xe9r\xf4me"), "Buc^Jérôme");
        assert_eq!(decode("ISO_IR 144", b"\xbb\xee\xda\x63\x65\xdc\xd1\xe3\xe0\xd3"), "Люкceмбург");
        assert_eq!(decode("ISO_IR 126", b"\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2"), "Διονυσιος");
        assert_eq!(decode("ISO_IR 192", "王^小東".as_bytes()), "王^小東");
        assert_eq!(decode("ISO_IR 192", b"bad \xff byte"), "bad \u{FFFD} byte");
        assert_eq!(decode("GB18030", b"\xcd\xf5^\xd0\xa1\xb6\xab"), "王^小东");
        assert_eq!(decode("ISO_IR 13", b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3"), "ﾔﾏﾀﾞ^ﾀﾛｳ");
    }

    #[test]
    fn gb18030_may_hold_a_backslash_byte_inside_a_character() {
        assert_eq!(decode("GB18030", b"\x81\x5c\\x"), "乗\\x");
    }

    #[test]
    fn japanese_example_h_3_1_of_ps3_5() {
        let name = b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B";
        assert_eq!(decode("\\ISO 2022 IR 87", name), "Yamada^Tarou=山田^太郎=やまだ^たろう");
    }

    #[test]
    fn japanese_example_h_3_2_with_katakana_first() {
        let name = b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J";
        assert_eq!(decode("ISO 2022 IR 13\\ISO 2022 IR 87", name), "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎");
    }

    #[test]
    fn korean_example_i_2_of_ps3_5() {
        let name = b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf";
        assert_eq!(decode("\\ISO 2022 IR 149", name), "Hong^Gildong=洪^吉洞=홍^길동");
    }

    #[test]
    fn broken_escapes_do_no_harm() {
        for bytes in [&b"\x1b"[..], b"a\x1b", b"\x1b$", b"\x1b$B;", b"\x1b$B\x1b$B\x1b(", b"\x1bZZZ", b"\x1b$)C\xff"] {
            let _ = decode("\\ISO 2022 IR 87", bytes);
        }
        assert_eq!(decode("\\ISO 2022 IR 87", b"a\x1bZb"), "a\u{FFFD}Zb");
    }
}
