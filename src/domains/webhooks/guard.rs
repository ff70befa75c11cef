//! Decides whether a call of a webhook counts. Exists only for webhooks for which something is set. The order: size (before
//! this), who it is, whether it came before, how many there were: so that forged calls use up nobody's allowance.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use millrace_model::Str;
use millrace_nodes::webhook::ReceivedRequest;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::credentials::Credentials;
use super::gate::{Delivery, Gate, Whose};
use super::log::Draft;
use super::reply::{self, Reply};
use super::settings::{Deduplication, Logging, Network, RateLimit, Replays, Secrets, Settings, SigningSecret, network};
use super::signature::{self, Message, Sample, Scheme};
use crate::common::{TenantId, Timestamp, WebhookId};
use crate::infrastructure::cache::Bucket;
use crate::infrastructure::database::idempotency::Attempt;

/// How long signatures are remembered whose scheme tells no time.
pub(super) const UNDATED_MEMORY: Duration = Duration::from_secs(86_400);

/// Names in lower case.
pub(super) type Headers = Vec<(Str, Str)>;

/// What is set for one webhook, ready to be checked.
#[derive(Debug)]
pub(super) struct Guard {
    tenant: TenantId,
    endpoint: WebhookId,
    credentials: Option<Credentials>,
    signature: Option<Verifier>,
    networks: Vec<Network>,
    certificates: Option<Certificates>,
    rate: Option<Bucket>,
    rate_per_address: Option<Bucket>,
    places: Option<Arc<Semaphore>>,
    deduplication: Option<Deduplication>,
    logging: Option<Logging>,
    body_limit: Option<usize>,
    answer_timeout: Option<Duration>,
}

#[derive(Debug)]
struct Verifier {
    scheme: Scheme,
    tolerance: u32,
    replays: Replays,
    secrets: Vec<SigningSecret>,
}

#[derive(Debug)]
struct Certificates {
    header: String,
    allowed: Vec<String>,
}

/// Who calls, beside what the request says of itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller<'a> {
    pub address: Option<IpAddr>,
    /// Host name and path with query, as the caller wrote them.
    pub host: &'a str,
    pub target: &'a str,
    /// `https`, as callers reach this server.
    pub scheme: &'a str,
    /// The connection comes from a trusted proxy: its headers count.
    pub is_proxied: bool,
    /// The server itself tries the webhook out. Nobody can have seen what it signed, so that need not be remembered.
    pub is_sample: bool,
}

/// A call that counts. It holds its place until it is settled.
#[derive(Debug, Default)]
pub(super) struct Admission {
    delivery: Option<Attempt>,
    seal: Option<Seal>,
    _place: Option<OwnedSemaphorePermit>,
}

/// What was signed is remembered so.
#[derive(Debug)]
struct Seal {
    of: Attempt,
    /// Whoever sends it again signs it anew; else the same bytes come again, and count where the first came to nothing.
    is_dated: bool,
}

/// What to do with a call.
#[derive(Debug)]
pub(super) enum Verdict {
    Admitted(Admission),
    /// The delivery came before, and was answered so.
    Known(Reply),
}

impl Guard {
    /// `None` without settings: then nothing is checked, and it costs nothing. An error: the settings cannot be kept, so
    /// nobody is let in.
    pub(super) fn new(
        tenant: TenantId,
        endpoint: WebhookId,
        settings: &Settings,
        secrets: Secrets,
    ) -> Result<Option<Guard>, super::Error> {
        if *settings == Settings::default() {
            return Ok(None);
        }
        let credentials = match &settings.authentication {
            None => None,
            Some(kind) => {
                let secret = secrets.authentication.as_ref().ok_or(super::Error::Sealed)?;
                Some(Credentials::new(kind, secret).ok_or(super::Error::Sealed)?)
            }
        };
        let signature = settings.signature.as_ref().map(|signature| Verifier {
            scheme: signature.scheme,
            tolerance: signature.tolerance_seconds,
            replays: signature.replays,
            secrets: secrets.signature,
        });
        let certificates = settings.client_certificate.as_ref().map(|certificate| Certificates {
            header: certificate.header.to_ascii_lowercase(),
            allowed: certificate.allowed.iter().map(|text| plain(text)).collect(),
        });
        let networks = settings.allowed_addresses.iter().map(|text| network(text).ok_or(super::Error::Sealed));
        Ok(Some(Guard {
            tenant,
            endpoint,
            credentials,
            signature,
            networks: networks.collect::<Result<_, _>>()?,
            certificates,
            rate: settings.rate_limit.as_ref().map(bucket),
            rate_per_address: settings.rate_limit_per_address.as_ref().map(bucket),
            places: settings.max_concurrent.map(|count| Arc::new(Semaphore::new(usize::try_from(count).unwrap_or(1)))),
            deduplication: settings.deduplication.clone(),
            logging: settings.log.clone(),
            body_limit: settings.body_limit_bytes,
            answer_timeout: settings.answer_timeout_seconds.map(Duration::from_secs),
        }))
    }

    /// Begins an entry of the log, where there is one.
    pub(super) fn draft(&self, caller: &Caller<'_>, request: &ReceivedRequest, now: Timestamp) -> Option<Draft> {
        let logging = self.logging.as_ref()?;
        let shown = self.credentials.as_ref().map(Credentials::shown_in);
        Some(Draft::new((self.tenant, self.endpoint), logging, caller, request, now).hide(shown))
    }

    /// Largest body in bytes.
    pub(super) fn body_limit(&self) -> Option<usize> {
        self.body_limit
    }

    /// How long a caller waits for the workflow.
    pub(super) fn answer_timeout(&self) -> Option<Duration> {
        self.answer_timeout
    }

    /// What proves a sample that this server sends itself: the signature, and credentials as far as they can be made here.
    pub(super) fn prove(&self, sample: &Sample<'_>) -> (Headers, Headers) {
        let newest = self.signature.as_ref().and_then(|verifier| Some((verifier.scheme, verifier.secrets.last()?)));
        let signed = newest.map(|(scheme, secret)| signature::sign(scheme, &[secret.value.expose()], sample));
        let credentials = self.credentials.as_ref().and_then(Credentials::header);
        (signed.unwrap_or_default(), credentials.into_iter().collect())
    }

    /// The query that a sample with this body, which is no form, has to have.
    pub(super) fn query_of(&self, body: &[u8]) -> Option<String> {
        self.signature.as_ref().and_then(|verifier| signature::query_of(verifier.scheme, body))
    }

    /// Checks a call whose body was read within the limit. Claims of its token go into the request.
    pub(super) async fn admit(
        &self,
        gate: &Gate,
        caller: &Caller<'_>,
        request: &mut ReceivedRequest,
    ) -> Result<Verdict, Reply> {
        let now = gate.now();
        if let Some(credentials) = &self.credentials {
            request.jwt_payload = credentials.check(&request.headers, now)?;
        }
        let proof = self.signature.as_ref().map(|verifier| verifier.check(caller, request, now)).transpose()?;
        let mut admission = Admission::default();
        match self.delivery(gate, request).await {
            Ok(Some(Delivery::First(attempt))) => admission.delivery = Some(attempt),
            Ok(None) => {}
            // It begins nothing, so it is counted against nobody but who sends it.
            Ok(Some(Delivery::Again(reply))) => {
                self.count_caller(gate, caller).await?;
                return Ok(Verdict::Known(reply));
            }
            Err(reply) => {
                self.count_caller(gate, caller).await?;
                return Err(reply);
            }
        }
        let admitted = self.count(gate, caller, proof, &mut admission).await;
        match admitted {
            Ok(()) => Ok(Verdict::Admitted(admission)),
            Err(reply) => {
                admission.give_back(gate).await;
                Err(reply)
            }
        }
    }

    /// Checks where a call comes from: its address, and its certificate.
    pub(super) fn check_origin(&self, caller: &Caller<'_>, request: &ReceivedRequest) -> Result<(), Reply> {
        let is_listed = |address: IpAddr| self.networks.iter().any(|network| network.contains(&address));
        if !self.networks.is_empty() && !caller.address.is_some_and(is_listed) {
            return Err(Reply::error(403, "IP is not allowed to access the webhook!", None));
        }
        if let Some(certificates) = &self.certificates {
            let shown = header(request, &certificates.header).filter(|_| caller.is_proxied).map(plain);
            if !shown.is_some_and(|shown| certificates.allowed.contains(&shown)) {
                return Err(Reply::error(403, "The client certificate is not allowed to access the webhook!", None));
            }
        }
        Ok(())
    }

    async fn delivery(&self, gate: &Gate, request: &ReceivedRequest) -> Result<Option<Delivery>, Reply> {
        let Some(settings) = &self.deduplication else { return Ok(None) };
        let scheme = self.signature.as_ref().and_then(|verifier| signature::delivery_header(verifier.scheme));
        let name = settings.header.as_deref().or(scheme).unwrap_or("idempotency-key").to_ascii_lowercase();
        let id = match &settings.pointer {
            None => header(request, &name).map(str::to_owned),
            Some(pointer) => {
                let body = serde_json::from_slice::<serde_json::Value>(&request.body).unwrap_or_default();
                body.pointer(pointer).filter(|id| id.is_string() || id.is_number()).map(ToString::to_string)
            }
        };
        let Some(id) = id.filter(|id| !id.is_empty()) else { return Ok(None) };
        let window = Duration::from_secs(settings.window_seconds);
        let longest = self.answer_timeout.unwrap_or_default().max(gate.answer_timeout());
        gate.begin(self.tenant, self.endpoint, &id, &request.body, window, longest).await.map(Some)
    }

    async fn count(
        &self,
        gate: &Gate,
        caller: &Caller<'_>,
        proof: Option<signature::Proof>,
        admission: &mut Admission,
    ) -> Result<(), Reply> {
        if let (Some(verifier), Some(proof)) = (&self.signature, proof)
            && verifier.replays == Replays::Refuse
            && !caller.is_sample
        {
            // A time may be off either way, so a signature counts for twice the tolerance.
            let dated = Duration::from_secs(u64::from(verifier.tolerance).saturating_mul(2).saturating_add(1));
            let life = if proof.is_dated { dated } else { UNDATED_MEMORY };
            let seal = gate.seal(self.tenant, &self.endpoint.to_string(), proof.content, life).await?;
            let of = seal.ok_or_else(|| reply::unsigned("it was used before"))?;
            admission.seal = Some(Seal { of, is_dated: proof.is_dated });
        }
        self.count_caller(gate, caller).await?;
        if let Some(bucket) = self.rate {
            gate.take(self.tenant, Whose::Endpoint(self.endpoint), bucket).await?;
        }
        if let Some(places) = &self.places {
            admission._place = Some(Arc::clone(places).try_acquire_owned().map_err(|_| reply::busy())?);
        }
        Ok(())
    }

    /// Counts a call against what its address is allowed.
    async fn count_caller(&self, gate: &Gate, caller: &Caller<'_>) -> Result<(), Reply> {
        match (self.rate_per_address, caller.address) {
            (Some(bucket), Some(address)) => {
                gate.take(self.tenant, Whose::Caller(self.endpoint, address), bucket).await
            }
            _ => Ok(()),
        }
    }
}

impl Verifier {
    fn check(&self, caller: &Caller<'_>, request: &ReceivedRequest, now: Timestamp) -> Result<signature::Proof, Reply> {
        let url = match self.scheme {
            Scheme::Twilio => format!("{}://{}{}", caller.scheme, caller.host, caller.target),
            _ => String::new(),
        };
        let message = Message { headers: &request.headers, url: &url, body: &request.body, now: now.as_seconds() };
        let current = self.secrets.iter().filter(|secret| secret.until.is_none_or(|until| until > now));
        let secrets = current.map(|secret| secret.value.expose().as_str());
        signature::verify(self.scheme, secrets, i64::from(self.tolerance), &message)
            .map_err(|refusal| reply::unsigned(&refusal.to_string()))
    }
}

impl Admission {
    /// Says how the call was answered.
    pub(super) async fn settle(self, gate: &Gate, reply: &Reply) {
        if let Some(attempt) = &self.delivery {
            gate.finish(attempt, reply).await;
        }
        if let Some(seal) = &self.seal
            && (reply.execution.is_none() || reply.status >= 500 && !seal.is_dated)
        {
            gate.forget(&seal.of).await;
        }
    }

    /// Nothing was begun: the same call may come again.
    pub(super) async fn give_back(self, gate: &Gate) {
        if let Some(attempt) = &self.delivery {
            gate.abandon(attempt).await;
        }
        if let Some(seal) = &self.seal {
            gate.forget(&seal.of).await;
        }
    }
}

fn bucket(limit: &RateLimit) -> Bucket {
    Bucket::new(limit.requests, Duration::from_secs(limit.seconds.into()), limit.burst.unwrap_or(limit.requests))
}

fn header<'a>(request: &'a ReceivedRequest, name: &str) -> Option<&'a str> {
    request.headers.iter().find(|(present, _)| present == name).map(|(_, value)| value.trim())
}

/// A fingerprint or subject without what proxies write differently.
fn plain(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_whitespace() && *letter != ':').flat_map(char::to_lowercase).collect()
}
