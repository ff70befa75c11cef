//! The catalogue of node types, by name. The same for every tenant; read once.

use std::sync::Arc;

use millrace_model::{Object, Str, Value};
use millrace_nodes::{Capability, Description, NodeType, Role, registry};

use super::dto::{ListNodeTypesQuery, NodeTypeDetailResponse, NodeTypePage, NodeTypeResponse};
use super::error::Error;

/// The catalogue. Cheap to clone.
#[derive(Clone)]
pub struct Service {
    /// Sorted by name.
    types: Arc<Vec<NodeTypeResponse>>,
}

impl Service {
    pub fn new() -> Service {
        let mut types: Vec<NodeTypeResponse> = registry::all().map(summary).collect();
        types.sort_by_key(|found| found.name);
        Service { types: Arc::new(types) }
    }

    /// By name, ascending. All filters must hold.
    pub fn list(&self, query: &ListNodeTypesQuery) -> Result<NodeTypePage, Error> {
        let search = query.search.as_deref().unwrap_or_default().to_lowercase();
        let is_wanted = |found: &&NodeTypeResponse| {
            let texts = [found.name, &found.display_name, &found.description];
            texts.iter().any(|text| text.to_lowercase().contains(&search))
                && query.group.as_ref().is_none_or(|group| found.group.contains(group))
                && query.role.as_ref().is_none_or(|role| found.role == role)
        };
        let after = match &query.cursor {
            Some(cursor) => self.position(cursor).ok_or(Error::BadCursor)?.saturating_add(1),
            None => 0,
        };
        let limit = usize::try_from(query.limit.unwrap_or_default().get()).unwrap_or(usize::MAX);
        let mut found = self.types.iter().skip(after).filter(is_wanted);
        let data: Vec<NodeTypeResponse> = found.by_ref().take(limit).cloned().collect();
        let has_more = found.next().is_some();
        let next_cursor = data.last().filter(|_| has_more).map(|last| last.name.to_owned());
        Ok(NodeTypePage { data, next_cursor })
    }

    /// A type by its full name, or by its name within n8n's base package.
    pub fn get(&self, name: &str) -> Result<NodeTypeDetailResponse, Error> {
        // A slash within a name is sent encoded, and stays so in the path.
        let name = &name.replace("%2F", "/").replace("%2f", "/");
        let found = registry::find(name)
            .or_else(|| PACKAGES.iter().find_map(|package| registry::find(&format!("{package}.{name}"))));
        let Some(node_type) = found else {
            return Err(Error::NotFound { name: name.to_owned(), similar: self.similar(name) });
        };
        let variants = registry::description(node_type).variants().iter().map(|variant| variant.document.clone());
        Ok(NodeTypeDetailResponse { summary: summary(node_type), variants: variants.collect() })
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.types.binary_search_by_key(&name, |found| found.name).ok()
    }

    /// Names close to one that does not exist, closest first; three at most.
    fn similar(&self, name: &str) -> Vec<&'static str> {
        const ENOUGH: f64 = 0.75;
        let wanted = short(name).to_lowercase();
        let likeness = |found: &NodeTypeResponse| strsim::jaro_winkler(&wanted, &short(found.name).to_lowercase());
        let mut close: Vec<(f64, &'static str)> =
            self.types.iter().map(|found| (likeness(found), found.name)).filter(|(how, _)| *how >= ENOUGH).collect();
        close.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        close.into_iter().take(3).map(|(_, name)| name).collect()
    }
}

impl Default for Service {
    fn default() -> Service {
        Service::new()
    }
}

/// A type's name without its package.
/// Packages whose nodes are found without their name.
const PACKAGES: [&str; 2] = ["n8n-nodes-base", "millrace"];

fn short(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(_, short)| short)
}

fn summary(node_type: &'static NodeType) -> NodeTypeResponse {
    let description: &Description = registry::description(node_type);
    let newest = description.versions().last().copied().unwrap_or(1.0);
    let document = &description.variant(newest).document;
    NodeTypeResponse {
        name: node_type.name,
        display_name: text(document, "displayName"),
        description: text(document, "description"),
        group: document
            .get("group")
            .and_then(Value::as_array)
            .unwrap_or_default()
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        versions: description.versions().to_vec(),
        role: role_name(node_type.role),
        effects: node_type.needs.iter().copied().map(effect_name).collect(),
    }
}

fn text(document: &Object, key: &str) -> String {
    document.get(key).map(Value::to_js_string).map(|text: Str| text.to_string()).unwrap_or_default()
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::Regular => "regular",
        Role::Trigger => "trigger",
        Role::Webhook => "webhook",
        Role::Annotation => "annotation",
    }
}

fn effect_name(capability: Capability) -> &'static str {
    match capability {
        Capability::Network => "network",
        Capability::Files => "files",
        Capability::Commands => "commands",
        Capability::Workflows => "workflows",
        Capability::Storage => "storage",
        Capability::Mail => "mail",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_meet_without_gap_or_overlap() {
        let service = Service::new();
        let (mut names, mut cursor) = (Vec::new(), None);
        loop {
            let limit = serde_json::from_str("3").unwrap();
            let query = ListNodeTypesQuery { limit: Some(limit), cursor: cursor.clone(), ..Default::default() };
            let page = service.list(&query).unwrap();
            names.extend(page.data.iter().map(|found| found.name));
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        let all: Vec<_> = service.types.iter().map(|found| found.name).collect();
        assert_eq!(names, all);
        assert!(!all.is_empty() && all.is_sorted());
    }

    #[test]
    fn unknown_names_suggest_close_ones() {
        let service = Service::new();
        let known = service.types.iter().find(|found| short(found.name).len() > 3).map(|found| found.name).unwrap();
        let Err(Error::NotFound { similar, .. }) = service.get(&format!("{known}x")) else { panic!("found") };
        assert_eq!(similar.first(), Some(&known));
        assert!(matches!(service.get("zzz"), Err(Error::NotFound { similar, .. }) if similar.is_empty()));
        assert!(service.get(short(known)).is_ok());
    }

    #[test]
    fn a_cursor_from_elsewhere_is_refused() {
        let query = ListNodeTypesQuery { cursor: Some("nonsense".to_owned()), ..Default::default() };
        assert_eq!(Service::new().list(&query).unwrap_err(), Error::BadCursor);
    }
}
