//! Methods of dates, Luxon and the clock.

use super::check;

#[test]
fn the_present() {
    check(&[
        ("Date.now()", "1715344245123"),
        (
            "[new Date().toISOString(), Date.name, Date.length, new Date() instanceof Date, new Date(0).constructor === Date]",
            "[\"2024-05-10T12:30:45.123Z\",\"Date\",7,true,true]",
        ),
        ("$now", "\"2024-05-10T08:30:45.123-04:00\""),
        ("$today", "\"2024-05-10T00:00:00.000-04:00\""),
        ("extend(DateTime.fromISO('2024-05-10T12:25:00Z'), 'isInLast', [10])", "true"),
        ("extend(new Date('2024-05-08T12:30:00Z'), 'isInLast', [2, 'days'])", "false"),
        ("extend('2024-05-08T12:30:45.123Z', 'diffToNow', ['days'])", "-2"),
        ("DateTime.now().minus({ days: 3 }).toRelative()", "\"3 days ago\""),
    ]);
}

#[test]
fn arithmetic() {
    check(&[
        ("extend(new Date('2024-01-31T12:00:00Z'), 'plus', [1, 'month'])", "\"2024-02-29T12:00:00.000Z\""),
        (
            "extend(DateTime.fromISO('2024-03-09T12:00'), 'plus', [{ days: 1, hours: 1 }])",
            "\"2024-03-10T13:00:00.000-04:00\"",
        ),
        ("extend(new Date(5000), 'minus', [1500])", "\"1970-01-01T00:00:03.500Z\""),
        ("extend(DateTime.fromISO('2024-05-10'), 'beginningOf', [])", "\"2024-05-06T00:00:00.000-04:00\""),
        ("extend(new Date('2024-05-10T12:00:00Z'), 'beginningOf', ['hour'])", "\"2024-05-10T12:00:00.000Z\""),
        ("extend(DateTime.fromISO('2024-02-10'), 'endOfMonth', [])", "\"2024-02-29T23:59:59.999-05:00\""),
        ("extend(DateTime.fromISO('2024-05-10'), 'diffTo', ['2024-05-01'])", "9"),
        (
            "extend(DateTime.fromISO('2024-05-10'), 'diffTo', ['2023-04-09', ['years', 'months', 'days']])",
            "{\"years\":1,\"months\":1,\"days\":1}",
        ),
        ("extend(DateTime.fromISO('2024-05-10'), 'diffTo', ['2024-05-01', 'hour'])", "216"),
        (
            "extend(DateTime.fromISO('2024-05-10'), 'diffTo', ['2024-05-01', 'fortnight'])",
            "!ExpressionExtensionError: Unsupported unit 'fortnight'. Supported: 'milliseconds', 'seconds', 'minutes', 'hours', 'days', 'weeks', 'months', 'quarters', 'years'.",
        ),
    ]);
}

#[test]
fn questions() {
    check(&[
        ("extend(DateTime.fromISO('2024-05-10'), 'isBetween', ['2024-05-11', new Date(0)])", "true"),
        ("extend(new Date(0), 'isBetween', ['2024-05-11', '2024-05-12'])", "false"),
        ("extend(new Date(0), 'isBetween', [1])", "!ExpressionExtensionError: isBetween(): expected exactly two args"),
        ("['2024-05-10', '2024-05-11'].map((day) => extend(DateTime.fromISO(day), 'isWeekend', []))", "[false,true]"),
        ("['2024-01-10', '2024-07-10'].map((day) => extend(DateTime.fromISO(day), 'isDst', []))", "[false,true]"),
        ("extend(DateTime.fromISO('2024-05-10'), 'extract', [])", "19"),
        (
            "['year', 'month', 'day', 'hour', 'yearDayNumber'].map((part) => extend(new Date('2024-05-10T12:00:00Z'), 'extract', [part]))",
            "[2024,5,10,8,131]",
        ),
        ("extend(new Date(1), 'extract', ['toISO'])", "null"),
        ("[extend(new Date(7), 'toInt', []), extend(DateTime.fromMillis(7), 'toFloat', [])]", "[7,7]"),
        ("extend(new Date(0), 'toDateTime', [])", "\"1969-12-31T19:00:00.000-05:00\""),
        ("extend(new Date(0), 'format', ['dd/LL/yyyy HH:mm'])", "\"31/12/1969 19:00\""),
    ]);
}

#[test]
fn zones_and_daylight() {
    check(&[
        ("DateTime.fromISO('2024-03-10T02:30').toISO()", "\"2024-03-10T03:30:00.000-04:00\""),
        ("DateTime.fromISO('2024-11-03T01:30').toISO()", "\"2024-11-03T01:30:00.000-04:00\""),
        (
            "DateTime.fromISO('2024-06-01T00:00', { zone: 'Asia/Kathmandu' }).toISO()",
            "\"2024-06-01T00:00:00.000+05:45\"",
        ),
        ("DateTime.fromISO('1890-01-01').toISO()", "\"1890-01-01T00:00:00.000-05:00\""),
        ("DateTime.now().setZone('Mars/Olympus').invalidReason", "\"unsupported zone\""),
        ("DateTime.now().setZone('utc+2').zoneName", "\"UTC+2\""),
        ("Interval.fromISO('2024-05-01/2024-05-03').length('days')", "2"),
        ("Duration.fromObject({ minutes: 90 }).shiftTo('hours', 'minutes').toISO()", "\"PT1H30M\""),
        ("(__setZone('Asia/Tokyo'), $now.toISO())", "\"2024-05-10T21:30:45.123+09:00\""),
    ]);
}

#[test]
fn nothing_leads_out() {
    check(&[
        ("(() => { DateTime.prototype.toISO = () => 1; })()", "!TypeError: 'toISO' is read-only"),
        (
            "extend(DateTime, 'constructor', ['return 1'])",
            "!ExpressionExtensionError: Cannot access \"constructor\" via expression extension due to security concerns",
        ),
        ("[typeof load, typeof host, typeof part]", "[\"undefined\",\"undefined\",\"undefined\"]"),
        (
            "(() => { try { return DateTime.constructor('return 1')() } catch (error) { return error.message } })()",
            "\"eval is not supported\"",
        ),
    ]);
}
