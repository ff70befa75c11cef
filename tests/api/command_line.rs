//! The commands of operators, run as programs of their own on a server's database.

use millrace::infrastructure::database::Backend;

use crate::support::Process;

#[actix_web::test]
async fn administrators_are_granted_and_listed() {
    let mut process = Process::start(&[]).await;
    process.terminate();
    let (code, said, complained) = process.run(&["admin", "list"]);
    assert!(code == 0 && !said.contains("acme"), "{said}{complained}");
    let (code, said, _) = process.run(&["admin", "grant", "owner@acme.test"]);
    assert_eq!((code, said.as_str()), (0, "owner@acme.test administers the platform\n"));
    let (code, said, _) = process.run(&["admin", "list"]);
    assert!(code == 0 && said.lines().any(|line| line.starts_with("owner@acme.test since ")), "{said}");
    let (code, said, complained) = process.run(&["admin", "grant", "nobody@acme.test"]);
    assert_eq!((code, said.as_str()), (2, ""));
    assert!(complained.contains("nobody has an account with the address"), "{complained}");
    assert_eq!(process.run(&["admin", "revoke"]).0, 2);
    process.restart(&["serve"]).await;
    let listed = process.call("GET", "/api/v1/admin/tenants", None).await;
    assert_eq!(listed["data"][0]["slug"], "acme", "{listed}");
}

#[actix_web::test]
async fn audit_logs_are_proved_or_the_broken_row_is_named() {
    let mut process = Process::start(&[]).await;
    for number in 0..4 {
        let body = serde_json::json!({ "name": format!("name {number}") });
        process.call("PATCH", "/api/v1/tenants/current", Some(body)).await;
    }
    process.terminate();
    let (code, said, complained) = process.run(&["audit", "verify"]);
    assert!(code == 0 && said.lines().any(|line| line.starts_with("acme: intact, ")), "{said}{complained}");
    assert_eq!(process.run(&["audit", "verify", "--tenant", "acme"]).0, 0);
    let (code, _, complained) = process.run(&["audit", "verify", "--tenant", "globex"]);
    assert!(code == 2 && complained.contains("there is no tenant \"globex\""), "{complained}");
    process
        .tamper(|backend| match backend {
            Backend::Postgres => "ALTER TABLE audit_events DISABLE TRIGGER USER",
            _ => "DROP TRIGGER IF EXISTS audit_events_unchanged",
        })
        .await;
    process.tamper(|_| "UPDATE audit_events SET after = '{}' WHERE sequence = 3").await;
    let (code, said, complained) = process.run(&["audit", "verify"]);
    assert!(code == 1 && said.lines().any(|line| line.starts_with("acme: BROKEN at row 3: ")), "{said}");
    assert!(complained.contains("written"), "{complained}");
}
