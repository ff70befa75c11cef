//! Forms in mid-run: the page that an execution waits at, what is sent with it, and what comes after it. A submission says
//! which page it belongs to, so that one sent twice does not answer the next page.

use std::sync::Arc;
use std::time::Duration;

use millrace_model::Object;
use millrace_nodes::form::{
    Completion, Ending, Form, Page, Shown, TICKET, completion_page, ending_page, form_page, patience_page, submitted,
};
use millrace_nodes::webhook::ReceivedRequest;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::error::Error;
use super::forms::{completed, page, redirect};
use super::receiver::Receiver;
use super::reply::Reply;
use super::service::{self, Service};
use crate::common::{ExecutionId, TenantId};
use crate::domains::executions::{Answer, Resumed, Status, Waiting};

/// How long a browser is kept waiting for the next page before it is asked to come again.
const PATIENCE: Duration = Duration::from_secs(10);
/// Seconds after which it comes again.
const AGAIN: u32 = 3;
/// Between two looks: at first, and at most.
const LOOK: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(400));

impl Service {
    /// What the execution shows now. `after`: somebody has just sent a page and comes for the next one.
    pub(super) async fn waiting_form(
        &self,
        tenant: TenantId,
        id: &str,
        filled: &Object,
        after: bool,
    ) -> Result<Reply, Reply> {
        let parsed = self.form_of(tenant, id).await?;
        let rests = |found: &Resumed| match found {
            Resumed::Running => false,
            Resumed::Waiting(waiting) => is_form(waiting),
            Resumed::Over | Resumed::Unknown => true,
        };
        match self.resting(tenant, parsed, rests).await? {
            Some(Resumed::Waiting(waiting)) if is_form(&waiting) => self.show(&waiting, filled).await,
            Some(Resumed::Over) if after => self.over(tenant, parsed).await,
            Some(Resumed::Over) => Err(gone(409, "This form has been completed already")),
            Some(Resumed::Unknown) => Err(gone(404, "There is no such form")),
            Some(Resumed::Running | Resumed::Waiting(_)) | None => Ok(page(200, patience_page(AGAIN))),
        }
    }

    /// Takes what was sent with a page.
    pub(super) async fn submit_waiting_form(
        &self,
        tenant: TenantId,
        id: &str,
        request: ReceivedRequest,
    ) -> Result<Reply, Reply> {
        let parsed = self.form_of(tenant, id).await?;
        let waiting = match self.executions.waiting(tenant, parsed).await.map_err(Error::from)? {
            Resumed::Waiting(waiting) if is_form(&waiting) => waiting,
            Resumed::Over => return Err(gone(409, "This form has been completed already")),
            Resumed::Running => return Err(gone(409, "This page has been sent already")),
            Resumed::Waiting(_) | Resumed::Unknown => return Err(gone(404, "There is no such form")),
        };
        let Some(Shown::Page(form)) = waiting.pause.shows.as_ref().map(Shown::read) else {
            return Err(gone(409, "This form has been completed already"));
        };
        let receiver = Receiver::new(Arc::clone(&waiting.program), waiting.node, None);
        let (_, items) = service::received(&request, &receiver)?;
        let sent = items.into_iter().next().unwrap_or_default();
        let body = sent.json.get("body").cloned().unwrap_or_default();
        if body.get(TICKET).is_some_and(|ticket| ticket.to_js_string() != ticket_of(&waiting)) {
            return Err(gone(409, "This page has been sent already"));
        }
        let item = match submitted(&form, &body, sent.binary.as_ref(), &self.now().to_string()) {
            Ok(item) => item,
            Err(errors) => {
                let ticket = ticket_of(&waiting);
                return Ok(page(422, form_page(&form, Page { errors: &errors, filled: None, ticket: Some(&ticket) })));
            }
        };
        let resumed = self.executions.resume(&waiting, Some(Arc::new(vec![item]))).await.map_err(Error::from)?;
        let Some(answer) = resumed else { return Err(gone(409, "This page has been sent already")) };
        if self.is_told_at_once(&waiting, &form) {
            return Ok(completed(&form));
        }
        self.follow(&waiting.program.address, tenant, parsed, &form, answer).await
    }

    /// What comes after a page: the end of the run, an answer of a node, or the next page.
    pub(super) async fn follow(
        &self,
        address: &str,
        tenant: TenantId,
        id: ExecutionId,
        form: &Form,
        answer: oneshot::Receiver<Answer>,
    ) -> Result<Reply, Reply> {
        // A run that was begun a moment ago may not be stored yet; the end of it is an answer.
        let at_form = |found: &Resumed| matches!(found, Resumed::Waiting(waiting) if is_form(waiting));
        tokio::select! {
            biased;
            answer = answer => match answer {
                Ok(Answer::Responded(response)) => return Ok(response.into()),
                Ok(Answer::Ended(ended)) if ended.status == Status::Success => return Ok(completed(form)),
                Ok(Answer::Ended(_)) => return Ok(page(500, completion_page(&form.title, PROBLEM))),
                Err(_) => {}
            },
            rests = self.resting(tenant, id, at_form) => drop(rests?),
        }
        self.executor().require_stored(tenant, id).await.map_err(Error::from)?;
        Ok(redirect(&ecow::eco_format!("{address}/form-waiting/{id}?after")))
    }

    /// The execution when it rests; `None`: that takes too long.
    async fn resting(
        &self,
        tenant: TenantId,
        id: ExecutionId,
        rests: impl Fn(&Resumed) -> bool,
    ) -> Result<Option<Resumed>, Reply> {
        let (deadline, mut pause) = (Instant::now() + PATIENCE, LOOK.0);
        loop {
            let found = self.executions.waiting(tenant, id).await.map_err(Error::from)?;
            if rests(&found) {
                return Ok(Some(found));
            }
            if Instant::now() + pause > deadline {
                return Ok(None);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LOOK.1);
        }
    }

    async fn show(&self, waiting: &Waiting, filled: &Object) -> Result<Reply, Reply> {
        let ending = match waiting.pause.shows.as_ref().map(Shown::read) {
            Some(Shown::Page(form)) => {
                let ticket = ticket_of(waiting);
                return Ok(page(
                    200,
                    form_page(&form, Page { filled: Some(filled), ticket: Some(&ticket), errors: &[] }),
                ));
            }
            Some(Shown::Ending(ending)) => ending,
            None => return Err(gone(404, "There is no such form")),
        };
        // The end has been seen: the run need not wait for it any more.
        self.executions.resume(waiting, None).await.map_err(Error::from)?;
        Ok(match ending {
            Ending::Redirect(url) => redirect(&url),
            Ending::Text { title, message, file } => page(200, ending_page(&title, &message, file.as_ref())),
            Ending::Markup(markup) => {
                let mut reply = page(200, markup.as_str().to_owned());
                reply.headers.push(("content-security-policy".into(), "sandbox".into()));
                reply
            }
        })
    }

    async fn over(&self, tenant: TenantId, id: ExecutionId) -> Result<Reply, Reply> {
        let is_success = self.executions.succeeded(tenant, id).await.map_err(Error::from)?;
        let (status, text) = match (is_success, Completion::default()) {
            (true, Completion::Text(text)) => (200, text),
            _ => (500, PROBLEM.into()),
        };
        Ok(page(status, completion_page("", &text)))
    }

    async fn form_of(&self, tenant: TenantId, id: &str) -> Result<ExecutionId, Reply> {
        self.tenants.profile(tenant).await.and_then(|profile| profile.require_active()).map_err(Error::from)?;
        id.parse().map_err(|_| gone(404, "There is no such form"))
    }

    /// Wait answers at once, unless it is told to wait for the workflow; Form always goes on.
    fn is_told_at_once(&self, waiting: &Waiting, form: &Form) -> bool {
        waiting.program.workflow().node(waiting.node).kind == "n8n-nodes-base.wait" && !form.waits
    }
}

const PROBLEM: &str = "There was a problem submitting your form";

fn is_form(waiting: &Waiting) -> bool {
    waiting.pause.resume.as_deref() == Some("form")
}

/// Which page of which run of its node it is.
fn ticket_of(waiting: &Waiting) -> String {
    format!("{}-{}", waiting.node.0, waiting.run_index)
}

fn gone(status: u16, text: &str) -> Reply {
    page(status, completion_page(text, ""))
}
