//! A mailbox as a trigger, on a real server: Dovecot on loopback, which wants to be started by root. `cargo xtask test` sees
//! to it where it gives servers, and leaves these out elsewhere.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{another, items, running, standing};
use crate::workflows::activated;

const DOVECOT: &str = "/usr/sbin/dovecot";
const USER: &str = "ann";

/// An IMAP server with one mailbox.
struct Dovecot {
    process: Child,
    port: u16,
    directory: TempDir,
}

impl Dovecot {
    async fn start() -> Dovecot {
        let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
        assert!(
            Path::new(DOVECOT).exists() && is_root,
            "Dovecot (Debian: dovecot-imapd) has to be installed, and run by root"
        );
        let directory = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let place = directory.path().display();
        let configuration = format!(
            "base_dir = {place}/run\nstate_dir = {place}/state\nlog_path = {place}/log\nprotocols = imap\n\
             listen = 127.0.0.1\nssl = no\ndisable_plaintext_auth = no\nfirst_valid_uid = 1\n\
             mail_location = maildir:{place}/mail/%u\nmaildir_stat_dirs = yes\n\
             passdb {{\n driver = static\n args = password=hush\n}}\n\
             userdb {{\n driver = static\n args = uid=nobody gid=nogroup home={place}/mail/%u\n}}\n\
             service imap-login {{\n inet_listener imap {{\n port = {port}\n }}\n inet_listener imaps {{\n port = 0\n }}\n}}\n"
        );
        let file = directory.path().join("dovecot.conf");
        std::fs::write(&file, configuration).unwrap();
        for folder in ["", "mail"] {
            let path = directory.path().join(folder);
            std::fs::create_dir_all(&path).unwrap();
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
        }
        let process = Command::new(DOVECOT).arg("-F").arg("-c").arg(&file).stderr(Stdio::null()).spawn().unwrap();
        let dovecot = Dovecot { process, port, directory };
        for _ in 0..200 {
            if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return dovecot;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{}", std::fs::read_to_string(dovecot.directory.path().join("log")).unwrap_or_default());
    }

    /// Delivers a message as a mail server does: written apart, then put in its place.
    fn deliver(&self, name: &str, subject: &str) {
        let inbox = self.directory.path().join("mail").join(USER);
        for folder in ["", "cur", "new", "tmp"] {
            let path = inbox.join(folder);
            std::fs::create_dir_all(&path).unwrap();
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
        }
        let text = format!(
            "From: Bob <bob@example.org>\r\nTo: ann@example.org\r\nSubject: {subject}\r\n\
             Date: Fri, 31 Jan 2025 08:00:00 +0000\r\nMessage-ID: <{name}@example.org>\r\n\r\nHello {subject}\r\n"
        );
        std::fs::write(inbox.join("tmp").join(name), text).unwrap();
        let file = inbox.join("tmp").join(name);
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
        std::fs::rename(file, inbox.join("new").join(name)).unwrap();
    }

    /// Messages that are marked as read.
    fn read(&self) -> usize {
        let current = self.directory.path().join("mail").join(USER).join("cur");
        let files = std::fs::read_dir(current).unwrap();
        files.filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().contains('S')).count()
    }

    fn credential(&self, password: &str) -> Value {
        json!({ "name": "Mailbox", "type": "imap", "data": {
            "user": USER, "password": password, "host": "127.0.0.1", "port": self.port, "secure": false
        } })
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
    }
}

fn workflow(credential: &Value) -> Value {
    json!({
        "name": "Mail",
        "nodes": [{ "name": "Mailbox", "type": "n8n-nodes-base.emailReadImap", "typeVersion": 2, "position": [0, 0],
                    "parameters": { "options": {} },
                    "credentials": { "imap": { "id": credential["id"], "name": "Mailbox" } } }],
        "connections": {}
    })
}

fn subjects(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["subject"].as_str().unwrap()).collect()
}

#[actix_web::test]
async fn a_message_begins_one_execution_and_is_marked_as_read() {
    let dovecot = Dovecot::start().await;
    let (server, acme, shutdown) = running().await;
    tokio::spawn(another(&server).run(shutdown.clone()));
    dovecot.deliver("m1", "first");
    let credential = acme.developer.post("/api/v1/credentials", dovecot.credential("hush")).await.json(201);
    let id = activated(&acme.developer, workflow(&credential)).await;
    let begun = items(&acme, &id, 1).await;
    assert_eq!(subjects(&begun), ["first"]);
    let item = &begun[0];
    assert_eq!((&item["from"], &item["to"]), (&json!("Bob <bob@example.org>"), &json!("ann@example.org")));
    assert_eq!(item["textPlain"].as_str().unwrap().trim(), "Hello first");
    assert_eq!(item["metadata"]["message-id"], "<m1@example.org>");
    // The server tells of what comes in.
    dovecot.deliver("m2", "second");
    let begun = items(&acme, &id, 2).await;
    assert_eq!(subjects(&begun), ["first", "second"]);
    for _ in 0..200 {
        if dovecot.read() == 2 {
            shutdown.cancel();
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("not marked as read");
}

#[actix_web::test]
async fn a_mailbox_that_does_not_open_is_named_and_tried_again() {
    let dovecot = Dovecot::start().await;
    let (_server, acme, shutdown) = running().await;
    let credential = acme.developer.post("/api/v1/credentials", dovecot.credential("wrong")).await.json(201);
    let id = activated(&acme.developer, workflow(&credential)).await;
    let failing = standing(&acme, &id, "failing").await;
    assert!(failing["error"].as_str().unwrap().to_lowercase().contains("auth"), "{failing}");
    let path = format!("/api/v1/credentials/{}", credential["id"].as_str().unwrap());
    acme.developer.patch(&path, json!({ "data": dovecot.credential("hush")["data"] })).await.expect(200);
    standing(&acme, &id, "listening").await;
    dovecot.deliver("m1", "late");
    assert_eq!(subjects(&items(&acme, &id, 1).await), ["late"]);
    shutdown.cancel();
}
