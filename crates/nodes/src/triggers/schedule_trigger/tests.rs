//! Schedule Trigger.

use crate::testing::trial;

#[test]
fn tells_the_time_in_the_zone_of_the_workflow() {
    let expected = r#"[{"timestamp":"2024-05-06T03:08:09.010-04:00","Readable date":"May 6th 2024, 3:08:09 am","Readable time":"3:08:09 am","Day of week":"Monday","Year":"2024","Month":"May","Day of month":"06","Hour":"03","Minute":"08","Second":"09","Timezone":"America/New_York (UTC-04:00)"}]"#;
    assert_eq!(trial("scheduleTrigger").gives(), expected);
    assert_eq!(trial("scheduleTrigger").input(r#"[{"given":1}]"#).gives(), r#"[{"given":1}]"#);
}

#[test]
fn spells_days() {
    let day = |text: &str| {
        let at: jiff::Timestamp = text.parse().unwrap();
        let json = crate::schedule::moment(at.as_millisecond(), &jiff::tz::TimeZone::UTC);
        json.get("Readable date").unwrap().as_str().unwrap().to_owned()
    };
    assert_eq!(day("2024-01-01T12:00:00Z"), "January 1st 2024, 12:00:00 pm");
    assert_eq!(day("2024-01-02T00:00:00Z"), "January 2nd 2024, 12:00:00 am");
    assert_eq!(day("2024-01-13T13:05:06Z"), "January 13th 2024, 1:05:06 pm");
    assert_eq!(day("2024-01-23T01:02:03Z"), "January 23rd 2024, 1:02:03 am");
}
