//! The events that subscribers can be told of. A test holds them against what the domains say.

/// Every action of the audit log, what becomes of executions, and what accounts do; sorted.
const EVENTS: &[&str] = &[
    "access.denied",
    "administrator.create",
    "administrator.delete",
    "administrator.read",
    "apiKey.create",
    "apiKey.delete",
    "audit.export",
    "audit.prune",
    "connectSession.connect",
    "connectSession.create",
    "connectSession.fail",
    "connectSession.start",
    "connect_session.connected",
    "connect_session.failed",
    "credential.connect",
    "credential.connected",
    "credential.create",
    "credential.delete",
    "credential.oauthStart",
    "credential.renew",
    "credential.renewFailed",
    "credential.renewal_failed",
    "credential.share",
    "credential.test",
    "credential.update",
    "dataTable.create",
    "dataTable.delete",
    "dataTable.deleteRows",
    "dataTable.insertRows",
    "dataTable.rename",
    "dataTable.updateRows",
    "dataTable.upsertRow",
    "delivery.resend",
    "encryption.rotate",
    "encryption.rotateWrapping",
    "encryption.wrappingNotRotated",
    "encryption.wrappingRotated",
    "execution.annotate",
    "execution.canceled",
    "execution.crashed",
    "execution.delete",
    "execution.failed",
    "execution.replay",
    "execution.resume",
    "execution.resumed",
    "execution.retry",
    "execution.started",
    "execution.stop",
    "execution.succeeded",
    "execution.waiting",
    "executionJob.cancel",
    "executionJob.create",
    "identityProvider.delete",
    "identityProvider.update",
    "integration.import",
    "integration.trigger",
    "invitation.accept",
    "invitation.create",
    "invitation.delete",
    "queuedWebhook.purge",
    "queuedWebhook.retry",
    "role.create",
    "role.delete",
    "role.update",
    "schedule.backfill",
    "schedule.create",
    "schedule.delete",
    "schedule.pause",
    "schedule.resume",
    "schedule.trigger",
    "schedule.update",
    "session.delete",
    "session.logout",
    "session.refresh",
    "session.tokenReuse",
    "subscription.create",
    "subscription.delete",
    "subscription.disable",
    "subscription.failing",
    "subscription.recover",
    "subscription.rotate",
    "subscription.test",
    "subscription.update",
    "tenant.changePlan",
    "tenant.create",
    "tenant.delete",
    "tenant.export",
    "tenant.restore",
    "tenant.resume",
    "tenant.setHosts",
    "tenant.suspend",
    "tenant.update",
    "test.ping",
    "user.codeFailed",
    "user.delete",
    "user.emailVerify",
    "user.identityLink",
    "user.join",
    "user.login",
    "user.loginFailed",
    "user.logoutEverywhere",
    "user.passwordChange",
    "user.passwordReset",
    "user.passwordResetRequest",
    "user.recoveryCodes",
    "user.secondFactorConfirm",
    "user.secondFactorDisable",
    "user.secondFactorEnrol",
    "user.ssoLogin",
    "user.switchTenant",
    "user.update",
    "webhook.listen",
    "webhook.replay",
    "webhook.rotate",
    "webhook.test",
    "webhook.update",
    "webhookReceiver.rotate",
    "workflow.activate",
    "workflow.create",
    "workflow.deactivate",
    "workflow.delete",
    "workflow.trigger",
    "workflow.update",
];

/// Whether anything is told by such a name: an event, `kind.*` or `*`. An error: what there is in its place.
pub(super) fn check(wanted: &str) -> Result<(), String> {
    if wanted == "*" || EVENTS.contains(&wanted) {
        return Ok(());
    }
    let (kind, event) = wanted.split_once('.').unwrap_or((wanted, ""));
    let of_kind = EVENTS.iter().filter(|known| known.split_once('.').is_some_and(|(known, _)| known == kind));
    let of_kind: Vec<&str> = of_kind.copied().collect();
    if of_kind.is_empty() {
        let mut kinds: Vec<&str> = EVENTS.iter().filter_map(|known| Some(known.split_once('.')?.0)).collect();
        kinds.dedup();
        return Err(format!("there is no such event; the kinds are {}", kinds.join(", ")));
    }
    match event {
        "*" => Ok(()),
        _ => Err(format!("there is no such event; of the kind there are {}", of_kind.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    /// Names of the same shape that are no events.
    const OTHERS: [&str; 9] = [
        "acme.example",
        "audit.csv",
        "audit.jsonl",
        "connections.inferred",
        "excluded.revision",
        "millrace.workflowFinished",
        "tar.gz",
        "tenant.json",
        "workflow.unreadable",
    ];

    /// The names in the source of the domains, without their tests.
    fn names(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                names(&path, found);
                continue;
            }
            let is_source = path.extension().is_some_and(|extension| extension == "rs");
            if !is_source || path.ends_with("event_names.rs") || path.ends_with("tests.rs") {
                continue;
            }
            let source = fs::read_to_string(&path).unwrap();
            let source = source.split("#[cfg(test)]").next().unwrap();
            let code = source.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<String>();
            let is_word = |text: &str| {
                text.starts_with(|letter: char| letter.is_ascii_lowercase())
                    && text.bytes().all(|byte| byte.is_ascii_alphabetic())
            };
            let is_name =
                |text: &&str| text.split_once('.').is_some_and(|(kind, event)| is_word(kind) && is_word(event));
            found.extend(code.split('"').filter(is_name).map(str::to_owned));
        }
    }

    #[test]
    fn every_event_of_the_domains_is_known() {
        let mut found = BTreeSet::new();
        names(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/domains"), &mut found);
        let is_word = |name: &&&str| !name.contains('_');
        let known = EVENTS.iter().filter(is_word).chain(&OTHERS).map(|name| (*name).to_owned()).collect();
        assert_eq!(found, known);
        assert!(EVENTS.is_sorted());
    }

    #[test]
    fn what_nobody_tells_is_refused_with_what_there_is() {
        for wanted in ["*", "execution.*", "execution.failed", "workflow.activate"] {
            assert_eq!(check(wanted), Ok(()), "{wanted}");
        }
        for (wanted, told) in [
            ("execution.error", "execution.failed"),
            ("execution", "execution.failed"),
            ("executions.*", "kinds are"),
            ("", "kinds are"),
            ("exec*", "kinds are"),
            (".*", "kinds are"),
        ] {
            assert!(check(wanted).unwrap_err().contains(told), "{wanted}");
        }
    }
}
