//! A server on loopback that workflows call: it counts the calls and says what happens at each.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use tokio::sync::{Semaphore, mpsc};

/// A call that came in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Hit {
    pub(crate) path: String,
    /// The `Idempotency-Key` header; empty without one.
    pub(crate) key: String,
}

struct State {
    hits: mpsc::UnboundedSender<Hit>,
    counts: Mutex<HashMap<Hit, usize>>,
    under_way: AtomicUsize,
    most: AtomicUsize,
    gate: Semaphore,
}

/// Lives as long as the test. A path `/short/…` takes a moment to answer, `/slow/…` a second, `/never/…` does not answer, and
/// `/gate/…` when the test opens the gate.
pub(crate) struct Receiver {
    pub(crate) url: String,
    hits: mpsc::UnboundedReceiver<Hit>,
    state: Arc<State>,
}

impl Receiver {
    pub(crate) fn start() -> Receiver {
        let (sender, hits) = mpsc::unbounded_channel();
        let state = Arc::new(State {
            hits: sender,
            counts: Mutex::default(),
            under_way: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            gate: Semaphore::new(0),
        });
        let data = web::Data::from(Arc::clone(&state));
        let server = HttpServer::new(move || App::new().app_data(data.clone()).default_service(web::to(answer)));
        let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", server.addrs()[0]);
        actix_web::rt::spawn(server.run());
        Receiver { url, hits, state }
    }

    /// Waits for a call of this path; others that come before are passed over.
    pub(crate) async fn wait_for(&mut self, path: &str) -> Hit {
        let found = async {
            loop {
                let hit = self.hits.recv().await.unwrap();
                if hit.path == path {
                    return hit;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(60), found).await.unwrap_or_else(|_| panic!("nobody called {path}"))
    }

    /// The next call, whatever its path.
    pub(crate) async fn next(&mut self) -> Hit {
        let next = tokio::time::timeout(Duration::from_secs(60), self.hits.recv());
        next.await.unwrap_or_else(|_| panic!("nobody called")).unwrap()
    }

    /// Lets one call of a path `/gate/…` through, now or later.
    pub(crate) fn open_gate(&self) {
        self.state.gate.add_permits(1);
    }

    /// How many calls were answered at the same time at most.
    pub(crate) fn most_at_once(&self) -> usize {
        self.state.most.load(Ordering::SeqCst)
    }

    /// How often each call came.
    pub(crate) fn calls(&self) -> HashMap<Hit, usize> {
        self.state.counts.lock().unwrap().clone()
    }

    /// How often each key came for a path.
    pub(crate) fn counts(&self, path: &str) -> Vec<usize> {
        let counts = self.state.counts.lock().unwrap();
        counts.iter().filter(|(hit, _)| hit.path == path).map(|(_, count)| *count).collect()
    }
}

async fn answer(request: HttpRequest, state: web::Data<State>) -> HttpResponse {
    let key = request.headers().get("idempotency-key").map(|value| value.to_str().unwrap().to_owned());
    let hit = Hit { path: request.path().to_owned(), key: key.unwrap_or_default() };
    *state.counts.lock().unwrap().entry(hit.clone()).or_default() += 1;
    // The test may be over.
    drop(state.hits.send(hit));
    state.most.fetch_max(state.under_way.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
    match request.path().split('/').nth(1) {
        Some("short") => tokio::time::sleep(Duration::from_millis(30)).await,
        Some("slow") => tokio::time::sleep(Duration::from_secs(1)).await,
        Some("never") => std::future::pending().await,
        Some("gate") => state.gate.acquire().await.unwrap().forget(),
        _ => {}
    }
    state.under_way.fetch_sub(1, Ordering::SeqCst);
    HttpResponse::Ok().json(serde_json::json!({ "path": request.path() }))
}
