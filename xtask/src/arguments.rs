//! The command line, taken apart by hand. Refuses what nobody asked for: an unknown option is an error.

use std::collections::VecDeque;

use anyhow::Result;

/// The arguments that are not yet consumed, in order.
pub(crate) struct Arguments(VecDeque<String>);

impl Arguments {
    pub(crate) fn from_env() -> Self {
        Self(std::env::args().skip(1).collect())
    }

    /// Takes `name` out, wherever it stands, and says whether it was there.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|argument| argument != name);
        self.0.len() < before
    }

    /// Takes `name VALUE` or `name=VALUE` out.
    pub(crate) fn option(&mut self, name: &str) -> Result<Option<String>> {
        let joined = format!("{name}=");
        let Some(at) = self.0.iter().position(|argument| argument == name || argument.starts_with(&joined)) else {
            return Ok(None);
        };
        let argument = self.0.remove(at).unwrap_or_default();
        if let Some(value) = argument.strip_prefix(&joined) {
            return Ok(Some(value.to_owned()));
        }
        match self.0.remove(at) {
            Some(value) => Ok(Some(value)),
            None => Err(Wrong(format!("`{name}` wants a value")).into()),
        }
    }

    /// Everything that is left, for a program that is called with it.
    pub(crate) fn rest(self) -> Vec<String> {
        self.0.into()
    }

    /// Fails when something is left that no one understood.
    pub(crate) fn finish(&self) -> Result<()> {
        match self.0.front() {
            None => Ok(()),
            Some(argument) => Err(Wrong(format!("`{argument}` is not understood; see `cargo xtask --help`")).into()),
        }
    }
}

impl Iterator for Arguments {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        self.0.pop_front()
    }
}

/// A command line that makes no sense: exit code 2.
#[derive(Debug)]
pub(crate) struct Wrong(pub(crate) String);

impl std::fmt::Display for Wrong {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Wrong {}
