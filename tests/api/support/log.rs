//! What the server logs, kept instead of written.

use std::io::Write;
use std::sync::{Arc, Mutex};

use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::SubscriberExt;

/// Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Keeps what this thread logs, from the finest level on, as long as the guard lives.
    pub(crate) fn hear(&self) -> DefaultGuard {
        tracing::subscriber::set_default(self.subscriber())
    }

    /// Keeps what the whole process logs from now on.
    pub(crate) fn hear_everything(&self) {
        tracing::subscriber::set_global_default(self.subscriber()).unwrap();
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.bytes()).unwrap()
    }

    fn subscriber(&self) -> impl tracing::Subscriber + Send + Sync + use<> {
        let log = self.clone();
        let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(move || log.clone());
        tracing_subscriber::registry().with(tracing_subscriber::EnvFilter::new("trace")).with(layer)
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
