//! Where services come from, without starting any.

use super::{Plan, Service, Source, postgres, probe, rabbitmq};

#[test]
fn given_servers_are_used_before_anything_else() {
    let plan = Plan::with(|service| Some(format!("scheme://{}", service.name())));
    assert_eq!(plan.from(&Source::Given("scheme://redis".into())).collect::<Vec<_>>(), [Service::Redis]);
    assert_eq!(plan.impossible(), None);
}

#[test]
fn what_is_missing_is_said_in_one_line() {
    let plan = Plan(vec![
        (Service::Postgres, Source::Local),
        (Service::Redis, Source::Nowhere),
        (Service::RabbitMq, Source::Nowhere),
    ]);
    let line = plan.impossible().expect("two services are missing");
    assert!(line.starts_with("cannot test on Redis, RabbitMQ: "), "{line}");
    assert!(line.contains("MILLRACE_TEST_REDIS_URL, MILLRACE_TEST_AMQP_URL") && !line.contains('\n'), "{line}");
}

#[test]
fn addresses_are_read_from_urls() {
    for (url, expected) in [
        ("postgres://u:p@db.example:6000/name?x=1", Some("db.example:6000")),
        ("postgresql://u@db.example/name", Some("db.example:5432")),
        ("redis://127.0.0.1", Some("127.0.0.1:6379")),
        ("rediss://cache.example/1", Some("cache.example:6379")),
        ("amqp://guest:gu%40est@[::1]:5673/%2f", Some("[::1]:5673")),
        ("amqps://queue.example", Some("queue.example:5671")),
        ("http://example.org", None),
        ("nonsense", None),
    ] {
        assert_eq!(probe::address(url).as_deref(), expected, "{url}");
    }
}

#[test]
fn the_newest_postgresql_is_chosen() {
    let found = ["9.6", "15", "17", "beta"].map(|version| format!("/usr/lib/postgresql/{version}/bin").into());
    assert_eq!(postgres::newest(found.into()), Some("/usr/lib/postgresql/17/bin".into()));
}

#[test]
fn rabbitmq_keeps_to_itself() {
    let variables = rabbitmq::environment("/tmp/x".as_ref(), 1, 2);
    let value = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str());
    assert_eq!(value("ERL_EPMD_PORT"), Some("1"));
    assert_eq!(value("RABBITMQ_DIST_PORT"), Some("2"));
    assert_eq!(value("RABBITMQ_MNESIA_BASE"), Some("/tmp/x/mnesia"));
    assert!(value("RABBITMQ_NODENAME").is_some_and(|name| name.ends_with("@localhost")));
}
