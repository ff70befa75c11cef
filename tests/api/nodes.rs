//! The catalogue of node types.

use crate::support::TestServer;

#[actix_web::test]
async fn node_types_are_listed_and_described() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let page = acme.viewer.get("/api/v1/node-types?search=webhook&limit=1").await.json(200);
    assert_eq!(page["data"].as_array().unwrap().len(), 1);
    let set = acme.viewer.get("/api/v1/node-types/n8n-nodes-base.set").await.json(200);
    assert_eq!(set["name"], "n8n-nodes-base.set");
    assert!(!set["variants"][0]["properties"].as_array().unwrap().is_empty());
    let unknown = acme.viewer.get("/api/v1/node-types/n8n-nodes-base.webhok").await.problem(404, "node_type_not_found");
    assert!(unknown["detail"].as_str().unwrap().contains("n8n-nodes-base.webhook"), "{unknown}");
}
