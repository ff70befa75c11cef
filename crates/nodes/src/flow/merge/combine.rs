//! Combining items of two inputs: by equal fields, by position, or each with each. By position there may be more inputs.

use millrace_model::{ExecutionError, Item, Object, PairedItem, Str, Value, truthy};

use super::clash::{Clash, Resolve, suffixed, suffixed_if};
use super::input_count;
use crate::matching::{Comparison, Criteria, Pair, find};
use crate::{NodeContext, NodeResult, Output, dot_path, field_list, matching};

/// Most items that combining each with each may make.
const MAX_COMBINATIONS: usize = 10_000_000;

pub(super) fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    let path = if context.version() < 3.0 { "combinationMode" } else { "combineBy" };
    let options = context.parameter("options", 0)?;
    let clash = Clash::parse(options.get("clashHandling").and_then(|clash| clash.get("values")));
    match context.text(path, 0)?.as_str() {
        "mergeByPosition" | "combineByPosition" => Ok(by_position(context, &options, &clash)),
        "multiplex" | "combineAll" => each_with_each(context, &clash),
        _ => by_fields(context, &options, &clash),
    }
}

fn by_position(context: &NodeContext<'_>, options: &Value, clash: &Clash) -> Output {
    let count = if context.version() < 3.0 { 2 } else { input_count(context.parameters) };
    let inputs: Vec<Vec<Item>> = (0..count).map(|input| suffixed_if(clash, context.input(input), input + 1)).collect();
    let lengths = inputs.iter().map(Vec::len);
    let unpaired = options.get("includeUnpaired").is_some_and(truthy);
    let length = if unpaired { lengths.max() } else { lengths.min() }.unwrap_or(0);
    let mut order: Vec<usize> = (0..count).collect();
    if let Resolve::Prefer(winner) = clash.resolve
        && winner < count
    {
        // From version 3 on, the winner also takes part in its place, which shows in the order of fields and in the links.
        if context.version() < 3.0 {
            order.retain(|input| *input != winner);
        }
        order.push(winner);
    }
    let combined = (0..length).map(|at| {
        let members = order.iter().filter_map(|input| inputs.get(*input)?.get(at));
        match members.clone().count() {
            1 => members.clone().next().cloned().unwrap_or_default(),
            _ => linked(clash.unite(members.clone()), members),
        }
    });
    Output::items(combined)
}

fn each_with_each(context: &NodeContext<'_>, clash: &Clash) -> NodeResult {
    let (first, second) = (suffixed_if(clash, context.input(0), 1), suffixed_if(clash, context.input(1), 2));
    let (outer, inner) = if clash.resolve == Resolve::Prefer(0) { (second, first) } else { (first, second) };
    let count = outer.len().saturating_mul(inner.len());
    if count > MAX_COMBINATIONS {
        let message = format!("Combining all items would make {count} items; at most {MAX_COMBINATIONS} are allowed");
        return Err(ExecutionError::operation(message));
    }
    let mut items = Vec::with_capacity(count);
    for left in &outer {
        for right in &inner {
            let pair = [left, right];
            items.push(linked(clash.unite(pair.into_iter()), pair.into_iter()));
        }
    }
    Ok(Output::items(items))
}

/// What to keep of the matches, and of the rest.
#[derive(Clone, Copy, PartialEq)]
enum Join {
    Matches,
    NonMatches,
    Everything,
    EnrichFirst,
    EnrichSecond,
}

#[derive(Clone, Copy, PartialEq)]
enum From {
    Both,
    First,
    Second,
}

fn by_fields(context: &mut NodeContext<'_>, options: &Value, clash: &Clash) -> NodeResult {
    let join = match context.text("joinMode", 0)?.as_str() {
        "keepNonMatches" => Join::NonMatches,
        "keepEverything" => Join::Everything,
        "enrichInput1" => Join::EnrichFirst,
        "enrichInput2" => Join::EnrichSecond,
        _ => Join::Matches,
    };
    let from = match context.text("outputDataFrom", 0)?.as_str() {
        "input1" => From::First,
        "input2" => From::Second,
        _ => From::Both,
    };
    let pairs = pairs(context)?;
    let option = |key: &str| options.get(key).is_some_and(truthy);
    let (first, second) = (context.input(0), context.input(1));
    let literal = option("disableDotNotation");
    if context.version() < 2.1 {
        check_fields(first, pairs.iter().map(|pair| &pair.first), literal, "Input 1")?;
        check_fields(second, pairs.iter().map(|pair| &pair.second), literal, "Input 2")?;
    }
    if let Some(items) = without_partner(join, from, first, second) {
        return Ok(Output::items(items));
    }
    let comparison =
        if option("fuzzyCompare") { Comparison::Fuzzy { nulls_as_zero: false } } else { Comparison::Strict };
    let all_matches =
        join == Join::NonMatches || options.get("multipleMatches").and_then(Value::as_str) != Some("first");
    let found = find(&Criteria { pairs, literal, comparison, all_matches }, first, second);
    let pick = |items: &[Item], places: &[usize]| -> Vec<Item> {
        places.iter().filter_map(|at| items.get(*at).cloned()).collect()
    };
    let (rest_first, rest_second) = (pick(first, &found.only_first), pick(second, &found.only_second));
    if join == Join::NonMatches {
        return Ok(Output::items(match from {
            From::First => rest_first,
            From::Second => rest_second,
            From::Both => {
                let marked = rest_first.iter().map(|item| marked(item, "input1"));
                marked.chain(rest_second.iter().map(|item| self::marked(item, "input2"))).collect()
            }
        }));
    }
    let mut items = Vec::new();
    let whole = from == From::Both || matches!(join, Join::EnrichFirst | Join::EnrichSecond);
    if !whole && from == From::Second {
        items = pick(second, &found.used_second());
    } else {
        for (at, partners) in &found.matched {
            let Some(entry) = first.get(*at) else { continue };
            if whole {
                items.extend(
                    partners
                        .iter()
                        .filter_map(|at| second.get(*at))
                        .map(|partner| united(clash, join == Join::EnrichSecond, entry, partner)),
                );
            } else {
                items.push(entry.clone());
            }
        }
    }
    if matches!(join, Join::Everything | Join::EnrichFirst) {
        items.extend(suffixed_if(clash, &rest_first, 1));
    }
    if matches!(join, Join::Everything | Join::EnrichSecond) {
        items.extend(suffixed_if(clash, &rest_second, 2));
    }
    Ok(Output::items(items))
}

/// What is put out when an input is empty, so that nothing can match.
fn without_partner(join: Join, from: From, first: &[Item], second: &[Item]) -> Option<Vec<Item>> {
    if !first.is_empty() && !second.is_empty() {
        return None;
    }
    Some(match join {
        Join::Matches => Vec::new(),
        Join::EnrichFirst => first.to_vec(),
        Join::EnrichSecond => second.to_vec(),
        Join::NonMatches if from == From::First => first.to_vec(),
        Join::NonMatches if from == From::Second => second.to_vec(),
        Join::Everything | Join::NonMatches => first.iter().chain(second).cloned().collect(),
    })
}

fn united(clash: &Clash, second_is_enriched: bool, entry: &Item, partner: &Item) -> Item {
    if clash.resolve == Resolve::Suffix {
        let pair = [&suffixed(entry, 1), &suffixed(partner, 2)];
        return linked(clash.unite(pair.into_iter()), [entry, partner].into_iter());
    }
    let first_wins = match clash.resolve {
        Resolve::Prefer(winner) => winner == 0,
        Resolve::Unstated => second_is_enriched,
        _ => false,
    };
    let order = if first_wins { [partner, entry] } else { [entry, partner] };
    linked(clash.unite(order.into_iter()), order.into_iter())
}

/// Pairs of fields, of the first and of the second input, that must be equal.
fn pairs(context: &mut NodeContext<'_>) -> Result<Vec<Pair>, ExecutionError> {
    if context.version() < 3.0 || context.flag("advanced", 0)? {
        return matching::pairs(&context.parameter("mergeByFields.values", 0)?);
    }
    let names = field_list::split(&context.text("fieldsToMatchString", 0)?);
    if names.is_empty() {
        let message = "You need to define at least one pair of fields in \"Fields to Match\" to match on";
        return Err(ExecutionError::operation(message));
    }
    Ok(names.into_iter().map(|name| Pair { first: name.clone(), second: name }).collect())
}

/// Every field must be in some item of its input.
fn check_fields<'f>(
    items: &[Item],
    fields: impl Iterator<Item = &'f Str>,
    literal: bool,
    input: &str,
) -> Result<(), ExecutionError> {
    for field in fields {
        let present =
            |item: &Item| dot_path::get_as(&item.json, field, literal).is_some_and(|value| !value.is_undefined());
        if !items.iter().any(present) {
            let message = format!("Field '{field}' is not present in any of items in '{input}'");
            return Err(ExecutionError::operation(message));
        }
    }
    Ok(())
}

/// The item with the name of its input in `_source`.
fn marked(item: &Item, input: &str) -> Item {
    let mut json = item.json.as_object().cloned().unwrap_or_else(Object::new);
    json.insert("_source", input);
    Item { json: json.into(), ..item.clone() }
}

/// The item, linked to all that it was made from.
fn linked<'i>(item: Item, members: impl Iterator<Item = &'i Item>) -> Item {
    let links = members.filter_map(|member| member.paired_item.clone()).collect();
    Item { paired_item: Some(PairedItem::Many(links)), ..item }
}
