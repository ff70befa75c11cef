//! Access tokens, signing keys and back-off.

use std::time::Duration;

use jsonwebtoken::{Algorithm, Header};
use serde_json::json;

use super::access_token::{AccessTokens, Refused, Subject};
use super::signing_keys::{KeySet, SigningKey};
use super::throttle::wait_after;
use crate::common::{Secret, SessionId, TenantId, Timestamp, UserId};
use crate::infrastructure::config::Config;

fn tokens(change: fn(&mut Config)) -> AccessTokens {
    let mut config = Config::defaults().unwrap();
    change(&mut config);
    AccessTokens::new(&config.auth)
}

fn keys(seeds: &[u8]) -> KeySet {
    let keys = seeds.iter().map(|seed| SigningKey::from_seed(&Secret::new([*seed; 32]), NOW));
    KeySet::new(keys.collect(), NOW)
}

fn sign(tokens: &AccessTokens, keys: &KeySet) -> String {
    tokens.sign(keys.signing(NOW).unwrap(), subject(), NOW).unwrap()
}

fn subject() -> Subject {
    Subject { user: UserId::new(), tenant: TenantId::new(), session: SessionId::new() }
}

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

#[test]
fn a_token_says_who_it_is_for_until_it_expires() {
    let (tokens, keys, subject) = (tokens(|_| {}), keys(&[1]), subject());
    let token = tokens.sign(keys.signing(NOW).unwrap(), subject, NOW).unwrap();
    for (seconds, valid) in [(0, true), (899, true), (904, true), (905, false)] {
        let result = tokens.verify(&keys, &token, NOW.plus(Duration::from_secs(seconds)));
        assert_eq!(result.ok(), valid.then_some(subject), "after {seconds} s");
    }
    assert!(tokens.verify(&keys, &token, NOW.minus(Duration::from_secs(60))).is_err(), "used before it was made");
}

#[test]
fn forged_tokens_are_refused() {
    let (ours, our_keys) = (tokens(|_| {}), keys(&[1, 3]));
    let token = sign(&ours, &our_keys);
    let (unsigned, signature) = token.rsplit_once('.').unwrap();
    let (header, claims) = unsigned.split_once('.').unwrap();
    let none = "eyJhbGciOiJub25lIn0";
    let hs256 = "eyJhbGciOiJIUzI1NiJ9";
    // The key of ours that did not sign it, named as if it had.
    let other_header = sign(&ours, &keys(&[3])).split_once('.').unwrap().0.to_owned();
    let foreign = [
        sign(&ours, &keys(&[2])),
        sign(&tokens(|config| config.auth.audience = "elsewhere".to_owned()), &our_keys),
        sign(&tokens(|config| config.auth.issuer = "elsewhere".to_owned()), &our_keys),
        format!("{none}.{claims}."),
        format!("{none}.{claims}.{signature}"),
        format!("{hs256}.{claims}.{signature}"),
        format!("{other_header}.{claims}.{signature}"),
        format!("{header}.{claims}."),
        format!("{header}.{claims}"),
        format!("{header}.e30.{signature}"),
        token.chars().take(token.len() - 4).collect(),
        String::new(),
        ".".repeat(1000),
    ];
    for token in foreign {
        assert!(ours.verify(&our_keys, &token, NOW).is_err(), "{token}");
    }
    let unknown = ours.verify(&our_keys, &sign(&ours, &keys(&[2])), NOW);
    assert_eq!(unknown, Err(Refused::UnknownKey), "worth another look at the keys");
}

/// Signed by us, as another service that shares the key might.
#[test]
fn a_good_signature_is_not_enough() {
    let (ours, keys) = (tokens(|_| {}), keys(&[1]));
    let key = keys.signing(NOW).unwrap();
    let config = Config::defaults().unwrap().auth;
    let seconds = NOW.as_seconds();
    let whole = json!({
        "iss": config.issuer, "aud": config.audience, "sub": UserId::new(), "tid": TenantId::new(),
        "sid": SessionId::new(), "iat": seconds, "nbf": seconds, "exp": seconds + 900, "jti": uuid::Uuid::now_v7()
    });
    let signed = |claims: &serde_json::Value, kid: Option<&str>| {
        let header = Header { kid: kid.map(str::to_owned), ..Header::new(Algorithm::EdDSA) };
        jsonwebtoken::encode(&header, claims, key.encoding()).unwrap()
    };
    assert!(ours.verify(&keys, &signed(&whole, Some(key.id())), NOW).is_ok());
    for missing in ["iss", "aud", "sub", "tid", "sid", "nbf", "exp"] {
        let mut claims = whole.clone();
        claims.as_object_mut().unwrap().remove(missing);
        assert_eq!(ours.verify(&keys, &signed(&claims, Some(key.id())), NOW), Err(Refused::Invalid), "{missing}");
    }
    for kid in [None, Some(""), Some("another")] {
        assert_eq!(ours.verify(&keys, &signed(&whole, kid), NOW), Err(Refused::UnknownKey), "{kid:?}");
    }
}

#[test]
fn a_new_key_signs_once_everybody_knows_it() {
    let later = NOW.plus(Duration::from_secs(1000));
    let first = SigningKey::from_seed(&Secret::new([1; 32]), NOW);
    let second = SigningKey::from_seed(&Secret::new([2; 32]), later);
    let (old, new) = (first.id().to_owned(), second.id().to_owned());
    let set = KeySet::new(vec![first, second], later);
    for (seconds, expected) in [(0, &old), (1000, &old), (1119, &old), (1120, &new)] {
        let now = NOW.plus(Duration::from_secs(seconds));
        assert_eq!(set.signing(now).unwrap().id(), expected, "after {seconds} s");
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
