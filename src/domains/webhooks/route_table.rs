//! The webhook routes of one tenant in memory: fixed paths by hash, paths with `:parameters` by a tree of their segments,
//! so that a look-up costs the same however many there are. Pure: knows neither the database nor HTTP.

use std::borrow::Cow;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use rustc_hash::FxHashMap;

/// Something registered for a method and a path.
pub trait Routed {
    /// Upper-case HTTP method.
    fn method(&self) -> &str;
    /// Path without leading slash; segments that begin with `:` are parameters.
    fn path(&self) -> &str;
}

/// Routes by path. Built once, then only read.
#[derive(Debug)]
pub struct RouteTable<R> {
    fixed: FxHashMap<Box<str>, Vec<Arc<R>>>,
    patterns: Step<R>,
}

/// What may follow some segments of a path with parameters.
#[derive(Debug)]
struct Step<R> {
    fixed: FxHashMap<Box<str>, Step<R>>,
    parameter: Option<Box<Step<R>>>,
    /// Routes whose path ends here, one for each method.
    routes: Vec<Arc<R>>,
}

/// What a request meets.
#[derive(Debug, PartialEq, Eq)]
pub enum Lookup<R> {
    Found {
        route: Arc<R>,
        parameters: Vec<(Box<str>, String)>,
    },
    /// The path is registered, but for these methods only (sorted).
    OtherMethods(Vec<String>),
    Unknown,
}

impl<R> Default for Step<R> {
    fn default() -> Step<R> {
        Step { fixed: FxHashMap::default(), parameter: None, routes: Vec::new() }
    }
}

impl<R> Default for RouteTable<R> {
    fn default() -> RouteTable<R> {
        RouteTable { fixed: FxHashMap::default(), patterns: Step::default() }
    }
}

impl<R: Routed> RouteTable<R> {
    pub fn new(routes: impl IntoIterator<Item = R>) -> RouteTable<R> {
        let mut table = RouteTable::default();
        for route in routes {
            table.add(Arc::new(route));
        }
        table
    }

    fn add(&mut self, route: Arc<R>) {
        if !route.path().split('/').any(|segment| parameter(segment).is_some()) {
            self.fixed.entry(route.path().into()).or_default().push(route);
            return;
        }
        let mut step = &mut self.patterns;
        for segment in route.path().split('/') {
            step = match parameter(segment) {
                Some(_) => step.parameter.get_or_insert_default(),
                None => step.fixed.entry(segment.into()).or_default(),
            };
        }
        step.routes.push(Arc::clone(&route));
    }

    /// Finds the route of a request. `path` has no leading slash and may be percent-encoded. Where several patterns take
    /// it, the one with the most fixed segments does.
    pub fn find(&self, method: &str, path: &str) -> Lookup<R> {
        let path = path.strip_suffix('/').unwrap_or(path);
        let decoded = percent_decode_str(path).decode_utf8_lossy();
        let mut others = Vec::new();
        if let Some(routes) = self.fixed.get(decoded.as_ref()) {
            match of_method(routes, method) {
                Some(route) => return Lookup::Found { route, parameters: Vec::new() },
                None => others.extend(routes.iter().map(|route| route.method().to_owned())),
            }
        }
        if self.patterns.is_empty() {
            return Lookup::without(others);
        }
        // An encoded slash belongs to its segment, so the path is split before it is decoded.
        let segments: Vec<Cow<'_, str>> =
            path.split('/').map(|segment| percent_decode_str(segment).decode_utf8_lossy()).collect();
        let mut ends = Vec::new();
        self.patterns.walk(&segments, 0, &mut ends);
        // Stable: among equals the one whose fixed segments come first.
        ends.sort_by_key(|(fixed, _)| std::cmp::Reverse(*fixed));
        for (_, routes) in ends {
            match of_method(routes, method) {
                Some(route) => {
                    let parameters = captured(route.path(), &segments);
                    return Lookup::Found { route, parameters };
                }
                None => others.extend(routes.iter().map(|route| route.method().to_owned())),
            }
        }
        Lookup::without(others)
    }

    /// Methods that a path takes, sorted.
    pub(super) fn methods(&self, path: &str) -> Vec<String> {
        // No request has an empty method, so no route is found.
        match self.find("", path) {
            Lookup::OtherMethods(methods) => methods,
            Lookup::Found { .. } | Lookup::Unknown => Vec::new(),
        }
    }
}

/// What of a path is below a folder of the server, or of one of its tenants: `/t/{tenant}/webhook/…`.
pub(super) fn below<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    let of_tenant = || {
        let (_, rest) = path.strip_prefix("/t/")?.split_once('/')?;
        rest.strip_prefix(folder.trim_start_matches('/'))
    };
    path.strip_prefix(folder).or_else(of_tenant)
}

fn of_method<R: Routed>(routes: &[Arc<R>], method: &str) -> Option<Arc<R>> {
    routes.iter().find(|route| route.method() == method).cloned()
}

/// The name of a segment that is a parameter.
fn parameter(segment: &str) -> Option<&str> {
    segment.strip_prefix(':').filter(|name| !name.is_empty())
}

/// The values of a pattern's parameters.
fn captured(pattern: &str, segments: &[Cow<'_, str>]) -> Vec<(Box<str>, String)> {
    let pairs = pattern.split('/').zip(segments);
    pairs.filter_map(|(name, value)| Some((parameter(name)?.into(), value.clone().into_owned()))).collect()
}

impl<R> Step<R> {
    fn is_empty(&self) -> bool {
        self.fixed.is_empty() && self.parameter.is_none()
    }

    /// Every way in which the segments lead to routes, with how many of the segments are fixed.
    fn walk<'a>(&'a self, segments: &[Cow<'_, str>], fixed: usize, ends: &mut Vec<(usize, &'a [Arc<R>])>) {
        let Some((segment, rest)) = segments.split_first() else {
            if !self.routes.is_empty() {
                ends.push((fixed, &self.routes));
            }
            return;
        };
        if let Some(next) = self.fixed.get(segment.as_ref()) {
            next.walk(rest, fixed + 1, ends);
        }
        if let Some(next) = self.parameter.as_ref().filter(|_| !segment.is_empty()) {
            next.walk(rest, fixed, ends);
        }
    }
}

impl<R> Lookup<R> {
    fn without(mut others: Vec<String>) -> Lookup<R> {
        if others.is_empty() {
            return Lookup::Unknown;
        }
        others.sort();
        others.dedup();
        Lookup::OtherMethods(others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Eq)]
    struct Route(&'static str, &'static str);

    impl Routed for Route {
        fn method(&self) -> &str {
            self.0
        }
        fn path(&self) -> &str {
            self.1
        }
    }

    fn table() -> RouteTable<Route> {
        RouteTable::new([
            Route("POST", "orders"),
            Route("GET", "orders"),
            Route("GET", "u/:id"),
            Route("GET", "u/me"),
            Route("POST", "u/:id"),
            Route("GET", "u/:id/files/:file"),
            Route("GET", "u/:id/:kind/all"),
            Route("GET", "a/:x/:y"),
            Route("GET", ":p/b/c"),
            Route("DELETE", "a/:n/c"),
            Route("GET", "grüße"),
            Route("GET", ":"),
        ])
    }

    fn shown(method: &str, path: &str) -> String {
        match table().find(method, path) {
            Lookup::Found { route, parameters } => {
                let parameters: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
                format!("{} {} {}", route.0, route.1, parameters.join(",")).trim_end().to_owned()
            }
            Lookup::OtherMethods(methods) => format!("only {}", methods.join(",")),
            Lookup::Unknown => "unknown".to_owned(),
        }
    }

    #[test]
    fn tenants_may_be_called_like_folders() {
        for (path, expected) in [
            ("/webhook/a/webhook/b", Some("a/webhook/b")),
            ("/t/acme/webhook/a", Some("a")),
            ("/t/webhook/webhook/a", Some("a")),
            ("/t/acme/webhook/", Some("")),
            ("/t/webhook/a", None),
            ("/api/v1/webhook/a", None),
        ] {
            assert_eq!(below(path, "/webhook/"), expected, "{path}");
        }
    }

    #[test]
    fn requests_find_their_route() {
        for (method, path, expected) in [
            ("POST", "orders", "POST orders"),
            ("GET", "orders/", "GET orders"),
            ("DELETE", "orders", "only GET,POST"),
            ("GET", "u/7", "GET u/:id id=7"),
            ("GET", "u/me", "GET u/me"),
            ("POST", "u/me", "POST u/:id id=me"),
            ("PUT", "u/me", "only GET,POST"),
            ("GET", "u/7/files/a%2Fb%20c", "GET u/:id/files/:file id=7,file=a/b c"),
            ("GET", "u/7/x/all", "GET u/:id/:kind/all id=7,kind=x"),
            ("GET", "a/b/c", "GET :p/b/c p=a"),
            ("GET", "a/x/y", "GET a/:x/:y x=x,y=y"),
            ("DELETE", "a/b/c", "DELETE a/:n/c n=b"),
            ("POST", "a/b/c", "only DELETE,GET"),
            ("GET", "u//files/x", "unknown"),
            ("GET", "gr%C3%BC%C3%9Fe", "GET grüße"),
            ("GET", ":", "GET :"),
            ("GET", "nothing", "unknown"),
            ("GET", "", "unknown"),
            ("GET", "%ff%fe", "unknown"),
        ] {
            assert_eq!(shown(method, path), expected, "{method} {path}");
        }
    }
}
