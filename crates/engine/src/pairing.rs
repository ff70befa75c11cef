//! Item linking: which input item an output item was made from.

use std::sync::Arc;

use millrace_model::{Item, Items, Outputs, PairedItem, PairedRef};

/// Items of an input, each linked to its own place in it. Shares the list where that is so already.
pub(crate) fn linked(items: &Items, input: usize) -> Items {
    let expected = (input > 0).then(|| u32::try_from(input).unwrap_or(u32::MAX));
    let is_linked = |(at, item): (usize, &Item)| match &item.paired_item {
        Some(PairedItem::One(link)) => {
            usize::try_from(link.item) == Ok(at) && link.input == expected && link.source_overwrite.is_none()
        }
        _ => false,
    };
    if items.iter().enumerate().all(is_linked) {
        return Arc::clone(items);
    }
    let link = |(at, item): (usize, &Item)| {
        let link = PairedRef { input: expected, ..PairedRef::item(at) };
        Item {
            json: item.json.clone(),
            binary: item.binary.clone(),
            paired_item: Some(PairedItem::One(link)),
            error: item.error.clone(),
            extra: item.extra.clone(),
        }
    };
    Arc::new(items.iter().enumerate().map(link).collect())
}

/// Links output items that came without a link, where it is plain what they were made from: everything to a single
/// input item, or one by one where the only output has as many items as the only input.
pub(crate) fn fill(outputs: &mut Outputs, inputs: &[Option<Items>]) {
    let [Some(input)] = inputs else { return };
    let single = input.len() == 1;
    let same_count = matches!(outputs.as_slice(), [Some(output)] if output.len() == input.len());
    if !single && !same_count {
        return;
    }
    for output in outputs.iter_mut().flatten() {
        if output.first().is_none_or(|item| item.paired_item.is_some()) {
            if output.is_empty() {
                continue;
            }
            return;
        }
        for (at, item) in Arc::make_mut(output).iter_mut().enumerate() {
            if item.paired_item.is_some() {
                return;
            }
            item.paired_item = Some(PairedItem::One(PairedRef::item(if single { 0 } else { at })));
        }
    }
}

/// Links to every item of every input.
pub(crate) fn all_inputs(inputs: &[Option<Items>]) -> PairedItem {
    let links = inputs.iter().enumerate().filter_map(|(input, items)| Some((input, items.as_ref()?)));
    let links = links.flat_map(|(input, items)| (0..items.len()).map(move |at| PairedRef::item(at).of_input(input)));
    PairedItem::Many(links.map(PairedItem::One).collect())
}
