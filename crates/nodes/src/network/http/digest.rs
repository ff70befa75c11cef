//! Digest access authentication (RFC 7616): the answer to a server's challenge.

use std::fmt::Write as _;

use md5::Md5;
use sha2::{Digest, Sha256};
use url::Url;

/// The `Authorization` header that answers a `WWW-Authenticate: Digest` challenge; `None` for other challenges.
pub(super) fn answer(
    challenge: &str,
    user: &str,
    password: &str,
    method: &str,
    url: &Url,
    client_nonce: &[u8],
) -> Option<String> {
    let (scheme, parameters) = challenge.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("digest") {
        return None;
    }
    let parameters = parse(parameters);
    let parameter = |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let (realm, nonce) = (parameter("realm").unwrap_or_default(), parameter("nonce")?);
    let algorithm = parameter("algorithm").unwrap_or("MD5");
    let hash = match algorithm.to_ascii_uppercase().trim_end_matches("-SESS") {
        "SHA-256" => hex_of::<Sha256>,
        "MD5" => hex_of::<Md5>,
        _ => return None,
    };
    let uri = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let client_nonce = hex(client_nonce);
    let mut secret = hash(&format!("{user}:{realm}:{password}"));
    if algorithm.to_ascii_uppercase().ends_with("-SESS") {
        secret = hash(&format!("{secret}:{nonce}:{client_nonce}"));
    }
    let request = hash(&format!("{method}:{uri}"));
    let protected = parameter("qop").is_some_and(|offered| offered.split(',').any(|one| one.trim() == "auth"));
    let response = if protected {
        hash(&format!("{secret}:{nonce}:00000001:{client_nonce}:auth:{request}"))
    } else {
        hash(&format!("{secret}:{nonce}:{request}"))
    };
    let mut header = format!(
        "Digest username=\"{}\", realm=\"{}\", nonce=\"{}\", uri=\"{uri}\", response=\"{response}\"",
        quoted(user),
        quoted(realm),
        quoted(nonce)
    );
    if parameter("algorithm").is_some() {
        let _ = write!(header, ", algorithm={algorithm}");
    }
    if protected {
        let _ = write!(header, ", qop=auth, nc=00000001, cnonce=\"{client_nonce}\"");
    }
    if let Some(opaque) = parameter("opaque") {
        let _ = write!(header, ", opaque=\"{}\"", quoted(opaque));
    }
    Some(header)
}

/// `name=value` and `name="value"` pairs, names in lower case.
fn parse(parameters: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let mut rest = parameters.trim();
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim_matches([',', ' ', '\t']).to_ascii_lowercase();
        let value;
        if let Some(quoted) = after.trim_start().strip_prefix('"') {
            let mut text = String::new();
            let mut letters = quoted.chars();
            while let Some(letter) = letters.next() {
                match letter {
                    '"' => break,
                    '\\' => text.extend(letters.next()),
                    letter => text.push(letter),
                }
            }
            value = text;
            rest = letters.as_str();
        } else {
            let (bare, after) = after.split_once(',').unwrap_or((after, ""));
            value = bare.trim().to_owned();
            rest = after;
        }
        pairs.push((name, value));
    }
    pairs
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

fn hex_of<D: Digest>(text: &str) -> String {
    hex(&D::digest(text.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Worked example of RFC 7616 §3.9.1 with the client nonce given there.
    #[test]
    fn answers_as_the_rfc_does() {
        let challenge = "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=MD5, \
                         nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
                         opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";
        let url = Url::parse("http://www.example.org/dir/index.html").unwrap();
        let header = answer(challenge, "Mufasa", "Circle of Life", "GET", &url, b"nonce").unwrap();
        let secret = hex_of::<Md5>("Mufasa:http-auth@example.org:Circle of Life");
        let request = hex_of::<Md5>("GET:/dir/index.html");
        let expected = hex_of::<Md5>(&format!(
            "{secret}:7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v:00000001:{}:auth:{request}",
            hex(b"nonce")
        ));
        assert_eq!(secret, "3d78807defe7de2157e2b0b6573a855f");
        assert!(header.contains(&format!("response=\"{expected}\"")), "{header}");
        assert!(header.contains("qop=auth, nc=00000001") && header.contains("opaque=\"FQhe/"), "{header}");
    }

    #[test]
    fn leaves_other_schemes_alone() {
        let url = Url::parse("http://h/").unwrap();
        for challenge in ["Basic realm=\"x\"", "Digest realm=\"no nonce\"", "", "Digest nonce=\"n\", algorithm=SHA-1"] {
            assert_eq!(answer(challenge, "u", "p", "GET", &url, b"x"), None, "{challenge}");
        }
    }
}
