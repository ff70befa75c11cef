//! RSS Read: the entries of an RSS or Atom feed as items, with the field names of rss-parser.

mod feed;
#[cfg(test)]
mod tests;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use millrace_model::{ExecutionError, Item, Object, Str};

use super::http::{Authentication, Draft, Failure, api_error, decode_text, header, send};
use crate::{Behaviour, Capability, HttpRequest, NodeContext, NodeHost, NodeResult, NodeType, Output, field_list};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::new("n8n-nodes-base.rssFeedRead", include_str!("description.json"), Behaviour::Effect(execute))
        .needs(&[Capability::Network]);

fn execute<'a>(context: &'a mut NodeContext<'_>) -> BoxFuture<'a, NodeResult> {
    async move {
        // Version 1 reads one feed, whatever comes in.
        let count = context.items().len();
        let count = if context.version() < 1.1 { count.min(1) } else { count };
        let mut made = Vec::new();
        for index in 0..count {
            match read(context, index).await {
                Ok(entries) => made.extend(entries.into_iter().map(|entry| Item::new(entry).paired(index))),
                Err(error) => made.push(context.failed_item(error, index)?),
            }
        }
        Ok(Output::items(made))
    }
    .boxed()
}

async fn read(context: &mut NodeContext<'_>, index: usize) -> Result<Vec<Object>, ExecutionError> {
    let url = context.text("url", index)?;
    let custom = field_list::split(&context.text("options.customFields", index)?);
    let ignores = context.flag("options.ignoreSSL", index)?;
    fetch(context.host, &url, ignores, &custom).await
}

/// The entries of the feed at an address.
pub(super) async fn fetch(
    host: &dyn NodeHost,
    url: &str,
    ignore_tls_errors: bool,
    custom: &[Str],
) -> Result<Vec<Object>, ExecutionError> {
    if url.is_empty() {
        return Err(ExecutionError::operation("The parameter \"URL\" has to be set!"));
    }
    let request = HttpRequest {
        method: "GET".into(),
        url: url.to_string(),
        follow_redirects: true,
        ignore_tls_errors,
        ..HttpRequest::default()
    };
    let mut draft = Draft { request, ..Draft::default() };
    if draft.full_url().is_none() {
        return Err(ExecutionError::operation("The provided \"URL\" is not valid!"));
    }
    draft.default_header("user-agent", "rss-parser");
    draft.default_header("accept", "application/rss+xml, application/rdf+xml;q=0.8, application/atom+xml;q=0.6, application/xml;q=0.4, text/xml;q=0.4");
    let sent = send(host, draft, &Authentication::None).await;
    let response = sent.map_err(|failure| match failure {
        Failure::Network(ref error) if error.code == "ECONNREFUSED" => ExecutionError::operation(format!(
            "It was not possible to connect to the URL. Please make sure the URL \"{url}\" it is valid!"
        )),
        failure => api_error(&failure),
    })?;
    if !(200..300).contains(&response.status) {
        return Err(ExecutionError::operation(format!("Status code {}", response.status)));
    }
    feed::entries(&decode_text(&response.body, header(&response, "content-type").unwrap_or_default()), custom)
}
