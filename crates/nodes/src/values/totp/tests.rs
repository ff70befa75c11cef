//! TOTP, with the test vectors of RFC 6238 appendix B moved to the time of the tests.

use crate::testing::{Trial, trial};

fn with_secret(secret: &str, parameters: &str) -> Trial {
    let credential = format!(r#"{{"secret": "{secret}", "label": "Acme:me"}}"#);
    trial("totp").parameters(parameters).world(|world| world.credential("totpApi", &credential))
}

#[test]
fn gives_the_password_of_the_moment() {
    // RFC 4226 appendix D: counter 0 of the secret "12345678901234567890" gives 755224.
    let key = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    assert_eq!(super::one_time_password(super::Hash::Sha1, &super::base32(key).unwrap(), 0, 6), "755224");
    assert_eq!(super::one_time_password(super::Hash::Sha1, &super::base32(key).unwrap(), 9, 6), "520489");
    // RFC 6238 appendix B: 94287082 at 59 seconds.
    assert_eq!(super::one_time_password(super::Hash::Sha1, &super::base32(key).unwrap(), 1, 8), "94287082");
    let given = with_secret(&key.to_lowercase(), "{}").gives();
    assert!(given.ends_with(r#","secondsRemaining":21}]"#), "{given}");
    let long = with_secret(key, r#"{"options": {"digits": 8, "period": 3600, "algorithm": "SHA512"}}"#).gives();
    assert!(long.ends_with(r#","secondsRemaining":3111}]"#) && long.len() == 46, "{long}");
}

#[test]
fn says_what_is_wrong() {
    assert_eq!(with_secret("8", "{}").fails().message, "The secret of the credential is not base32 text");
    assert_eq!(trial("totp").fails().message, "Malformed label - expected `issuer:username`");
}
