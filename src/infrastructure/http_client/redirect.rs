//! What a redirect asks for next (RFC 9110 §15.4), as browsers and n8n do it.

use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, LOCATION, PROXY_AUTHORIZATION};
use reqwest::{Method, StatusCode};
use url::Url;

/// The next request: where, how, and whether the body goes along.
pub(super) struct Hop {
    pub(super) url: Url,
    pub(super) method: Method,
    pub(super) keeps_body: bool,
}

/// None when the answer is no redirect.
pub(super) fn next(status: StatusCode, headers: &HeaderMap, url: &Url, method: &Method) -> Option<Hop> {
    let (method, keeps_body) = match status {
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND if *method == Method::POST => (Method::GET, false),
        StatusCode::SEE_OTHER if *method != Method::HEAD => (Method::GET, false),
        StatusCode::MOVED_PERMANENTLY
        | StatusCode::FOUND
        | StatusCode::SEE_OTHER
        | StatusCode::TEMPORARY_REDIRECT
        | StatusCode::PERMANENT_REDIRECT => (method.clone(), true),
        _ => return None,
    };
    let location = headers.get(LOCATION)?;
    let target = std::str::from_utf8(location.as_bytes()).ok()?;
    let url = url.join(target).ok()?;
    Some(Hop { url, method, keeps_body })
}

/// Credentials are for the host they were given for.
/// `private`: names of more headers that hold one.
pub(super) fn drop_credentials(headers: &mut HeaderMap, private: &[String], from: &Url, to: &Url) {
    let same = from.scheme() == to.scheme()
        && from.host() == to.host()
        && from.port_or_known_default() == to.port_or_known_default();
    if !same {
        for name in [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION] {
            headers.remove(name);
        }
        // Keys travel in headers of any name; these are the usual ones.
        for name in ["x-api-key", "x-n8n-api-key", "api-key", "x-auth-token"] {
            headers.remove(name);
        }
        for name in private {
            headers.remove(name.as_str());
        }
    }
}
