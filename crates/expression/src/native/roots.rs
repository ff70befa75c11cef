//! Data of the run that expressions begin with: `$json`, `$input`, `$('node')`, `$workflow`, …

use std::borrow::Cow;
use std::cell::RefCell;

use millrace_model::{Item, Items, NodeIndex, Source, Value};

use super::{
    Evaluated, Read, Stop, WhyNot,
    parser::Parser,
    syntax::{Pick, Root},
};
use crate::frame::{Frame, Lists};
use crate::tokens::{Kind, Token, unescape};
use crate::{Scope, pairing};

/// The root a name begins, with the members that belong to it.
pub(super) fn parse(parser: &mut Parser<'_, '_>, token: &Token<'_>) -> Result<Root, WhyNot> {
    let unknown = |parser: &Parser<'_, '_>| Err(parser.unknown(token));
    Ok(match token.text {
        "$json" | "$data" => Root::Json,
        "$itemIndex" => Root::ItemIndex,
        "$runIndex" => Root::RunIndex,
        "$vars" => Root::Variables,
        "$env" => Root::Environment,
        "$input" => Root::Input(pick(parser)?),
        "$" => {
            parser.expect("(")?;
            let name = literal(parser)?;
            parser.expect(")")?;
            Root::Node(name, pick(parser)?)
        }
        "$node" => {
            let name = if parser.take("[") {
                let name = literal(parser)?;
                parser.expect("]")?;
                name
            } else {
                member(parser)?.into()
            };
            match member(parser)? {
                "json" | "data" => Root::LegacyNode(name),
                _ => return unknown(parser),
            }
        }
        "$workflow" => match member(parser)? {
            "id" => Root::WorkflowId,
            "name" => Root::WorkflowName,
            "active" => Root::WorkflowActive,
            _ => return unknown(parser),
        },
        "$execution" => match member(parser)? {
            "id" => Root::ExecutionId,
            "mode" => Root::ExecutionMode,
            "resumeUrl" => Root::ResumeUrl,
            _ => return unknown(parser),
        },
        "$prevNode" => match member(parser)? {
            "name" => Root::PreviousName,
            "outputIndex" => Root::PreviousOutput,
            "runIndex" => Root::PreviousRun,
            _ => return unknown(parser),
        },
        _ => return unknown(parser),
    })
}

fn member<'s>(parser: &mut Parser<'_, 's>) -> Result<&'s str, WhyNot> {
    parser.expect(".")?;
    parser.name()
}

/// `.item.json`, `.first().json`, `.last().json`.
fn pick(parser: &mut Parser<'_, '_>) -> Result<Pick, WhyNot> {
    parser.expect(".")?;
    let pick = match parser.name()? {
        "item" => Pick::Item,
        name @ ("first" | "last") => {
            parser.expect("(")?;
            parser.expect(")")?;
            if name == "first" { Pick::First } else { Pick::Last }
        }
        other => return Err(WhyNot(format!("`{other}` of a node has no native form"))),
    };
    parser.expect(".")?;
    match parser.name()? {
        "json" => Ok(pick),
        other => Err(WhyNot(format!("`{other}` of an item has no native form"))),
    }
}

fn literal(parser: &mut Parser<'_, '_>) -> Result<millrace_model::Str, WhyNot> {
    let token = parser.next()?;
    let inner = token.text.get(1..token.text.len().saturating_sub(1));
    match inner.filter(|text| token.kind == Kind::String && !text.contains('\\')) {
        Some(inner) => Ok(unescape(inner).into()),
        None => Err(parser.unknown(token)),
    }
}

/// Reads a root. Where data is missing the engine says what n8n says.
pub(super) fn read<'a>(root: &'a Root, scope: &Scope<'a>) -> Evaluated<'a> {
    let text = |text: &'a millrace_model::Str| Ok(Cow::Owned(Value::String(text.clone())));
    let filled = |value: &'a millrace_model::Str| {
        Ok(Cow::Owned(if value.is_empty() { Value::Undefined } else { Value::String(value.clone()) }))
    };
    let number = |number: usize| Ok(Cow::Owned(Value::from(number)));
    match root {
        Root::Json => json(input(scope)?.get(scope.item_index)),
        Root::Input(pick) => {
            let items = uncombined(scope).and_then(|()| input(scope))?;
            json(match pick {
                Pick::Item => items.get(scope.item_index),
                Pick::First => items.first(),
                Pick::Last => items.last(),
            })
        }
        Root::Node(name, pick) => node(name, *pick, scope),
        Root::LegacyNode(name) => {
            let node = scope.workflow.find(name).ok_or(Stop::Fallback)?;
            json(last_output(node, scope)?.get(scope.item_index))
        }
        Root::ItemIndex => number(scope.item_index),
        Root::RunIndex => number(scope.run_index),
        Root::WorkflowId => filled(&scope.workflow.id),
        Root::WorkflowName => filled(&scope.workflow.name),
        Root::WorkflowActive => Ok(Cow::Owned(scope.workflow.active.into())),
        Root::ExecutionId => text(&scope.globals.execution_id),
        Root::ExecutionMode => {
            Ok(Cow::Owned(if scope.globals.mode == "manual" { "test" } else { "production" }.into()))
        }
        Root::ResumeUrl => text(&scope.globals.resume_url),
        Root::PreviousName => text(&scope.workflow.node(previous(scope)?.node).name),
        Root::PreviousOutput => number(previous(scope)?.output),
        Root::PreviousRun => number(previous(scope)?.run),
        Root::Variables => Ok(Cow::Owned(Value::Object((*scope.globals.vars).clone()))),
        Root::Environment => Ok(Cow::Owned(Value::Object((*scope.globals.env).clone()))),
    }
}

fn json(item: Option<&Item>) -> Result<Read<'_>, Stop> {
    item.map(|item| Cow::Borrowed(&item.json)).ok_or(Stop::Fallback)
}

fn input<'a>(scope: &Scope<'a>) -> Result<&'a Items, Stop> {
    match scope.inputs.first() {
        Some(Some(items)) if !items.is_empty() => Ok(items),
        _ => Err(Stop::Fallback),
    }
}

/// Workflows that combine binaries and JSON hand out items in another shape.
fn uncombined(scope: &Scope<'_>) -> Result<(), Stop> {
    let combined = scope.workflow.settings.document.get("binaryMode").is_some();
    if combined { Err(Stop::Fallback) } else { Ok(()) }
}

fn previous(scope: &Scope<'_>) -> Result<Source, Stop> {
    scope.source.first().copied().flatten().ok_or(Stop::Fallback)
}

fn node<'a>(name: &str, pick: Pick, scope: &Scope<'a>) -> Evaluated<'a> {
    uncombined(scope)?;
    let node = scope.workflow.find(name).ok_or(Stop::Fallback)?;
    match pick {
        Pick::First => json(last_output(node, scope)?.first()),
        Pick::Last => json(last_output(node, scope)?.last()),
        Pick::Item => {
            let lists = RefCell::new(Lists::default());
            let found = pairing::paired(&Frame::new(scope, &lists), node, scope.item_index, "item");
            let Ok(Some((items, index))) = found else { return Err(Stop::Fallback) };
            let item = items.get(index).ok_or(Stop::Fallback)?;
            Ok(Cow::Owned(item.json.clone()))
        }
    }
}

/// Items of a node's last run, of the output that leads to the current node.
fn last_output<'a>(node: NodeIndex, scope: &Scope<'a>) -> Result<&'a Items, Stop> {
    let output = pairing::output_towards(scope.workflow, node, scope.node).ok_or(Stop::Fallback)?;
    let last = scope.run_data.of(node).len().checked_sub(1).ok_or(Stop::Fallback)?;
    scope.run_data.output(node, last, output).ok_or(Stop::Fallback)
}
