//! The webhook routes of one tenant in memory: fixed paths by hash, paths with `:parameters` by their fixed segments.
//! Pure: knows neither the database nor HTTP.

use std::borrow::Cow;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use rustc_hash::FxHashMap;

/// Something registered for a method and a path.
pub(super) trait Routed {
    /// Upper-case HTTP method.
    fn method(&self) -> &str;
    /// Path without leading slash; segments that begin with `:` are parameters.
    fn path(&self) -> &str;
}

/// Routes by path. Built once, then only read.
#[derive(Debug)]
pub(super) struct RouteTable<R> {
    fixed: FxHashMap<Box<str>, Vec<Arc<R>>>,
    /// By number of segments; within it those with more fixed segments first.
    patterns: FxHashMap<usize, Vec<Pattern<R>>>,
}

#[derive(Debug)]
struct Pattern<R> {
    segments: Vec<Segment>,
    routes: Vec<Arc<R>>,
}

#[derive(Debug, PartialEq, Eq)]
enum Segment {
    Fixed(Box<str>),
    Parameter(Box<str>),
}

/// What a request meets.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Lookup<R> {
    Found {
        route: Arc<R>,
        parameters: Vec<(Box<str>, String)>,
    },
    /// The path is registered, but for these methods only (sorted).
    OtherMethods(Vec<String>),
    Unknown,
}

impl<R> Default for RouteTable<R> {
    fn default() -> RouteTable<R> {
        RouteTable { fixed: FxHashMap::default(), patterns: FxHashMap::default() }
    }
}

impl<R: Routed> RouteTable<R> {
    pub(super) fn new(routes: impl IntoIterator<Item = R>) -> RouteTable<R> {
        let mut table = RouteTable::default();
        for route in routes {
            table.add(Arc::new(route));
        }
        for patterns in table.patterns.values_mut() {
            patterns.sort_by_key(|pattern| {
                pattern.segments.iter().filter(|segment| matches!(segment, Segment::Parameter(_))).count()
            });
        }
        table
    }

    fn add(&mut self, route: Arc<R>) {
        let segments: Vec<Segment> = route.path().split('/').map(Segment::of).collect();
        if segments.iter().all(|segment| matches!(segment, Segment::Fixed(_))) {
            self.fixed.entry(route.path().into()).or_default().push(route);
            return;
        }
        let patterns = self.patterns.entry(segments.len()).or_default();
        match patterns.iter_mut().find(|pattern| pattern.segments == segments) {
            Some(pattern) => pattern.routes.push(route),
            None => patterns.push(Pattern { segments, routes: vec![route] }),
        }
    }

    /// Finds the route of a request. `path` has no leading slash and may be percent-encoded.
    pub(super) fn find(&self, method: &str, path: &str) -> Lookup<R> {
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
        for pattern in self.patterns.get(&segments.len()).into_iter().flatten() {
            let Some(parameters) = pattern.capture(&segments) else { continue };
            match of_method(&pattern.routes, method) {
                Some(route) => return Lookup::Found { route, parameters },
                None => others.extend(pattern.routes.iter().map(|route| route.method().to_owned())),
            }
        }
        Lookup::without(others)
    }
}

impl<R: Routed> RouteTable<R> {
    /// Methods that a path takes, sorted.
    pub(super) fn methods(&self, path: &str) -> Vec<String> {
        // No request has an empty method, so no route is found.
        match self.find("", path) {
            Lookup::OtherMethods(methods) => methods,
            Lookup::Found { .. } | Lookup::Unknown => Vec::new(),
        }
    }
}

fn of_method<R: Routed>(routes: &[Arc<R>], method: &str) -> Option<Arc<R>> {
    routes.iter().find(|route| route.method() == method).cloned()
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

impl<R> Pattern<R> {
    /// The parameters of a path that matches.
    fn capture(&self, segments: &[Cow<'_, str>]) -> Option<Vec<(Box<str>, String)>> {
        let mut parameters = Vec::new();
        for (pattern, segment) in self.segments.iter().zip(segments) {
            match pattern {
                Segment::Fixed(text) if **text == **segment => {}
                Segment::Parameter(name) if !segment.is_empty() => {
                    parameters.push((name.clone(), segment.clone().into_owned()));
                }
                _ => return None,
            }
        }
        Some(parameters)
    }
}

impl Segment {
    fn of(text: &str) -> Segment {
        match text.strip_prefix(':') {
            Some(name) if !name.is_empty() => Segment::Parameter(name.into()),
            _ => Segment::Fixed(text.into()),
        }
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
