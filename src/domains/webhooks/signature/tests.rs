//! Published vectors: of the senders' own documentation (Standard Webhooks, GitHub, Slack, Twilio), of the tests of the
//! sender's own library (Stripe), of the tests of a receiver (Shopify, whose documentation and libraries have none).
//! For n8n's, which is this product's own, the value was computed with another implementation.

use millrace_model::Str;

use super::{Message, Refusal, Sample, Scheme, sign, verify};

const SLACK_BODY: &str = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V\
    &channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=\
    &response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN\
    &trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
const TWILIO_FORM: &str = "CallSid=CA1234567890ABCDE&Digits=1234&From=%2B14158675309&To=%2B18005551212\
    &Caller=%2B14158675309";

const STRIPE_BODY: &str = r#"{
  "id": "evt_123",
  "object": "event",
  "account": "acct_123",
  "api_version": "2017-05-25",
  "created": 1533204620,
  "data": {
    "object": {
      "id": "cus_123",
      "object": "customer",
      "created": 123456789,
      "email": "test@stripe.com",
      "livemode": false,
      "metadata": {}
    }
  },
  "livemode": false,
  "pending_webhooks": 1,
  "request": {
    "id": "req_123",
    "idempotency_key": "idempotency-key-123"
  },
  "type": "customer.created"
}
"#;

struct Vector {
    scheme: Scheme,
    secret: &'static str,
    headers: &'static [(&'static str, &'static str)],
    url: &'static str,
    body: &'static str,
    signed_at: i64,
}

const VECTORS: &[Vector] = &[
    // https://docs.svix.com/receiving/verifying-payloads/how, by the authors of the specification
    Vector {
        scheme: Scheme::StandardWebhooks,
        secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        headers: &[
            ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
            ("webhook-timestamp", "1614265330"),
            (
                "webhook-signature",
                "v1,bm9ldHUjKzFob2VudXRob2VodWUzMjRvdWVvdW9ldQo= v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            ),
        ],
        url: "",
        body: r#"{"test": 2432232314}"#,
        signed_at: 1_614_265_330,
    },
    Vector {
        scheme: Scheme::StandardWebhooks,
        secret: "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        headers: &[
            ("svix-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
            ("svix-timestamp", "1614265330"),
            ("svix-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        ],
        url: "",
        body: r#"{"test": 2432232314}"#,
        signed_at: 1_614_265_330,
    },
    // https://docs.github.com/webhooks/securing
    Vector {
        scheme: Scheme::Github,
        secret: "It's a Secret to Everybody",
        headers: &[("x-hub-signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")],
        url: "",
        body: "Hello, World!",
        signed_at: 0,
    },
    // https://github.com/stripe/stripe-dotnet, src/StripeTests: Services/Events/EventUtilityTest.cs,
    // Resources/event_test_signature.json
    Vector {
        scheme: Scheme::Stripe,
        secret: "webhook_secret",
        headers: &[(
            "stripe-signature",
            "t=1533204620,v1=2220f87ef101a04665f11cdf770523143f875572008577fa0f20882ddb9cc3c7,\
             v0=63f3a72374a733066c4be69ed7f8e5ac85c22c9f0a6a612ab9a025a9e4ee7eef",
        )],
        url: "",
        body: STRIPE_BODY,
        signed_at: 1_533_204_620,
    },
    // https://api.slack.com/docs/verifying-requests-from-slack
    Vector {
        scheme: Scheme::Slack,
        secret: "8f742231b10e8888abcd99yyyzzz85a5",
        headers: &[
            ("x-slack-request-timestamp", "1531420618"),
            ("x-slack-signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"),
        ],
        url: "",
        body: SLACK_BODY,
        signed_at: 1_531_420_618,
    },
    // https://github.com/sqlpage/SQLPage, tests/sql_test_files/data/hmac_shopify_webhook.sql
    Vector {
        scheme: Scheme::Shopify,
        secret: "test-webhook-secret",
        headers: &[("x-shopify-hmac-sha256", "QNyObTlKbMx2qDlPF/ZOZcBqg5OgPg+2oky3zldc0Gw=")],
        url: "",
        body: r#"{"id":1234567890,"email":"customer@example.com","total_price":"123.45"}"#,
        signed_at: 0,
    },
    // https://www.twilio.com/docs/usage/security#validating-requests
    Vector {
        scheme: Scheme::Twilio,
        secret: "12345",
        headers: &[
            ("content-type", "application/x-www-form-urlencoded"),
            ("x-twilio-signature", "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
        ],
        url: "https://mycompany.com/myapp.php?foo=1&bar=2",
        body: TWILIO_FORM,
        signed_at: 0,
    },
    Vector {
        scheme: Scheme::N8n,
        secret: "hush",
        headers: &[("x-n8n-signature", "VnKUjZsLuN5iZWjn5EntcBVCF9kMN43LglzCE1/GSeY=")],
        url: "",
        body: r#"{"id":1}"#,
        signed_at: 0,
    },
    Vector {
        scheme: Scheme::N8n,
        secret: "hush",
        headers: &[("x-n8n-signature", "hush")],
        url: "",
        body: r#"{"id":1}"#,
        signed_at: 0,
    },
];

impl Vector {
    fn headers(&self) -> Vec<(Str, Str)> {
        self.headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    fn check(&self, secrets: &[&str], headers: &[(Str, Str)], body: &str, now: i64) -> Result<(), Refusal> {
        let message = Message { headers, url: self.url, body: body.as_bytes(), now };
        verify(self.scheme, secrets.iter().copied(), 300, &message).map(drop)
    }

    /// Covers a time: a signature that was made once does not count for ever.
    fn is_dated(&self) -> bool {
        self.signed_at != 0
    }
}

#[test]
fn what_the_senders_document_is_accepted() {
    for vector in VECTORS {
        let (headers, at) = (vector.headers(), vector.signed_at);
        assert_eq!(vector.check(&[vector.secret], &headers, vector.body, at + 299), Ok(()), "{:?}", vector.scheme);
        let rotated = ["bmV3IHNlY3JldA==", vector.secret];
        assert_eq!(vector.check(&rotated, &headers, vector.body, at), Ok(()), "{:?}: rotation", vector.scheme);
    }
}

#[test]
fn anything_else_is_refused() {
    for vector in VECTORS {
        let (headers, at) = (vector.headers(), vector.signed_at);
        let scheme = vector.scheme;
        let is_bare = headers[0].1 == vector.secret;
        if !is_bare {
            let altered = format!("{} ", vector.body);
            assert_eq!(vector.check(&[vector.secret], &headers, &altered, at), Err(Refusal::Wrong), "{scheme:?}: body");
        }
        assert_eq!(vector.check(&["b3RoZXI="], &headers, vector.body, at), Err(Refusal::Wrong), "{scheme:?}: secret");
        assert_eq!(vector.check(&[], &headers, vector.body, at), Err(Refusal::Wrong), "{scheme:?}: no secret");
        for missing in 0..headers.len() {
            if headers[missing].0 == "content-type" {
                continue;
            }
            let mut fewer = headers.clone();
            fewer.remove(missing);
            let refused = vector.check(&[vector.secret], &fewer, vector.body, at);
            assert!(matches!(refused, Err(Refusal::Missing(_))), "{scheme:?} without a header: {refused:?}");
        }
        for garbage in ["", "x", "v1,", "sha256=", "t=,v1=", "v0=", "\u{fffd}"] {
            let mut other = headers.clone();
            other.last_mut().unwrap().1 = garbage.into();
            assert!(vector.check(&[vector.secret], &other, vector.body, at).is_err(), "{scheme:?}: {garbage:?}");
        }
        if vector.is_dated() {
            let late = vector.check(&[vector.secret], &headers, vector.body, at + 301);
            assert_eq!(late, Err(Refusal::TooOld), "{scheme:?}");
            let early = vector.check(&[vector.secret], &headers, vector.body, at - 301);
            assert_eq!(early, Err(Refusal::TooNew), "{scheme:?}");
        }
    }
}

#[test]
fn what_is_signed_here_is_accepted_here() {
    const BODY: &[u8] = br#"{"a":1}"#;
    for scheme in [
        Scheme::StandardWebhooks,
        Scheme::Github,
        Scheme::Stripe,
        Scheme::Slack,
        Scheme::Shopify,
        Scheme::Twilio,
        Scheme::N8n,
    ] {
        let url = "https://example.com/x?bodySHA256=015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862";
        let sample = Sample { id: "msg_1", at: 1000, url, content_type: "application/json", body: BODY };
        let headers = sign(scheme, &["c2VjcmV0"], &sample);
        let message = Message { headers: &headers, url, body: BODY, now: 1000 };
        let proof = verify(scheme, ["c2VjcmV0"], 300, &message).unwrap();
        assert_ne!(proof.content, [0; 32], "{scheme:?}");
        assert_eq!(verify(scheme, ["b3RoZXI="], 300, &message), Err(Refusal::Wrong), "{scheme:?}");
    }
}

#[test]
fn other_bodies_for_twilio_are_known_by_their_hash() {
    let url = "https://example.com/x?bodySHA256=0000";
    let sample = Sample { id: "1", at: 0, url, content_type: "application/json", body: b"{}" };
    assert!(sign(Scheme::Twilio, &["s"], &sample).is_empty(), "the hash is not the body's");
}
