//! Connections of documents that name none: read from where the nodes stand, as a person reads the picture, column by
//! column from left to right and from top to bottom. n8n itself always writes connections.

use millrace_model::{NodeIndex, Object, Value, Workflow, to_index};

use super::is_handwritten;
use crate::{Role, parameters, registry};

/// Nodes whose left edges are less than this apart stand in one column; a node is about as wide.
const COLUMN_WIDTH: f64 = 100.0;

/// A connection that the document does not name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InferredConnection {
    pub source: NodeIndex,
    pub output: usize,
    pub target: NodeIndex,
    pub input: usize,
}

/// The connections that a workflow without any is meant to have, by the positions of its nodes; by their order in the
/// document where they have none. Empty for every other workflow: one that n8n has written stays as it is.
///
/// Each column leads to the next. Where both hold several nodes, the first goes with the first, and so on; a node with
/// several outputs spreads them over its targets, from top to bottom. The last column leads back to a loop.
pub fn inferred_connections(workflow: &Workflow) -> Vec<InferredConnection> {
    let nodes = standing(workflow);
    if nodes.len() < 2 || !is_unconnected(workflow) {
        return Vec::new();
    }
    let (mut found, mut open): (Vec<InferredConnection>, Vec<&Standing>) = (Vec::new(), Vec::new());
    let mut looping = None;
    for column in &columns(&nodes) {
        let targets: Vec<&Standing> = column.iter().copied().filter(|node| node.inputs > 0).collect();
        connect(&open, &targets, &mut found);
        if targets.is_empty() {
            open.extend(column.iter().copied());
        } else {
            open.clone_from(column);
        }
        looping = column.iter().copied().find(|node| node.loops).or(looping);
    }
    if let Some(looping) = looping {
        let leads_on = |found: &[InferredConnection], node: NodeIndex| found.iter().any(|edge| edge.source == node);
        if leads_on(&found, looping.index) {
            open.retain(|node| !leads_on(&found, node.index));
            let back = |node: &&Standing| InferredConnection {
                source: node.index,
                output: node.output(0),
                target: looping.index,
                input: 0,
            };
            found.extend(open.iter().map(back).collect::<Vec<_>>());
        }
    }
    found
}

/// Does the document name no connections, and not because n8n wrote it so?
fn is_unconnected(workflow: &Workflow) -> bool {
    let by_hand = || workflow.nodes.iter().all(is_handwritten);
    let has_document = || workflow.nodes.iter().all(|node| !node.document.is_empty());
    workflow.connections.is_empty() && has_document() && (!workflow.connections.is_written || by_hand())
}

/// A node as far as it matters here.
#[derive(Debug)]
struct Standing {
    index: NodeIndex,
    place: Option<(f64, f64)>,
    inputs: usize,
    /// Outputs that its items can take.
    outputs: usize,
    loops: bool,
    /// Leads on from its last output: Loop Over Items, since version 3.
    leads_from_last: bool,
}

impl Standing {
    /// The output to the target at this place among its targets.
    fn output(&self, place: usize) -> usize {
        let last = self.outputs.saturating_sub(1);
        if self.leads_from_last {
            last
        } else if self.loops {
            0
        } else {
            place.min(last)
        }
    }
}

fn standing(workflow: &Workflow) -> Vec<Standing> {
    let of = |index: NodeIndex| {
        let node = workflow.node(index);
        let place = node.document.get("position").and_then(Value::as_array).and_then(|place| match place {
            [x, y, ..] => Some((x.as_f64()?, y.as_f64()?)),
            _ => None,
        });
        let loops = node.short_kind() == "splitInBatches";
        let leads_from_last = loops && node.version >= 3.0;
        let plain = Standing { index, place, inputs: 1, outputs: 1, loops, leads_from_last };
        let Some(found) = registry::find(&node.kind) else { return Some(plain) };
        let ports = registry::ports(found, node);
        match found.role {
            Role::Annotation => None,
            Role::Trigger | Role::Webhook => Some(Standing { inputs: 0, outputs: ports.outputs, ..plain }),
            Role::Regular => {
                let parameters = parameters::with_defaults(registry::description(found), node);
                let outputs = rule_outputs(&parameters).map_or(ports.outputs, |used| used.min(ports.outputs));
                Some(Standing { inputs: ports.inputs, outputs, ..plain })
            }
        }
    };
    workflow.indices().filter_map(of).collect()
}

/// Outputs that the rules of a Switch before version 3 send items to; they leave the others unused.
fn rule_outputs(parameters: &Object) -> Option<usize> {
    let rules = parameters.get("rules")?.get("rules")?.as_array()?;
    let named = rules.iter().map(|rule| rule.get("output")).chain([parameters.get("fallbackOutput")]);
    named.filter_map(|output| to_index(output?.as_f64()?)).max().map(|highest| highest.saturating_add(1))
}

/// Nodes from left to right, those of a column from top to bottom. Without places to tell them apart each node is a
/// column of its own, in the order of the document.
fn columns(nodes: &[Standing]) -> Vec<Vec<&Standing>> {
    let mut placed: Vec<(f64, f64, &Standing)> =
        nodes.iter().filter_map(|node| node.place.map(|(x, y)| (x, y, node))).collect();
    if placed.len() < nodes.len() {
        return nodes.iter().map(|node| vec![node]).collect();
    }
    placed.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut columns: Vec<Vec<(f64, f64, &Standing)>> = Vec::new();
    for node in placed {
        match columns.last_mut() {
            Some(column) if column.first().is_some_and(|first| node.0 - first.0 < COLUMN_WIDTH) => column.push(node),
            _ => columns.push(vec![node]),
        }
    }
    for column in &mut columns {
        column.sort_by(|one, other| one.1.total_cmp(&other.1));
    }
    let columns: Vec<Vec<&Standing>> =
        columns.into_iter().map(|column| column.into_iter().map(|(.., node)| node).collect()).collect();
    match columns.as_slice() {
        [only] => only.iter().map(|node| vec![*node]).collect(),
        _ => columns,
    }
}

/// Leads every source somewhere and every target to something, in order.
fn connect(sources: &[&Standing], targets: &[&Standing], found: &mut Vec<InferredConnection>) {
    if sources.is_empty() || targets.is_empty() {
        return;
    }
    let (lanes, begun) = (sources.len().max(targets.len()), found.len());
    for lane in 0..lanes {
        let (source, target) = (sources.get(lane * sources.len() / lanes), targets.get(lane * targets.len() / lanes));
        let (Some(source), Some(target)) = (source, target) else { continue };
        let earlier = found.get(begun..).unwrap_or_default();
        let output = source.output(earlier.iter().filter(|edge| edge.source == source.index).count());
        let before = earlier.iter().filter(|edge| edge.target == target.index).count();
        let input = before.min(target.inputs.saturating_sub(1));
        found.push(InferredConnection { source: source.index, output, target: target.index, input });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `name: kind @x,y` for each node; the connections as `A>B A.1>C`.
    fn read(nodes: &[&str], connections: &str, version: &str) -> String {
        let nodes: Vec<String> = nodes
            .iter()
            .map(|node| {
                let (name, rest) = node.split_once(": ").unwrap();
                let (kind, place) = rest.split_once(" @").unwrap_or((rest, ""));
                let place = if place.is_empty() { String::new() } else { format!(r#", "position": [{place}]"#) };
                format!(r#"{{"name": "{name}", "type": "n8n-nodes-base.{kind}", "parameters": {{}}{version}{place}}}"#)
            })
            .collect();
        let document = format!(r#"{{"nodes": [{}]{connections}}}"#, nodes.join(","));
        let workflow = Workflow::parse(&Value::from_json(&document).unwrap()).unwrap();
        let name = |index: NodeIndex| workflow.node(index).name.clone();
        let port = |port: usize| if port == 0 { String::new() } else { format!(".{port}") };
        let edges = inferred_connections(&workflow).into_iter().map(|edge| {
            let (source, target) = (name(edge.source), name(edge.target));
            format!("{source}{}>{target}{}", port(edge.output), port(edge.input))
        });
        edges.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn positions_say_what_leads_where() {
        let table: [(&[&str], &str); 9] = [
            (&["B: set @450,0", "A: webhook @250,0", "C: noOp @650,0"], "A>B B>C"),
            (&["A: webhook @0,0", "I: if @200,0", "N: noOp @400,100", "Y: noOp @400,-100"], "A>I I>Y I.1>N"),
            (
                &["A: webhook @0,0", "I: if @200,0", "Y: set @400,0", "N: set @400,9", "E: set @600,0"],
                "A>I I>Y I.1>N Y>E N>E",
            ),
            (&["A: webhook @0,0", "F: set @200,0", "G: set @210,90", "M: merge @400,0"], "A>F A>G F>M G>M.1"),
            (&["A: webhook @0,0", "B: cron @0,90", "C: set @200,0"], "A>C B>C"),
            (&["A: webhook @0,0", "C: set @200,0", "B: cron @200,90", "D: set @400,0"], "A>C C>D B>D"),
            (&["A: webhook @0,0", "S: stickyNote @100,0", "B: set @200,0"], "A>B"),
            (&["A: webhook @0,0", "L: splitInBatches @200,0", "B: set @400,0", "C: set @600,0"], "A>L L>B B>C C>L"),
            (&["A: webhook @0,0", "B: set @0,200", "C: set @0,100"], "A>C C>B"),
        ];
        for (nodes, expected) in table {
            assert_eq!(read(nodes, "", ""), expected, "{nodes:?}");
            assert_eq!(read(nodes, r#", "connections": {}"#, ""), expected, "{nodes:?}");
        }
    }

    #[test]
    fn without_positions_the_order_of_the_document_counts() {
        assert_eq!(read(&["A: cron", "B: set", "C: set"], "", ""), "A>B B>C");
        assert_eq!(read(&["A: cron @0,0", "C: set", "B: set @100,0"], "", ""), "A>C C>B");
    }

    #[test]
    fn loops_of_later_versions_lead_on_from_their_second_output() {
        let nodes = ["A: webhook @0,0", "L: splitInBatches @200,0", "B: set @400,0"];
        assert_eq!(read(&nodes, "", r#", "typeVersion": 3"#), "A>L L.1>B B>L");
    }

    #[test]
    fn what_n8n_has_written_stays_as_it_is() {
        let nodes = ["A: webhook @0,0", "B: set @200,0"];
        assert_eq!(read(&nodes, r#", "connections": {}"#, r#", "typeVersion": 1"#), "");
        let connected = r#", "connections": {"B": {"main": [[{"node": "A", "type": "main", "index": 0}]]}}"#;
        assert_eq!(read(&nodes, connected, ""), "");
        assert_eq!(read(&["A: webhook @0,0"], "", ""), "", "there is nothing to connect");
    }
}
