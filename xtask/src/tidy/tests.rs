//! Every rule, with a small input that breaks it and one that only looks like it.

use serde_json::json;

use super::{
    Finding,
    allowed::{ALLOWED, Allowed, without},
    check, documents, lexer, manifests, paths, schemas,
};

/// The rules that `code`, with a proper first line, breaks at `path`.
fn broken(path: &str, code: &str) -> Vec<&'static str> {
    let files = ["src/domains/users/service.rs", "src/domains/audit/entities/row.rs"].map(str::to_owned);
    check(path, &format!("//! A page.\n{code}\n"), &files).iter().map(|finding| finding.rule).collect()
}

/// Each case: path, code, and the only rule it breaks, if any.
fn table(cases: &[(&str, &str, Option<&'static str>)]) {
    for (path, code, expected) in cases {
        assert_eq!(broken(path, code), Vec::from_iter(*expected), "{path}\n{code}");
    }
}

#[test]
fn texts() {
    table(&[
        ("README.md", "A line. ", Some("white-space")),
        ("crates/expression/vendor/clock/clock.js", "A line. ", None),
        ("config/default.toml", "path = \"/root/somewhere\"", Some("machine")),
        ("src/cli/serve.rs", "fn f() { todo!() }", Some("promises")),
        ("src/cli/serve.rs", "fn f() { unimplemented!(\"later\") }", Some("promises")),
        ("src/cli/serve.rs", "// FIXME: breaks", Some("promises")),
        ("src/cli/serve.rs", "/// TODO later", Some("promises")),
        ("src/cli/serve.rs", "const TEXT: &str = \"todo!() FIXME\";", None),
        ("src/cli/serve.rs", "#[test] #[ignore = \"slow\"] fn f() {}", Some("tests")),
        ("src/cli/serve.rs", "#[allow(dead_code)] fn f() {}", Some("allow")),
        ("src/cli/serve.rs", "#![allow(dead_code)]", Some("allow")),
        ("src/cli/serve.rs", "#[expect(dead_code, reason = \"r\")] fn f() {}", None),
        ("src/cli/serve.rs", "// let x = compute();", Some("dead-code")),
        ("src/cli/serve.rs", "// if ready {", Some("dead-code")),
        ("src/cli/serve.rs", "// #[derive(Debug)]", Some("dead-code")),
        ("src/cli/serve.rs", "// Waits for the lock; another process may hold it.", None),
        ("src/cli/serve.rs", "// First the children;", None),
        ("src/cli/utils.rs", "", Some("names")),
        ("crates/engine/src/types/mod.rs", "", Some("names")),
        ("src/infrastructure/common/mod.rs", "", Some("names")),
        ("src/common/ids.rs", "", None),
        ("src/cli/serve.rs", "mod helpers;", Some("names")),
        ("src/lib.rs", "pub mod common;", None),
    ]);
}

#[test]
fn a_source_begins_with_its_page_and_stays_short() {
    let rules =
        |text: &str| check("src/cli/serve.rs", text, &[]).iter().map(|finding| finding.rule).collect::<Vec<_>>();
    assert_eq!(rules("use std::fmt;\n"), ["page"]);
    assert_eq!(rules(&format!("//! A page.\n{}", "fn f() {}\n".repeat(499))), [""; 0]);
    assert_eq!(rules(&format!("//! A page.\n{}", "fn f() {}\n".repeat(500))), ["length"]);
    assert_eq!(rules("//! A page."), ["white-space"]);
}

#[test]
fn unscoped_reads() {
    table(&[
        ("src/domains/users/repository.rs", "fn f() { user::Entity::load(); }", Some("scoped")),
        ("src/domains/users/repository.rs", "fn f() { users.load_many(Role, db); }", Some("scoped")),
        ("src/domains/users/repository.rs", "fn f() { users.load(Role, db); }", Some("scoped")),
        ("src/domains/users/repository.rs", "fn f() { flag.load(Ordering::Relaxed); }", None),
        ("src/domains/users/service.rs", "fn f() { registry.load(name); }", None),
    ]);
}

#[test]
fn layers() {
    table(&[
        ("src/common/ids.rs", "use crate::infrastructure::clock::Clock;", Some("layers")),
        ("src/common/ids.rs", "use millrace_model::Value;", Some("layers")),
        ("src/common/ids.rs", "use super::ctx::Ctx;", None),
        ("src/infrastructure/queue/mod.rs", "use crate::domains::users::User;", Some("layers")),
        ("src/infrastructure/queue/mod.rs", "fn f() { crate::domains::users::f() }", Some("layers")),
        ("src/infrastructure/queue/mod.rs", "use crate::{common::Ctx, infrastructure::cache::Cache};", None),
        ("src/infrastructure/queue/mod.rs", "use millrace_engine::Run;", Some("layers")),
        ("src/infrastructure/database/mod.rs", "use millrace_migrations::Migrator;", None),
        ("src/domains/users/mod.rs", "use crate::app::App;", Some("layers")),
        ("src/domains/users/service.rs", "use crate::cli::Serve;", Some("layers")),
        ("src/cli/serve.rs", "use millrace::app::create_app;", None),
        ("tests/api/main.rs", "use millrace::app::create_app;", None),
    ]);
}

#[test]
fn domains() {
    table(&[
        ("src/domains/users/service.rs", "use crate::domains::audit::Audit;", None),
        ("src/domains/users/service.rs", "use super::super::audit::Audit;", None),
        ("src/domains/users/service.rs", "use super::super::workflows::Workflow;", Some("domains")),
        ("src/domains/users/mod.rs", "use super::workflows::Workflow;", Some("domains")),
        ("src/domains/users/service.rs", "use crate::domains::workflows::Workflow;", Some("domains")),
        (
            "src/domains/users/service.rs",
            "use crate::{common::Ctx, domains::{audit, workflows::{self}}};",
            Some("domains"),
        ),
        ("src/domains/webhooks/service.rs", "use crate::domains::scheduling::Timer;", Some("domains")),
        ("src/domains/users/service.rs", "use crate::domains::{audit::entities::row};", Some("domains")),
        ("src/domains/auth/service.rs", "fn f() { crate::domains::users::service::f() }", Some("domains")),
        ("src/domains/auth/service.rs", "fn f() { crate::domains::users::find() }", None),
        ("src/domains/users/service.rs", "use crate::domains;", Some("domains")),
        ("src/domains/users/service.rs", "use super::repository;", None),
        ("src/domains/users/service.rs", "mod tests { use super::super::repository; }", None),
        ("src/domains/gadgets/service.rs", "use std::fmt;", Some("domains")),
    ]);
}

#[test]
fn names_in_the_document() {
    let declared = |code: &str| schemas::declared("src/a.rs", &lexer::tokens(code));
    let plain = "#[derive(Debug, ToSchema)]\n#[serde(tag = \"x\")]\npub struct Status { s: [u8; 2] }";
    let named =
        "#[derive(utoipa::ToSchema)] #[schema(as = AStatus, example = json!([1]))] pub(super) enum Status { A }";
    let other = "#[derive(Debug)] struct Status;";
    for (codes, faults) in [
        (vec![plain], 0),
        (vec![plain, plain], 1),
        (vec![plain, named], 0),
        (vec![named, named], 1),
        (vec![plain, other], 0),
        (vec![plain, plain, plain], 2),
    ] {
        let all = codes.iter().flat_map(|code| declared(code)).collect();
        assert_eq!(schemas::check(all).len(), faults, "{codes:?}");
    }
}

#[test]
fn crates_that_only_some_files_know() {
    table(&[
        ("src/domains/users/service.rs", "use sea_orm::EntityTrait;", Some("orm")),
        ("src/domains/users/service.rs", "fn f(db: &sea_orm::DatabaseConnection) {}", Some("orm")),
        ("src/domains/users/model.rs", "#[derive(sea_orm::DeriveValueType)] struct Role;", None),
        ("src/domains/users/repository.rs", "use sea_orm::EntityTrait;", None),
        ("src/domains/users/repository/search.rs", "use sea_orm::EntityTrait;", None),
        ("src/domains/users/entities/user.rs", "use sea_orm::entity::prelude::*;", None),
        ("src/infrastructure/database/connect.rs", "use sea_orm::Database;", None),
        ("src/infrastructure/cache/mod.rs", "use sqlx::Row;", Some("orm")),
        ("src/domains/users/service.rs", "use actix_web::web;", Some("http")),
        ("src/domains/users/handlers.rs", "use actix_web::web;", None),
        ("src/domains/users/handlers/keys.rs", "use actix_web::web;", None),
        ("src/domains/users/key_handlers.rs", "use actix_web::web;", None),
        ("src/infrastructure/web/mod.rs", "use actix_web::web;", None),
        ("src/infrastructure/queue/mod.rs", "use actix_web::web;", Some("http")),
        ("src/domains/users/service.rs", "use reqwest::Client;", Some("clients")),
        ("src/domains/users/service.rs", "// reqwest::Client is not for us", None),
        ("src/infrastructure/queue/mod.rs", "use lapin::Channel;", None),
        ("tests/api/main.rs", "use reqwest::Client;", None),
    ]);
}

#[test]
fn purity() {
    table(&[
        ("crates/nodes/src/flow/mod.rs", "use std::fs::File;", Some("pure")),
        ("crates/nodes/src/flow/mod.rs", "use std::{net::TcpStream, fmt};", Some("pure")),
        ("crates/nodes/src/flow/mod.rs", "use std::net::IpAddr;", None),
        ("crates/runner/src/lib.rs", "use tokio::net::TcpListener;", Some("pure")),
        ("crates/expression/src/lib.rs", "fn f() { jiff::Timestamp::now(); }", Some("pure")),
        ("crates/expression/src/lib.rs", "fn f() { std::time::Instant::now(); }", None),
        ("crates/engine/src/lib.rs", "fn f() { Instant::now(); }", Some("pure")),
        ("crates/engine/src/lib.rs", "fn f() { Uuid::new_v4(); }", Some("pure")),
        ("crates/engine/src/lib.rs", "use rand::Rng;", Some("pure")),
        ("crates/engine/src/lib.rs", "#[cfg(test)] mod cases { fn f() { std::fs::read(\"x\"); } }", None),
        ("crates/engine/src/tests.rs", "use std::fs;", None),
        ("src/cli/serve.rs", "use std::fs;", None),
        ("src/domains/users/service.rs", "fn f() { jiff::Timestamp::now(); }", Some("clock")),
        ("src/common/clock.rs", "fn f() { jiff::Timestamp::now(); }", None),
    ]);
}

#[test]
fn manifests_follow_the_direction() {
    let faults = |name: &str, dependencies: serde_json::Value| {
        let package = json!({"name": name, "manifest_path": "Cargo.toml", "dependencies": dependencies});
        manifests::check(&json!({"packages": [package]})).len()
    };
    assert_eq!(faults("millrace-engine", json!([{"name": "millrace-model"}, {"name": "serde"}])), 0);
    assert_eq!(faults("millrace-engine", json!([{"name": "millrace-nodes"}])), 1);
    assert_eq!(faults("millrace-nodes", json!([{"name": "reqwest"}, {"name": "sea-orm-migration"}])), 2);
    assert_eq!(faults("millrace-nodes", json!([{"name": "reqwest", "kind": "dev"}])), 0);
    assert_eq!(faults("millrace", json!([{"name": "reqwest"}, {"name": "millrace-runner"}])), 0);
    assert_eq!(faults("millrace-extra", json!([])), 1);
}

#[test]
fn invariants_are_numbered() {
    assert_eq!(documents::check("## Invariants\n\n1. One.\n2. Two.\n   More of two.\n").len(), 0);
    assert_eq!(documents::check("## Invariants\n\n1. One.\n3. Three.\n").len(), 1);
    assert_eq!(documents::check("# Architecture\n").len(), 1);
}

#[test]
fn exceptions_cover_their_rule_and_go_when_unneeded() {
    let finding = |rule, path| Finding::new(rule, path, 1, "m");
    let entry = |path| Allowed { rule: "orm", path, reason: "r" };
    assert!(without(vec![finding("orm", "src/a.rs")], &[entry("src/a.rs")]).is_empty());
    assert!(without(vec![finding("orm", "src/a/b.rs")], &[entry("src/a/")]).is_empty());
    assert_eq!(without(vec![finding("http", "src/a.rs")], &[entry("src/a.rs")]).len(), 2);
    assert_eq!(without(vec![], &[entry("src/a.rs")]).len(), 1);
    assert!(ALLOWED.iter().all(|entry| entry.reason.len() > 20), "every exception says why");
}

#[test]
fn tokens_tell_code_from_the_rest() {
    let source = "let c = '\\''; let s = r#\"a \" // no\"#; /* a /* b */ c */ b\"x\\\"y\" 'life: r#type // end";
    let kinds: Vec<_> = lexer::tokens(source).iter().map(|token| (token.kind, token.text)).collect();
    for (kind, text) in [
        (lexer::Kind::Literal, "'\\''"),
        (lexer::Kind::Literal, "r#\"a \" // no\"#"),
        (lexer::Kind::Comment, "/* a /* b */ c */"),
        (lexer::Kind::Literal, "b\"x\\\"y\""),
        (lexer::Kind::Literal, "'life"),
        (lexer::Kind::Comment, "// end"),
    ] {
        assert!(kinds.contains(&(kind, text)), "{text} in {kinds:?}");
    }
    for unfinished in ["\"", "r##\"", "/*", "'", "'\\", "b'", "ü\"", "/"] {
        assert!(!lexer::tokens(unfinished).is_empty(), "{unfinished}");
    }
}

#[test]
fn paths_are_made_absolute() {
    let source = "use a::{b::{self, C as D}, e::*, f}; use super::x; mod inner { use self::y; use super::z; } \
                  fn g() { self::h::<T>(); k::l::m(); } impl<'a> T for U { type V = crate::w::X; } use ::q::r;";
    let found: Vec<_> = paths::paths("src/domains/users/service.rs", &lexer::tokens(source))
        .into_iter()
        .map(|named| named.segments.join("::"))
        .collect();
    let here = "crate::domains::users";
    let expected = [
        "a::b".into(),
        "a::b::C".into(),
        "a::e".into(),
        "a::f".into(),
        format!("{here}::x"),
        format!("{here}::service::inner::y"),
        format!("{here}::service::z"),
        format!("{here}::service::h"),
        "k::l::m".into(),
        "crate::w::X".into(),
        "q::r".into(),
    ];
    assert_eq!(found, expected);
}
