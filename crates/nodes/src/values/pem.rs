//! Keys in PEM form as people paste them: with blanks or escaped line breaks where lines should end.

/// The same key with proper lines; text that is no PEM stays as it is.
pub(super) fn normalized(text: &str) -> String {
    let text = text.trim().replace("\\n", "\n");
    let Some((label, body)) = parts(&text) else { return text };
    let letters: String = body.chars().filter(|letter| !letter.is_whitespace()).collect();
    let mut pem = format!("-----BEGIN {label}-----\n");
    for (at, letter) in letters.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            pem.push('\n');
        }
        pem.push(letter);
    }
    pem.push_str(&format!("\n-----END {label}-----\n"));
    pem
}

/// The label of a PEM text and what stands between its markers.
fn parts(text: &str) -> Option<(&str, &str)> {
    let (label, rest) = text.strip_prefix("-----BEGIN ")?.split_once("-----")?;
    let (body, _) = rest.split_once("-----END ")?;
    // Headers of an encrypted key end with an empty line and must stay.
    (!body.contains(':')).then_some((label, body))
}

#[cfg(test)]
mod tests {
    use super::normalized;

    #[test]
    fn restores_lines() {
        let good = format!("-----BEGIN KEY-----\n{}\n{}\n-----END KEY-----\n", "A".repeat(64), "B".repeat(10));
        let body = format!("{}{}", "A".repeat(64), "B".repeat(10));
        let table = [
            good.clone(),
            good.replace('\n', " "),
            good.replace('\n', "\\n"),
            format!("-----BEGIN KEY-----{body}-----END KEY-----"),
        ];
        for text in table {
            assert_eq!(normalized(&text), good, "{text}");
        }
        assert_eq!(normalized(" secret "), "secret");
    }
}
