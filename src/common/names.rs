//! Closed sets of names: an enumeration that reads and writes its variants by one word each, in JSON, in columns and in
//! the OpenAPI document alike.

/// The text is none of the set's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown name")]
pub struct UnknownName;

/// Declares an enumeration whose variants each have a name.
macro_rules! names {
    ($(#[$doc:meta])* $kind:ident { $($(#[$variant_doc:meta])* $name:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $kind { $($(#[$variant_doc])* #[serde(rename = $text)] $name,)* }

        impl $kind {
            pub const ALL: &[$kind] = &[$($kind::$name,)*];

            pub const fn as_str(self) -> &'static str {
                match self { $($kind::$name => $text,)* }
            }
        }

        // By hand: the derive does not see names that come out of a macro.
        impl utoipa::PartialSchema for $kind {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                let names = $kind::ALL.iter().map(|kind| kind.as_str());
                let text = utoipa::openapi::schema::Type::String;
                utoipa::openapi::schema::ObjectBuilder::new().schema_type(text).enum_values(Some(names)).into()
            }
        }

        impl utoipa::ToSchema for $kind {}

        impl std::fmt::Display for $kind {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $kind {
            type Err = $crate::common::names::UnknownName;

            fn from_str(text: &str) -> Result<$kind, Self::Err> {
                $kind::ALL.iter().copied().find(|known| known.as_str() == text).ok_or($crate::common::names::UnknownName)
            }
        }
    };
}

pub(crate) use names;

#[cfg(test)]
#[expect(unreachable_pub, reason = "the macro makes what it declares public")]
mod tests {
    use utoipa::PartialSchema;

    names! {
        /// A set.
        Policy {
            RunOnce = "runOnce",
            Skip = "skip",
        }
    }

    #[test]
    fn json_text_and_document_use_the_same_names() {
        let schema = serde_json::to_value(Policy::schema()).unwrap();
        assert_eq!(schema["enum"], serde_json::to_value(Policy::ALL).unwrap());
        assert_eq!("runOnce".parse::<Policy>().unwrap(), Policy::RunOnce);
        assert_eq!(Policy::Skip.to_string(), "skip");
        assert!("RunOnce".parse::<Policy>().is_err());
    }
}
