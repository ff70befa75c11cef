//! Customer Messenger (n8n training): says that it sent a message, and sends none.

use millrace_model::{Item, Object, Value};

use crate::{NodeContext, NodeResult, NodeType, Output};

pub(crate) static NODE_TYPE: NodeType =
    NodeType::pure("n8n-nodes-base.n8nTrainingCustomerMessenger", include_str!("description.json"), execute);

fn execute(context: &mut NodeContext<'_>) -> NodeResult {
    let mut items = Vec::new();
    for index in 0..context.items().len() {
        let (customer, message) = (context.text("customerId", index)?, context.text("message", index)?);
        let output = format!("Sent message to customer {customer}:  {message}");
        items.push(Item::new(Object::from([("output", Value::from(output))])).paired(index));
    }
    Ok(Output::items(items))
}
