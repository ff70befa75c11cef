//! Secrets of this process's environment: those on the operator's list, for every tenant.

use async_trait::async_trait;

use super::{Provider, SecretError};
use crate::common::{Secret, TenantId};

pub(super) struct Environment {
    allowed: Vec<String>,
}

impl Environment {
    pub(super) fn new(allowed: &[String]) -> Environment {
        Environment { allowed: allowed.to_vec() }
    }
}

#[async_trait]
impl Provider for Environment {
    fn name(&self) -> &'static str {
        "env"
    }

    async fn read(&self, _: TenantId, name: &str) -> Result<Secret<String>, SecretError> {
        let value = self.allowed.iter().find(|allowed| *allowed == name).and_then(|name| std::env::var(name).ok());
        value.map(Secret::new).ok_or_else(|| SecretError::Missing(format!("$secrets.env.{name}")))
    }
}
