//! Wait, by tables.

use std::time::Duration;

use crate::Wait;
use crate::form::Shown;
use crate::testing::{NOW_MS, trial};

#[test]
fn sleeps_through_short_waits() {
    let cases = [
        (1.1, r#"{"amount": 3}"#, 3.0),
        (1.0, r#"{"amount": 1.5, "unit": "seconds"}"#, 1.5),
        (1.1, r#"{"amount": "={{ 1 }}", "unit": "minutes"}"#, 60.0),
        (1.1, r#"{"amount": 0}"#, 0.0),
        (1.1, r#"{"resume": "specificTime", "dateTime": "2024-05-06T07:08:19.010Z"}"#, 10.0),
        (1.1, r#"{"resume": "specificTime", "dateTime": "2020-01-01"}"#, 0.0),
    ];
    for (version, parameters, seconds) in cases {
        let trial = trial("wait").version(version).parameters(parameters).input(r#"[{"k": 1}]"#);
        assert_eq!(trial.gives(), r#"[{"k":1}]"#, "{parameters}");
        let slept = *trial.world.slept.lock().unwrap();
        assert_eq!(slept, Duration::from_secs_f64(seconds), "{parameters}");
    }
}

#[test]
fn puts_long_waits_aside() {
    let hour = Some(NOW_MS + 3_600_000);
    let cases = [
        (1.0, "{}", Wait { until: hour, ..Wait::default() }),
        (1.1, r#"{"amount": 1, "unit": "hours"}"#, Wait { until: hour, ..Wait::default() }),
        (1.1, r#"{"resume": "webhook"}"#, Wait { resume: Some("webhook".into()), ..Wait::default() }),
        (
            1.1,
            r#"{"resume": "webhook", "limitWaitTime": true, "limitType": "atSpecifiedTime", "maxDateAndTime": "2024-05-06T08:08:09.010Z"}"#,
            Wait { until: hour, resume: Some("webhook".into()), shows: None },
        ),
    ];
    for (version, parameters, expected) in cases {
        let output = trial("wait").version(version).parameters(parameters).output();
        assert_eq!(output.wait, Some(expected), "{parameters}");
    }
}

#[test]
fn shows_a_form_with_what_its_expressions_give() {
    let trial = trial("wait").input(r#"[{"name": "Ann"}]"#).parameters(
        r#"{"resume": "form", "limitWaitTime": true, "resumeAmount": 1, "formTitle": "=Hello {{ $json.name }}",
            "formFields": {"values": [{"fieldLabel": "=Age of {{ $json.name }}", "fieldType": "number"}]}}"#,
    );
    let wait = trial.output().wait.unwrap();
    assert_eq!((wait.until, wait.resume.as_deref()), (Some(NOW_MS + 3_600_000), Some("form")));
    let Some(Shown::Page(form)) = wait.shows.as_ref().map(Shown::read) else { panic!("{:?}", wait.shows) };
    assert_eq!((form.title.as_str(), form.fields[0].label.as_str()), ("Hello Ann", "Age of Ann"));
}

#[test]
fn refuses_times_that_are_none() {
    let cases = [
        (r#"{"amount": "soon"}"#, "Invalid wait amount. Please enter a number that is 0 or greater."),
        (r#"{"amount": -1}"#, "Invalid wait amount. Please enter a number that is 0 or greater."),
        (r#"{"amount": 1, "unit": "moons"}"#, "Invalid wait unit: moons"),
        (
            r#"{"resume": "specificTime", "dateTime": "someday"}"#,
            "Cannot put execution to wait because `dateTime` parameter is not a valid date. Please pick a specific date and time to wait until.",
        ),
    ];
    for (parameters, message) in cases {
        assert_eq!(trial("wait").parameters(parameters).fails().message, message, "{parameters}");
    }
}
