//! Checks of request bodies: turns `validator`'s findings into field errors with JSON pointers, and holds the rules used by many.

use std::borrow::Cow;

use validator::{ValidationError, ValidationErrors, ValidationErrorsKind};

use super::error::FieldError;

/// Lists every finding, in the order of their pointers. Field names become camelCase as in the JSON.
pub fn field_errors(errors: &ValidationErrors) -> Vec<FieldError> {
    let mut found = Vec::new();
    collect("", errors, &mut found);
    found.sort_by(|left, right| left.pointer.cmp(&right.pointer));
    found
}

fn collect(prefix: &str, errors: &ValidationErrors, found: &mut Vec<FieldError>) {
    for (field, kind) in errors.errors() {
        let pointer = format!("{prefix}/{}", pointer_token(&camel_case(field)));
        match kind {
            ValidationErrorsKind::Struct(inner) => collect(&pointer, inner, found),
            ValidationErrorsKind::List(items) => {
                for (index, inner) in items {
                    collect(&format!("{pointer}/{index}"), inner, found);
                }
            }
            ValidationErrorsKind::Field(list) => {
                found
                    .extend(list.iter().map(|error| {
                        FieldError::new(pointer.clone(), error.code.clone(), message(error).into_owned())
                    }));
            }
        }
    }
}

fn message(error: &ValidationError) -> Cow<'_, str> {
    if let Some(message) = &error.message {
        return Cow::Borrowed(message);
    }
    let bound = |name: &str| error.params.get(name).map(ToString::to_string);
    match (&*error.code, bound("min"), bound("max")) {
        ("length", Some(min), Some(max)) => format!("must be between {min} and {max} characters or items long").into(),
        ("length", Some(min), None) => format!("must be at least {min} characters or items long").into(),
        ("length", None, Some(max)) => format!("must be at most {max} characters or items long").into(),
        ("range", Some(min), Some(max)) => format!("must be between {min} and {max}").into(),
        ("range", Some(min), None) => format!("must be at least {min}").into(),
        ("range", None, Some(max)) => format!("must be at most {max}").into(),
        ("email", ..) => "must be an e-mail address".into(),
        (code, ..) => format!("is not valid ({code})").into(),
    }
}

fn camel_case(field: &str) -> String {
    let mut words = field.split('_');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.extend(letters);
    }
    name
}

/// Escapes one step of a JSON pointer (RFC 6901 §3).
pub fn pointer_token(token: &str) -> Cow<'_, str> {
    if token.contains(['~', '/']) {
        Cow::Owned(token.replace('~', "~0").replace('/', "~1"))
    } else {
        Cow::Borrowed(token)
    }
}

/// For names people read: something visible, nothing that breaks a line or hides in a terminal.
pub fn visible_text(text: &str) -> Result<(), ValidationError> {
    if text.trim().is_empty() {
        return Err(ValidationError::new("blank").with_message("must not be blank".into()));
    }
    if text.chars().any(char::is_control) {
        return Err(ValidationError::new("control_characters").with_message("must not hold control characters".into()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use validator::Validate;

    use super::*;

    #[derive(Validate)]
    struct Inner {
        #[validate(range(min = 1, max = 5))]
        retry_count: u32,
    }

    #[derive(Validate)]
    struct Outer {
        #[validate(length(min = 1, max = 3), custom(function = visible_text))]
        display_name: String,
        #[validate(nested)]
        steps: Vec<Inner>,
    }

    #[test]
    fn findings_point_into_the_document() {
        let body = Outer {
            display_name: "a\nbcd".to_owned(),
            steps: vec![Inner { retry_count: 1 }, Inner { retry_count: 9 }],
        };
        let found = field_errors(&body.validate().unwrap_err());
        let pairs: Vec<_> = found.iter().map(|error| (error.pointer.as_str(), &*error.code)).collect();
        assert_eq!(
            pairs,
            [("/displayName", "length"), ("/displayName", "control_characters"), ("/steps/1/retryCount", "range")]
        );
    }

    #[test]
    fn pointer_steps_are_escaped() {
        assert_eq!(pointer_token("a/b~c"), "a~1b~0c");
    }
}
