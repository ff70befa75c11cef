//! Access tokens and back-off.

use std::time::Duration;

use super::access_token::{AccessTokens, Subject};
use super::error::Error;
use super::throttle::wait_after;
use crate::common::{Secret, SessionId, TenantId, Timestamp, UserId};
use crate::infrastructure::config::Config;

fn tokens(seed: u8, change: fn(&mut Config)) -> AccessTokens {
    let mut config = Config::defaults().unwrap();
    change(&mut config);
    AccessTokens::new(&Secret::new([seed; 32]), &config.auth)
}

fn subject() -> Subject {
    Subject { user: UserId::new(), tenant: TenantId::new(), session: SessionId::new() }
}

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

#[test]
fn a_token_says_who_it_is_for_until_it_expires() {
    let tokens = tokens(1, |_| {});
    let subject = subject();
    let token = tokens.sign(subject, NOW).unwrap();
    for (seconds, valid) in [(0, true), (899, true), (904, true), (905, false)] {
        let result = tokens.verify(&token, NOW.plus(Duration::from_secs(seconds)));
        assert_eq!(result.ok(), valid.then_some(subject), "after {seconds} s");
    }
    assert!(tokens.verify(&token, NOW.minus(Duration::from_secs(60))).is_err(), "used before it was made");
}

#[test]
fn forged_tokens_are_refused() {
    let ours = tokens(1, |_| {});
    let token = ours.sign(subject(), NOW).unwrap();
    let (unsigned, signature) = token.rsplit_once('.').unwrap();
    let (header, claims) = unsigned.split_once('.').unwrap();
    let none = "eyJhbGciOiJub25lIn0";
    let hs256 = "eyJhbGciOiJIUzI1NiJ9";
    let foreign = [
        tokens(2, |_| {}).sign(subject(), NOW).unwrap(),
        tokens(1, |config| config.auth.audience = "elsewhere".to_owned()).sign(subject(), NOW).unwrap(),
        tokens(1, |config| config.auth.issuer = "elsewhere".to_owned()).sign(subject(), NOW).unwrap(),
        format!("{none}.{claims}."),
        format!("{none}.{claims}.{signature}"),
        format!("{hs256}.{claims}.{signature}"),
        format!("{header}.{claims}."),
        format!("{header}.{claims}"),
        format!("{header}.e30.{signature}"),
        String::new(),
        ".".repeat(1000),
    ];
    for token in foreign {
        assert!(matches!(ours.verify(&token, NOW), Err(Error::InvalidToken)), "{token}");
    }
}

#[test]
fn waits_double_up_to_the_longest() {
    let wait = |failures| wait_after(failures, 5, Duration::from_secs(30), Duration::from_secs(3600));
    for (failures, seconds) in
        [(4, None), (5, Some(30)), (6, Some(60)), (11, Some(1920)), (12, Some(3600)), (u64::MAX, Some(3600))]
    {
        assert_eq!(wait(failures), seconds.map(Duration::from_secs), "{failures}");
    }
}
