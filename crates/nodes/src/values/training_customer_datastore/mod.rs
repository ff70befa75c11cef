//! Customer Datastore (n8n training): five made-up customers that n8n's courses work with.

use std::sync::LazyLock;

use millrace_model::{Item, Value, to_index};

use crate::{NodeContext, NodeResult, NodeType, Output};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::pure("n8n-nodes-base.n8nTrainingCustomerDatastore", include_str!("description.json"), execute);

/// The customers, as a list of objects.
static CUSTOMERS: LazyLock<Value> =
    LazyLock::new(|| Value::from_json(include_str!("customers.json")).unwrap_or_default());

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    let customers = CUSTOMERS.as_array().unwrap_or_default();
    let mut items = Vec::new();
    for index in 0..context.items().len() {
        if context.text("operation", index)? == "getOnePerson" {
            items.extend(customers.first().map(|customer| Item::new(customer.clone()).paired(index)));
            continue;
        }
        let all = context.flag("returnAll", index)?;
        let limit = context.number("limit", index)?.and_then(to_index).filter(|_| !all);
        let wanted = customers.iter().take(limit.unwrap_or(customers.len()));
        items.extend(wanted.map(|customer| Item::new(customer.clone()).paired(index)));
    }
    Ok(Output::items(items))
}
