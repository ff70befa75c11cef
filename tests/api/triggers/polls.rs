//! Nodes that look for news at their poll times.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::HttpResponse;
use serde_json::json;

use super::items;
use crate::support::{TestServer, Vendor};
use crate::workflows::activated;

#[actix_web::test]
async fn news_begin_an_execution_and_no_news_leave_no_trace() {
    let feed = Arc::new(Mutex::new(String::new()));
    let shown = Arc::clone(&feed);
    let vendor = Vendor::start(move |_| {
        let entries = shown.lock().unwrap().clone();
        HttpResponse::Ok().content_type("application/xml").body(format!("<rss><channel>{entries}</channel></rss>"))
    });
    let server = TestServer::with(|config| {
        config.auth.access_token_seconds = 86_400;
        config.http_client.allow_private_networks = vec!["127.0.0.0/8".parse().unwrap()];
    })
    .await;
    let acme = server.tenant("acme").await;
    let shutdown = tokio_util::sync::CancellationToken::new();
    drop(server.app.start_background(&[millrace::infrastructure::config::Role::Worker], &shutdown));
    let workflow = json!({
        "name": "News",
        "nodes": [{ "name": "Feed", "type": "n8n-nodes-base.rssFeedReadTrigger", "typeVersion": 1, "position": [0, 0],
                    "parameters": { "feedUrl": vendor.url, "pollTimes": { "item": [{ "mode": "everyX", "value": 5, "unit": "minutes" }] } } }],
        "connections": {}
    });
    let workflow = activated(&acme.developer, workflow).await;
    let poll = async || {
        let before = vendor.asked().len();
        let mut fired = 0;
        // In small steps: what is due for long was missed.
        for _ in 0..60 {
            server.clock.advance(Duration::from_secs(10));
            fired = server.app.schedules.fire_everything_due().await.unwrap();
            if fired > 0 {
                break;
            }
        }
        assert_eq!(fired, 1);
        for _ in 0..400 {
            if vendor.asked().len() > before {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("nobody looked: {}", acme.viewer.get("/api/v1/executions?includeData=true").await.json(200));
    };
    let entry = |title: &str, at: &str| format!("<item><title>{title}</title><pubDate>{at}</pubDate></item>");
    *feed.lock().unwrap() = entry("old", "Fri, 31 Jan 2025 07:00:00 GMT");
    poll().await;
    poll().await;
    feed.lock().unwrap().push_str(&entry("new", "Fri, 31 Jan 2025 08:12:00 GMT"));
    poll().await;
    let begun = items(&acme, &workflow, 1).await;
    assert_eq!(begun[0]["title"], "new");
    poll().await;
    feed.lock().unwrap().push_str(&entry("newer", "Fri, 31 Jan 2025 08:21:00 GMT"));
    poll().await;
    let begun = items(&acme, &workflow, 2).await;
    let titles: Vec<&str> = begun.iter().map(|item| item["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["new", "newer"]);
    let all = acme.viewer.get("/api/v1/executions").await.json(200);
    assert_eq!(all["data"].as_array().unwrap().len(), 2, "{all}");
    shutdown.cancel();
}
