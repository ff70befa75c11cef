//! AWS Signature Version 4: proves who sends a request, and that nobody changed it on the way. Services and regions are
//! read off host names; S3 and what speaks its protocol are signed by S3's rules.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use millrace_model::{Object, Str};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};
use url::Url;

use super::field;
use crate::{Body, HttpRequest};

/// Everything but what RFC 3986 calls unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const RESERVED_IN_PATHS: &AsciiSet = &RESERVED.remove(b'/');
/// Headers that clients and proxies set or change.
const UNSIGNED: [&str; 7] =
    ["accept-encoding", "authorization", "connection", "content-length", "expect", "transfer-encoding", "user-agent"];
/// First labels of host names, and what their services are called in signatures.
const SIGNING_NAMES: [(&str, &str); 4] =
    [("email", "ses"), ("bedrock-runtime", "bedrock"), ("bedrock-agent-runtime", "bedrock"), ("data.iot", "iotdata")];

/// An access key, and what it is used for where a host name does not say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys {
    id: Str,
    secret: Str,
    session_token: Str,
    region: Str,
    service: Option<&'static str>,
}

impl Keys {
    pub(super) fn of(kind: &str, data: &Object) -> Keys {
        let temporary = data.get("temporaryCredentials").is_none_or(|flag| flag.as_bool() != Some(false));
        Keys {
            id: field(data, "accessKeyId"),
            secret: field(data, "secretAccessKey"),
            session_token: if temporary { field(data, "sessionToken") } else { Str::new() },
            region: Some(field(data, "region")).filter(|name| !name.is_empty()).unwrap_or_else(|| "us-east-1".into()),
            service: (kind == "s3").then_some("s3"),
        }
    }

    /// Adds the headers that sign a request as it stands; `None` where its URL is none.
    pub(super) fn sign(&self, mut request: HttpRequest, seconds: i64) -> Option<HttpRequest> {
        let url = Url::parse(&request.url).ok()?;
        let (service, region) = self.place(url.host_str()?);
        let time = Timestamp::from_second(seconds).ok()?.strftime("%Y%m%dT%H%M%SZ").to_string();
        let day = time.get(..8)?.to_owned();
        let payload = match &request.body {
            Body::None => hex(&Sha256::digest(b"")),
            Body::Bytes(bytes) => hex(&Sha256::digest(bytes)),
            // The client chooses what separates the parts.
            Body::Multipart(_) => "UNSIGNED-PAYLOAD".to_owned(),
        };
        request.headers.push(("x-amz-date".into(), time.as_str().into()));
        if service == "s3" || payload == "UNSIGNED-PAYLOAD" {
            request.headers.push(("x-amz-content-sha256".into(), payload.as_str().into()));
        }
        if !self.session_token.is_empty() {
            request.headers.push(("x-amz-security-token".into(), self.session_token.clone()));
        }
        let (headers, names) = canonical_headers(&request, &url)?;
        let (path, query) = (canonical_path(&url, service == "s3"), canonical_query(&url));
        let method = request.method.to_uppercase();
        let canonical = format!("{method}\n{path}\n{query}\n{headers}\n{names}\n{payload}");
        let scope = format!("{day}/{region}/{service}/aws4_request");
        let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
        let mut key = keyed_hash(format!("AWS4{}", self.secret).as_bytes(), &day);
        for part in [region.as_str(), service.as_str(), "aws4_request"] {
            key = keyed_hash(&key, part);
        }
        let (id, signature) = (&self.id, hex(&keyed_hash(&key, &text)));
        let proof = format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}");
        request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
        request.headers.push(("Authorization".into(), proof.into()));
        Some(request)
    }

    /// Service and region, of `SERVICE.REGION.amazonaws.com`, with more labels before it for some; else as the credential says.
    fn place(&self, host: &str) -> (String, String) {
        let region = self.region.to_string();
        let own = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"));
        let own = own.or_else(|| host.strip_suffix(".api.aws"));
        let (Some(own), None) = (own, self.service) else {
            let first = host.split('.').next().unwrap_or_default();
            return (self.service.unwrap_or(first).to_owned(), region);
        };
        let (before, named_region) = match own.rsplit_once('.') {
            Some((before, last)) if is_region(last) => (before, Some(last)),
            // Some have the region first: REGION.s3.…, or in the same label: s3-REGION.
            _ => (own, own.strip_prefix("s3-").filter(|rest| is_region(rest))),
        };
        let label = before.rsplit('.').next().unwrap_or(before);
        let service = match SIGNING_NAMES.iter().find(|(name, _)| *name == label) {
            Some((_, service)) => service,
            None if label.starts_with("s3-") => "s3",
            None => label,
        };
        // Services without regions are signed for their first one.
        let region = if service == "s3" { region } else { "us-east-1".to_owned() };
        (service.to_owned(), named_region.map_or(region, str::to_owned))
    }
}

/// `eu-west-1`, `us-gov-east-1`, …
fn is_region(label: &str) -> bool {
    let mut parts = label.split('-');
    let begins = parts.next().is_some_and(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_lowercase()));
    let ends = parts.next_back().is_some_and(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    let between: Vec<_> = parts.collect();
    begins && ends && !between.is_empty()
}

/// Lines of `name:value`, sorted, and the names.
fn canonical_headers(request: &HttpRequest, url: &Url) -> Option<(String, String)> {
    let host = match url.port() {
        Some(port) => format!("{}:{port}", url.host_str()?),
        None => url.host_str()?.to_owned(),
    };
    let given = request.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.as_str()));
    let given = given.filter(|(name, _)| name != "host" && !UNSIGNED.contains(&name.as_str()));
    let squeezed = |value: &str| value.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut headers: Vec<(String, String)> =
        given.map(|(name, value)| (name.to_string(), squeezed(value))).chain([("host".to_owned(), host)]).collect();
    headers.sort_by(|left, right| left.0.cmp(&right.0));
    let mut joined: Vec<(String, String)> = Vec::new();
    for (name, value) in headers {
        match joined.last_mut().filter(|(last, _)| *last == name) {
            Some((_, values)) => {
                let _ = write!(values, ",{value}");
            }
            None => joined.push((name, value)),
        }
    }
    let lines = joined.iter().fold(String::new(), |mut lines, (name, value)| {
        let _ = writeln!(lines, "{name}:{value}");
        lines
    });
    let names: Vec<&str> = joined.iter().map(|(name, _)| name.as_str()).collect();
    Some((lines, names.join(";")))
}

/// Services decode a path once more than S3 does.
fn canonical_path(url: &Url, is_s3: bool) -> String {
    let path = url.path();
    if !is_s3 {
        return utf8_percent_encode(path, RESERVED_IN_PATHS).to_string();
    }
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    utf8_percent_encode(&decoded, RESERVED_IN_PATHS).to_string()
}

fn canonical_query(url: &Url) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
    let mut pairs: Vec<(String, String)> =
        url.query_pairs().map(|(name, value)| (encoded(&name), encoded(&value))).collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

fn keyed_hash(key: &[u8], text: &str) -> Vec<u8> {
    // A keyed hash takes a key of any length.
    let Ok(mut mac) = <Hmac<Sha256> as KeyInit>::new_from_slice(key) else { return Vec::new() };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(keys: &Keys, method: &str, url: &str, headers: &[(&str, &str)], body: &str, seconds: i64) -> String {
        let body = if body.is_empty() { Body::None } else { Body::Bytes(body.to_owned().into()) };
        let headers = headers.iter().map(|(name, value)| (Str::from(*name), Str::from(*value))).collect();
        let request =
            HttpRequest { method: method.into(), url: url.to_owned(), headers, body, ..HttpRequest::default() };
        let request = keys.sign(request, seconds).unwrap();
        request.headers.last().unwrap().1.to_string()
    }

    /// Requests and signatures of AWS's published test suite (`aws-sig-v4-test-suite`).
    #[test]
    fn signs_as_the_test_suite_does() {
        let keys = Keys {
            id: "AKIDEXAMPLE".into(),
            secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
            region: "us-east-1".into(),
            service: Some("service"),
            ..Keys::default()
        };
        let form = [("Content-Type", "application/x-www-form-urlencoded")];
        for (name, method, target, headers, body, signature) in [
            (
                "get-vanilla",
                "GET",
                "/",
                &[][..],
                "",
                "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            (
                "get-vanilla-query-order-key-case",
                "GET",
                "/?Param2=value2&Param1=value1",
                &[],
                "",
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
            (
                "get-unreserved",
                "GET",
                "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
                &[],
                "",
                "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
            ),
            ("post-vanilla", "POST", "/", &[], "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
            (
                "post-x-www-form-urlencoded",
                "POST",
                "/",
                &form,
                "Param1=value1",
                "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            ),
        ] {
            let url = format!("https://example.amazonaws.com{target}");
            let proof = signed(&keys, method, &url, headers, body, 1_440_938_160);
            assert!(proof.ends_with(&format!("Signature={signature}")), "{name}: {proof}");
            assert!(proof.contains("AKIDEXAMPLE/20150830/us-east-1/service/aws4_request"), "{name}: {proof}");
        }
    }

    /// The examples of S3's reference ("Authenticating Requests: Using the Authorization Header").
    #[test]
    fn signs_as_s3_wants_it() {
        let keys = Keys {
            id: "AKIAIOSFODNN7EXAMPLE".into(),
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(),
            region: "us-east-1".into(),
            ..Keys::default()
        };
        let put = [("Date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")];
        for (method, target, headers, body, signature) in [
            (
                "GET",
                "/test.txt",
                &[("Range", "bytes=0-9")][..],
                "",
                "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
            ),
            (
                "PUT",
                "/test$file.text",
                &put,
                "Welcome to Amazon S3.",
                "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
            ),
            ("GET", "/?lifecycle", &[], "", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
            (
                "GET",
                "/?max-keys=2&prefix=J",
                &[],
                "",
                "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
            ),
        ] {
            let url = format!("https://examplebucket.s3.amazonaws.com{target}");
            let proof = signed(&keys, method, &url, headers, body, 1_369_353_600);
            assert!(proof.ends_with(&format!("Signature={signature}")), "{method} {target}: {proof}");
        }
    }

    #[test]
    fn host_names_tell_service_and_region() {
        let aws = Keys { region: "eu-central-1".into(), ..Keys::default() };
        let s3 = Keys { service: Some("s3"), ..aws.clone() };
        for (keys, host, service, region) in [
            (&aws, "sqs.us-east-2.amazonaws.com", "sqs", "us-east-2"),
            (&aws, "abc123.execute-api.eu-west-1.amazonaws.com", "execute-api", "eu-west-1"),
            (&aws, "email.us-gov-west-1.amazonaws.com", "ses", "us-gov-west-1"),
            (&aws, "bucket.s3.ap-southeast-2.amazonaws.com", "s3", "ap-southeast-2"),
            (&aws, "s3-us-west-2.amazonaws.com", "s3", "us-west-2"),
            (&aws, "bucket.s3.amazonaws.com", "s3", "eu-central-1"),
            (&aws, "iam.amazonaws.com", "iam", "us-east-1"),
            (&aws, "ec2.cn-north-1.amazonaws.com.cn", "ec2", "cn-north-1"),
            (&aws, "bedrock-runtime.us-east-1.amazonaws.com", "bedrock", "us-east-1"),
            (&aws, "search.internal", "search", "eu-central-1"),
            (&s3, "storage.example.com", "s3", "eu-central-1"),
        ] {
            assert_eq!(keys.place(host), (service.to_owned(), region.to_owned()), "{host}");
        }
    }

    #[test]
    fn a_session_token_is_signed_where_there_is_one() {
        let data =
            Object::from([("accessKeyId", "k".into()), ("secretAccessKey", "s".into()), ("sessionToken", "t".into())]);
        let proof = signed(&Keys::of("aws", &data), "GET", "https://sqs.us-east-1.amazonaws.com/", &[], "", 0);
        assert!(proof.contains("SignedHeaders=host;x-amz-date;x-amz-security-token,"), "{proof}");
        let mut permanent = data;
        permanent.insert("temporaryCredentials", false);
        let proof = signed(&Keys::of("aws", &permanent), "GET", "https://sqs.us-east-1.amazonaws.com/", &[], "", 0);
        assert!(proof.contains("SignedHeaders=host;x-amz-date,"), "{proof}");
    }
}
