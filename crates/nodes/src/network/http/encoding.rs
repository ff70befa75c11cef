//! Text of a response in the character set that its content type names.

use encoding_rs::{Encoding, UTF_8};

/// Decodes a body; UTF-8 where the content type names no known character set.
pub(crate) fn decode_text(body: &[u8], content_type: &str) -> String {
    let (text, _, _) = charset(content_type).unwrap_or(UTF_8).decode(body);
    text.into_owned()
}

/// The `charset` parameter of a content type, quoted or not.
fn charset(content_type: &str) -> Option<&'static Encoding> {
    let parameters = content_type.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let mut named = parameters.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    let (_, label) = named.next()?;
    Encoding::for_label(label.trim().trim_matches(['"', '\'']).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_charset() {
        for content_type in ["text/plain; charset=latin1", "text/plain; x=y; Charset=\"iso-8859-1\""] {
            assert_eq!(decode_text(b"caf\xe9", content_type), "café");
        }
        assert_eq!(decode_text("café".as_bytes(), "text/plain"), "café");
        assert_eq!(decode_text("café".as_bytes(), "text/plain; charset=nonsense"), "café");
    }
}
