//! A way to a server that can be cut and opened again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// Lives as long as the test.
#[derive(Clone)]
pub(crate) struct Way {
    address: String,
    open: Arc<AtomicBool>,
    turned_away: Arc<AtomicUsize>,
}

impl Way {
    /// To the server of a URL; `port`: where it names none.
    pub(crate) async fn to(server: &str, port: u16) -> Way {
        let url = Url::parse(server).unwrap();
        let server = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(port));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let way = Way { address, open: Arc::new(AtomicBool::new(true)), turned_away: Arc::default() };
        let (open, turned_away) = (Arc::clone(&way.open), Arc::clone(&way.turned_away));
        tokio::task::spawn_local(async move {
            while let Ok((client, _)) = listener.accept().await {
                if !open.load(Ordering::SeqCst) {
                    turned_away.fetch_add(1, Ordering::SeqCst);
                    continue;
                }
                tokio::task::spawn_local(pass(client, server.clone(), Arc::clone(&open)));
            }
        });
        way
    }

    /// The URL of the server by this way.
    pub(crate) fn by(&self, url: &str) -> String {
        let mut url = Url::parse(url).unwrap();
        let (host, port) = self.address.split_once(':').unwrap();
        url.set_host(Some(host)).unwrap();
        url.set_port(Some(port.parse().unwrap())).unwrap();
        url.into()
    }

    /// Connections that came while it was closed.
    pub(crate) fn turned_away(&self) -> usize {
        self.turned_away.load(Ordering::SeqCst)
    }

    /// Closed, every connection breaks and no other comes about.
    pub(crate) fn set_open(&self, is_open: bool) {
        self.open.store(is_open, Ordering::SeqCst);
    }
}

async fn pass(mut client: TcpStream, server: String, open: Arc<AtomicBool>) {
    // A server that is being restarted is not there.
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    let cut = async {
        while open.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        () = cut => {}
    }
}
