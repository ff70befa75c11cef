//! Nodes that only hand on what began the run, and the training nodes.

use crate::testing::trial;

#[test]
fn what_began_the_run_is_handed_on() {
    let by_others = ["emailReadImap", "redisTrigger", "workflowFinished"];
    for node in
        ["manualTrigger", "start", "cron", "interval", "noOp", "webhook", "formTrigger"].into_iter().chain(by_others)
    {
        assert_eq!(trial(node).input(r#"[{"a": 1}]"#).gives(), r#"[{"a":1}]"#, "{node}");
    }
    assert_eq!(trial("stickyNote").input(r#"[{"a": 1}]"#).gives(), r#"[{"a":1}]"#);
}

#[test]
fn training_nodes_give_what_courses_expect() {
    let all = trial("n8nTrainingCustomerDatastore").parameters(r#"{"operation": "getAllPeople", "returnAll": true}"#);
    assert_eq!(all.output().outputs[0].as_ref().unwrap().len(), 5);
    let two = trial("n8nTrainingCustomerDatastore").parameters(r#"{"operation": "getAllPeople", "limit": 2}"#);
    assert_eq!(two.output().outputs[0].as_ref().unwrap().len(), 2);
    let one = trial("n8nTrainingCustomerDatastore").parameters(r#"{"operation": "getOnePerson"}"#);
    assert_eq!(one.output().outputs[0].as_ref().unwrap().len(), 1);
    let sent = trial("n8nTrainingCustomerMessenger").parameters(r#"{"customerId": "7", "message": "hi"}"#).gives();
    assert_eq!(sent, r#"[{"output":"Sent message to customer 7:  hi"}]"#);
}
