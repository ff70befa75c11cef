//! Who may import whom within `src/`: common, infrastructure, the domains in their order, and the crates of others.

use super::{Finding, paths::Named};

/// The domains from the lowest up. Those of one line do not see each other.
const ORDER: &[&[&str]] = &[
    &["audit"],
    &["tenants"],
    &["users"],
    &["auth"],
    &["credentials", "data_tables", "nodes"],
    &["plugin_marketplace"],
    &["workflows"],
    &["executions"],
    &["scheduling", "webhooks", "approvals", "orchestration", "ai_agents", "notifications", "integrations"],
    &["monitoring"],
];

/// Crates that only some files may know, and the files.
const CONFINED: &[Confined] = &[
    Confined {
        rule: "orm",
        crates: &["sea_orm", "sea_query", "sea_orm_migration", "sqlx"],
        may: |place| {
            place.part == "infrastructure" && place.module == "database" || place.is(&["repository", "entities"])
        },
        fix: "queries belong into `repository.rs`, rows into `entities/`; a service passes on the connection type that \
              `infrastructure::database` exports",
    },
    Confined {
        rule: "http",
        crates: &["actix_web", "actix_http", "actix_rt", "utoipa_actix_web", "utoipa_swagger_ui", "tracing_actix_web"],
        may: |place| match place.part {
            "domains" => place.is(&["handlers", "dto", "mod"]) || place.is_named_like("_handlers"),
            "infrastructure" => ["web", "telemetry"].contains(&place.module),
            part => ["app", "main", "cli"].contains(&part),
        },
        fix: "only `handlers.rs`, `dto.rs` and `mod.rs` of a domain and `infrastructure::web` know actix",
    },
    Confined {
        rule: "clients",
        crates: &[
            "redis",
            "deadpool_redis",
            "lapin",
            "reqwest",
            "hyper",
            "lettre",
            "object_store",
            "elasticsearch",
            "influxdb2",
        ],
        may: |place| place.part == "infrastructure",
        fix: "only `infrastructure` talks to other systems; use or extend its traits",
    },
];

/// What makes a newtype or an enumeration fit into a column; it queries nothing.
const VALUES: [&str; 3] = ["DeriveValueType", "DeriveActiveEnum", "EnumIter"];

struct Confined {
    rule: &'static str,
    crates: &'static [&'static str],
    may: fn(&Place<'_>) -> bool,
    fix: &'static str,
}

/// Where a file of `src/` stands.
struct Place<'a> {
    /// `common`, `infrastructure`, `domains`, `app`, `main`, `lib`, `cli`.
    part: &'a str,
    /// The domain or the module of `infrastructure`; empty elsewhere.
    module: &'a str,
    /// What lies below that, without `.rs`: `["handlers"]`, `["entities", "row"]`.
    inside: Vec<&'a str>,
}

impl<'a> Place<'a> {
    fn of(path: &'a str) -> Option<Self> {
        let path = path.strip_prefix("src/")?.strip_suffix(".rs")?;
        let mut steps = path.split('/');
        Some(Self { part: steps.next()?, module: steps.next().unwrap_or_default(), inside: steps.collect() })
    }

    /// Whether it is the file or in the folder of one of these names.
    fn is(&self, names: &[&str]) -> bool {
        self.inside.first().is_some_and(|first| names.contains(first))
    }

    /// Whether it is a file such as `key_handlers`.
    fn is_named_like(&self, ending: &str) -> bool {
        self.inside.first().is_some_and(|first| first.ends_with(ending))
    }
}

/// Checks a file of `src/`; others have no layers.
pub(super) fn check(path: &str, uses: &[Named], files: &[String]) -> Vec<Finding> {
    let Some(place) = Place::of(path) else { return Vec::new() };
    let mut findings: Vec<Finding> = Vec::new();
    for named in uses {
        if findings.last().is_some_and(|last| last.line == named.line) {
            // One finding a line says enough.
            continue;
        }
        let finding = |(rule, message): (&'static str, String)| Finding::new(rule, path, named.line, message);
        findings.extend(between_parts(&place, named).map(finding));
        findings.extend(between_domains(&place, named, files).map(finding));
        findings.extend(confined(&place, named).map(finding));
    }
    findings
}

fn between_parts(place: &Place<'_>, named: &Named) -> Option<(&'static str, String)> {
    let first = named.segment(0)?;
    let target = named.segment(1).filter(|_| first == "crate" || first == "millrace");
    if target == Some("app") && !["main", "lib", "cli", "app"].contains(&place.part) {
        return Some(("layers", "nothing imports `app.rs`; take what is needed as a parameter or a trait".into()));
    }
    let (allowed, may_see): (&[&str], _) = match place.part {
        "common" => (&["common"], "nothing of ours"),
        "infrastructure" => (&["common", "infrastructure"], "only `common`"),
        "domains" => (&["common", "infrastructure", "domains"], "`common`, `infrastructure` and lower domains"),
        _ => return None,
    };
    let forbidden = match target {
        Some(target) => !allowed.contains(&target) && first == "crate" && is_module(target),
        None => first.starts_with("millrace_") && !may_use_crate(place.part, first),
    };
    let name = named.segments.join("::");
    forbidden.then(|| ("layers", format!("`{}` may import {may_see}, not `{name}`", place.part)))
}

/// The workspace's crates, for the parts of the server.
fn may_use_crate(part: &str, name: &str) -> bool {
    part == "domains" || part == "infrastructure" && name == "millrace_migrations"
}

/// A part of the server, and not an item of the crate's root.
fn is_module(name: &str) -> bool {
    name.starts_with(char::is_lowercase)
}

fn between_domains(place: &Place<'_>, named: &Named, files: &[String]) -> Option<(&'static str, String)> {
    if place.part != "domains" || place.inside.is_empty() {
        return None;
    }
    let Some(own) = rank(place.module) else {
        let name = place.module;
        return Some(("domains", format!("`{name}` has no place in the order of domains: give it one in `layers.rs`")));
    };
    if !named.starts_with(&["crate", "domains"]) {
        return None;
    }
    let Some(other) = named.segment(2) else {
        return Some(("domains", "name the domain: `use crate::domains::audit`, not `use crate::domains`".into()));
    };
    if other == place.module {
        return None;
    }
    if rank(other).is_none_or(|other| other >= own) {
        let why = "domains see only lower ones: let the lower one define a trait that `app.rs` plugs in, or an event";
        return Some(("domains", format!("`{}` may not import `{other}`: {why}", place.module)));
    }
    let inner = named.segment(3)?;
    let folder = format!("src/domains/{other}/{inner}");
    let is_file = files.iter().any(|file| *file == format!("{folder}.rs") || file.starts_with(&format!("{folder}/")));
    is_file.then(|| ("domains", format!("`{other}::{inner}` is behind the façade: use what `{other}/mod.rs` exports")))
}

fn rank(domain: &str) -> Option<usize> {
    ORDER.iter().position(|line| line.contains(&domain))
}

fn confined(place: &Place<'_>, named: &Named) -> Option<(&'static str, String)> {
    let first = named.segment(0)?;
    if first == "sea_orm" && named.segment(1).is_some_and(|name| VALUES.contains(&name)) {
        return None;
    }
    let confined = CONFINED.iter().find(|confined| confined.crates.contains(&first))?;
    (!(confined.may)(place)).then(|| (confined.rule, format!("`{first}` does not belong here: {}", confined.fix)))
}
