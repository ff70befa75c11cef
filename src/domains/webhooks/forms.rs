//! Forms: the page, and the run that a submission begins.

use millrace_model::{Item, Object, Str};
use millrace_nodes::form::{Completion, Form, Page, completion_page, form_page, submitted};
use millrace_nodes::webhook::ReceivedRequest;

use super::error::Error;
use super::receiver::Receiver;
use super::reply::Reply;
use super::service::{self, Service};
use crate::domains::executions::Interest;

impl Service {
    /// The page of a form.
    pub(super) fn form(&self, receiver: &Receiver, filled: &Object) -> Reply {
        page(200, form_page(&form_of(receiver), Page { filled: Some(filled), ..Page::default() }))
    }

    /// Begins the run of a submission that fits the form; the page again, with what is wrong, where it does not.
    pub(super) async fn submit_form(&self, receiver: &Receiver, request: ReceivedRequest) -> Result<Reply, Reply> {
        let form = form_of(receiver);
        let (_, items) = service::received(&request, receiver)?;
        let sent = items.into_iter().next().unwrap_or_default();
        let nothing = millrace_model::Value::Null;
        let body = sent.json.get("body").unwrap_or(&nothing);
        let item: Item = match submitted(&form, body, sent.binary.as_ref(), &self.now().to_string()) {
            Ok(item) => item,
            Err(errors) => return Ok(page(422, form_page(&form, Page { errors: &errors, ..Page::default() }))),
        };
        let launch = service::launch(receiver, 0, vec![item]);
        if !form.waits && !goes_on(receiver) {
            let id = self.executor().submit(launch).await.map_err(Error::from)?;
            return Ok(completed(&form).about(id));
        }
        let (id, answer) = self.executor().call(launch, Interest::FirstAnswer).await.map_err(Error::from)?;
        let program = &receiver.program;
        let reply = self.follow(&program.address, program.tenant, id, &form, answer).await?;
        Ok(reply.about(id))
    }
}

fn form_of(receiver: &Receiver) -> Form {
    Form::read(&receiver.program.compiled.node(receiver.node).parameters)
}

/// Is there a page after this one?
fn goes_on(receiver: &Receiver) -> bool {
    let nodes = &receiver.program.workflow().nodes;
    nodes.iter().any(|node| node.kind == "n8n-nodes-base.form" && !node.disabled)
}

pub(super) fn completed(form: &Form) -> Reply {
    match &form.completion {
        Completion::Text(text) => page(200, completion_page(&form.title, text)),
        Completion::Redirect(url) => redirect(url),
    }
}

pub(super) fn redirect(url: &Str) -> Reply {
    Reply { status: 303, headers: vec![("location".into(), url.clone())], ..Reply::default() }
}

pub(super) fn page(status: u16, html: String) -> Reply {
    let headers = vec![("content-type".into(), "text/html; charset=utf-8".into())];
    Reply { status, headers, body: html.into(), ..Reply::default() }
}
