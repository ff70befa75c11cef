//! The text of a field that names external secrets: `={{ $secrets.vault.billing.key }}`, perhaps with text around. It is no
//! expression: nothing else can stand between the braces.

/// A field that begins with `=`, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) struct Template<'t>(Vec<Piece<'t>>);

#[derive(Debug, PartialEq, Eq)]
pub(in super::super) enum Piece<'t> {
    Text(&'t str),
    Secret { provider: &'t str, name: &'t str },
}

impl<'t> Template<'t> {
    /// None: the text is what it says, or it is malformed (see [`Template::parse`]).
    pub(in super::super) fn of(text: &'t str) -> Option<Template<'t>> {
        Template::parse(text)?.ok()
    }

    /// None: a plain text. An error: it begins like a template and is none; the message says what can be written.
    pub(in super::super) fn parse(text: &'t str) -> Option<Result<Template<'t>, &'static str>> {
        let mut rest = text.strip_prefix('=')?;
        let mut pieces = Vec::new();
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((inside, after)) = after.split_once("}}") else { return Some(Err("the braces are not closed")) };
            let Some(secret) = secret(inside.trim()) else {
                return Some(Err("only {{ $secrets.PROVIDER.NAME }} can be used in a credential"));
            };
            pieces.extend([Piece::Text(before), secret]);
            rest = after;
        }
        pieces.push(Piece::Text(rest));
        pieces.retain(|piece| *piece != Piece::Text(""));
        Some(Ok(Template(pieces)))
    }

    pub(super) fn pieces(&self) -> &[Piece<'t>] {
        &self.0
    }
}

fn secret(inside: &str) -> Option<Piece<'_>> {
    let (provider, name) = inside.strip_prefix("$secrets.")?.split_once('.')?;
    let is_name = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    };
    (is_name(provider) && name.split('.').all(is_name)).then_some(Piece::Secret { provider, name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_told_from_text() {
        let secret = |provider, name| Piece::Secret { provider, name };
        for (text, expected) in [
            ("plain", None),
            ("={{ $secrets.env.TOKEN }}", Some(Ok(vec![secret("env", "TOKEN")]))),
            (
                "=Bearer {{$secrets.vault.a.b-c.key}}!",
                Some(Ok(vec![Piece::Text("Bearer "), secret("vault", "a.b-c.key"), Piece::Text("!")])),
            ),
            ("=text", Some(Ok(vec![Piece::Text("text")]))),
            ("=", Some(Ok(vec![]))),
            ("={{ $env.HOME }}", Some(Err(()))),
            ("={{ $secrets.env }}", Some(Err(()))),
            ("={{ $secrets.env.A + 1 }}", Some(Err(()))),
            ("={{ $secrets.vault.../../sys }}", Some(Err(()))),
            ("={{ $secrets.env.A", Some(Err(()))),
        ] {
            let found = Template::parse(text).map(|parsed| parsed.map(|template| template.0).map_err(drop));
            assert_eq!(found, expected, "{text}");
        }
    }
}
