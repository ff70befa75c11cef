//! Webhooks as pure functions: what a node's parameters ask for, the items a received request makes, and the answer its
//! caller gets. Who listens, checks credentials and sends is the server.

mod answer;
mod multipart;
mod parts;
mod query_text;
mod request;
mod settings;
#[cfg(test)]
mod tests;

pub use answer::{answer_of_last_node, answer_on_receipt};
pub(crate) use answer::{default_type, encoded};
pub use parts::{PartKind, error_part};
pub use query_text::nested as query;
pub use request::{BinaryStore, ReceivedRequest, items};
pub(crate) use settings::headers;
pub use settings::{Authentication, ResponseData, ResponseMode, Settings};
