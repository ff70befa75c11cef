//! Date & Time, by tables.

use millrace_model::{Object, Value};

use crate::testing::trial;

#[test]
fn speaks_luxon() {
    let table = [
        (
            r#"{"operation": "addToDate", "magnitude": "2024-01-30T10:00:00Z", "duration": 1, "timeUnit": "months"}"#,
            r#"[{"newDate":"2024-02-29T05:00:00.000-05:00"}]"#,
        ),
        (
            r#"{"operation": "subtractFromDate", "magnitude": 1700000000, "duration": 1}"#,
            r#"[{"newDate":"2023-11-13T17:13:20.000-05:00"}]"#,
        ),
        (r#"{"operation": "formatDate", "date": "2024-03-04T05:06:07Z"}"#, r#"[{"formattedDate":"03/04/2024"}]"#),
        (
            r#"{"operation": "formatDate", "date": "2024-03-04T01:00:00Z", "options": {"timezone": true}}"#,
            r#"[{"formattedDate":"03/03/2024"}]"#,
        ),
        (
            r#"{"operation": "formatDate", "date": "2024-03-04T23:00:00+05:00", "format": "custom", "customFormat": "dd HH ZZ"}"#,
            r#"[{"formattedDate":"04 23 +05:00"}]"#,
        ),
        (
            r#"{"operation": "formatDate", "date": "04.03.2024", "format": "yyyy-MM-dd", "options": {"fromFormat": "dd.MM.yyyy", "timezone": true}}"#,
            r#"[{"formattedDate":"2024-03-04"}]"#,
        ),
        (
            r#"{"operation": "formatDate", "date": "={{ DateTime.fromISO('2024-03-04T23:30', {zone: 'Asia/Tokyo'}) }}", "format": "yyyy-MM-dd"}"#,
            r#"[{"formattedDate":"2024-03-04"}]"#,
        ),
        (r#"{"operation": "formatDate", "date": "={{ null }}"}"#, r#"[{"formattedDate":null}]"#),
        (
            r#"{"operation": "roundDate", "date": "2024-03-14T10:20:30", "toNearest": "hour"}"#,
            r#"[{"roundedDate":"2024-03-14T06:00:00.000-04:00"}]"#,
        ),
        (
            r#"{"operation": "roundDate", "date": "2024-03-14T10:20:30", "mode": "roundUp"}"#,
            r#"[{"roundedDate":"2024-04-01T00:00:00.000-04:00"}]"#,
        ),
        (
            r#"{"operation": "getTimeBetweenDates", "startDate": "2024-01-01", "endDate": "2024-01-03T12:00:00", "units": ["day", "hour"]}"#,
            r#"[{"timeDifference":{"days":2,"hours":12}}]"#,
        ),
        (
            r#"{"operation": "getTimeBetweenDates", "startDate": "2024-01-01", "endDate": "2024-01-03", "options": {"isoString": true}}"#,
            r#"[{"timeDifference":"P2D"}]"#,
        ),
        (r#"{"operation": "extractDate", "date": "2024-03-14T10:20:30", "part": "week"}"#, r#"[{"datePart":11}]"#),
        (
            r#"{"operation": "extractDate", "date": "2024-03-14T10:20:30", "options": {"includeInputFields": true}}"#,
            r#"[{"n":1,"datePart":3}]"#,
        ),
        (r#"{"options": {"timezone": "Europe/Berlin"}}"#, r#"[{"currentDate":"2024-05-06T09:08:09.010+02:00"}]"#),
        (r#"{"includeTime": false, "outputFieldName": "day"}"#, r#"[{"day":"2024-05-06T00:00:00.000-04:00"}]"#),
    ];
    for (parameters, expected) in table {
        assert_eq!(trial("dateTime").parameters(parameters).input(r#"[{"n": 1}]"#).gives(), expected, "{parameters}");
    }
}

#[test]
fn speaks_moment() {
    let table = [
        (r#"{"value": "1614764492648", "options": {}}"#, "03/03/2021"),
        (r#"{"value": 1614764492, "toFormat": "X"}"#, "1614764492"),
        (r#"{"value": "2021-03-03T09:41:32.648", "toFormat": "x"}"#, "1614764492648"),
        (
            r#"{"value": "2021-03-03", "custom": true, "toFormat": "dddd, MMMM Do YYYY [at] h:mm:ss.SSS a"}"#,
            "Wednesday, March 3rd 2021 at 12:00:00.000 am",
        ),
        (
            r#"{"value": "2021-12-31T23:05:06Z", "custom": true, "toFormat": "DDD Q w W gggg GGGG ddd d E"}"#,
            "365 4 1 52 2022 2021 Fri 5 5",
        ),
        (
            r#"{"value": "2021-03-03T12:00:00", "custom": true, "toFormat": "LLLL Z", "options": {"fromTimezone": "Europe/Paris", "toTimezone": "Asia/Tokyo"}}"#,
            "Wednesday, March 3, 2021 8:00 PM +09:00",
        ),
        (
            r#"{"value": "03.02.21 4:05 pm", "custom": true, "toFormat": "YYYY-MM-DD HH:mm", "options": {"fromFormat": "DD.MM.YY h:mm a"}}"#,
            "2021-02-03 16:05",
        ),
        (
            r#"{"value": "3rd Feb 2021", "toFormat": "YYYY-MM-DD", "options": {"fromFormat": "Do MMM YYYY"}}"#,
            "2021-02-03",
        ),
        (
            r#"{"value": "10:30", "custom": true, "toFormat": "YYYY-MM-DD HH:mm", "options": {"fromFormat": "HH:mm"}}"#,
            "2024-05-06 10:30",
        ),
        (
            r#"{"action": "calculate", "value": "2024-01-31", "duration": 1, "timeUnit": "months"}"#,
            "2024-02-29T00:00:00.000Z",
        ),
        (
            r#"{"action": "calculate", "value": "2024-01-31T00:00:00Z", "operation": "subtract", "duration": 1.5, "timeUnit": "hours"}"#,
            "2024-01-30T22:30:00.000Z",
        ),
        (
            r#"{"action": "calculate", "value": "31/01/2024", "duration": 2, "timeUnit": "weeks", "options": {"fromFormat": "DD/MM/YYYY"}}"#,
            "2024-02-14T00:00:00.000Z",
        ),
    ];
    for (parameters, expected) in table {
        let given = trial("dateTime").version(1.0).parameters(parameters).input(r#"[{}]"#).gives();
        assert_eq!(given, format!(r#"[{{"data":"{expected}"}}]"#), "{parameters}");
    }
    let nothing = trial("dateTime").version(1.0).parameters(r#"{"value": ""}"#).input(r#"[{"n": 1}]"#);
    assert_eq!(nothing.gives(), r#"[{"n":1}]"#);
}

#[test]
fn what_is_no_date_counts_as_a_number() {
    let table = [
        ("={{ null }}", "1970-01-02T00:00:00.000+00:00"),
        ("", "1970-01-02T00:00:00.000+00:00"),
        ("={{ [] }}", "1970-01-02T00:00:00.000+00:00"),
        ("={{ true }}", "1970-01-02T00:00:01.000+00:00"),
        ("={{ [5] }}", "1970-01-02T00:00:05.000+00:00"),
    ];
    for (magnitude, expected) in table {
        let parameters = Object::from([
            ("operation", "addToDate".into()),
            ("magnitude", magnitude.into()),
            ("duration", 1.into()),
            ("timeUnit", "days".into()),
        ]);
        let made = trial("dateTime").parameters(&Value::from(parameters).to_json()).input("[{}]").output();
        let date = made.outputs[0].as_ref().unwrap()[0].json.get("newDate").cloned().unwrap();
        let milliseconds = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
        assert_eq!(milliseconds(date.as_str().unwrap()), milliseconds(expected), "{magnitude}");
    }
    let now = r#"{"operation": "getTimeBetweenDates", "startDate": "={{ undefined }}", "endDate": "={{ $now }}", "units": ["day"]}"#;
    assert_eq!(trial("dateTime").parameters(now).input("[{}]").gives(), r#"[{"timeDifference":{"days":0}}]"#);
    let old = |parameters: &str| trial("dateTime").version(1.0).parameters(parameters).input("[{}]").gives();
    assert_eq!(old(r#"{"value": "={{ null }}", "toFormat": "YYYY"}"#), r#"[{"data":"1970"}]"#);
    let unfit = r#"{"value": "soon", "toFormat": "YYYY", "options": {"fromFormat": "DD/MM/YYYY"}}"#;
    assert_eq!(old(unfit), r#"[{"data":"Invalid date"}]"#);
}

#[test]
fn says_what_is_wrong() {
    let table = [
        (2.0, r#"{"operation": "formatDate", "date": "soon"}"#, "Invalid date format"),
        (
            2.0,
            r#"{"options": {"timezone": "Mars/Base"}}"#,
            "The timezone Mars/Base is not valid. Please check the timezone.",
        ),
        (
            1.0,
            r#"{"value": "soon"}"#,
            "The date input format could not be recognized. Please set the \"From Format\" field",
        ),
        (
            1.0,
            r#"{"action": "calculate", "value": "soon"}"#,
            "Unrecognized date input. Please specify a format in the \"From Format\" field.",
        ),
        (
            1.0,
            r#"{"action": "calculate", "value": "2024-01-01", "options": {"fromFormat": "DD/MM/YYYY"}}"#,
            "Date input cannot be parsed. Please recheck the value and the \"From Format\" field.",
        ),
    ];
    for (version, parameters, message) in table {
        let trial = trial("dateTime").version(version).parameters(parameters);
        assert_eq!(trial.fails().message, message, "{parameters}");
        let expected = format!(r#"[{{"error":{}}}]"#, Value::from(message).to_json());
        assert_eq!(trial.goes_on().gives(), expected);
    }
}
