//! `.item`, `.pairedItem` and `.itemMatching` through chains, branches and merges.

use super::World;

/// A → B → C → End: B makes two items of each of A's, C turns their order around.
fn chain() -> World {
    let mut world = World::new(&[("A", &[&["B"]]), ("B", &[&["C"]]), ("C", &[&["End"]]), ("End", &[]), ("Alone", &[])]);
    world.ran("A", None, &[r#"[{"json":{"a":0}},{"json":{"a":1}}]"#]);
    world.ran(
        "B",
        Some("A"),
        &[r#"[{"json":{"b":0},"pairedItem":{"item":0}},{"json":{"b":1},"pairedItem":0},{"json":{"b":2},"pairedItem":{"item":1}}]"#],
    );
    world.ran(
        "C",
        Some("B"),
        &[r#"[{"json":{"c":0},"pairedItem":{"item":2}},{"json":{"c":1},"pairedItem":{"item":1}},{"json":{"c":2}},
              {"json":{"c":3},"pairedItem":[{"item":0},{"item":1}]},{"json":{"c":4},"pairedItem":[{"item":1},{"item":2}]},
              {"json":{"c":5},"pairedItem":{"item":99}}]"#],
    );
    world.at("End", "C", 0)
}

#[test]
fn items_are_followed_back() {
    let mut world = chain();
    world.gives(&[
        ("={{ $('C').item.json.c }}", "0"),
        ("={{ $('B').item.json.b }}", "2"),
        ("={{ $('A').item.json.a }}", "1"),
        ("={{ $('A').itemMatching(1).json.a }}", "0"),
        ("={{ $('A').pairedItem(1).json.a }}", "0"),
        ("={{ $('A').pairedItem().json.a }}", "1"),
        ("={{ $getPairedItem('A', { previousNode: 'C' }, { item: 1 }).json.a }}", "0"),
    ]);
    world.item = 3;
    world.gives(&[("={{ $('A').item.json.a }}", "0")]);
}

#[test]
fn what_cannot_be_followed_is_said() {
    let mut world = chain();
    world.fails(&[
        ("={{ $('A').itemMatching() }}", "Missing item index for .itemMatching()"),
        ("={{ $('Alone').item }}", "Invalid expression"),
        ("={{ $('End').item }}", "Invalid expression"),
    ]);
    world.item = 2;
    world.fails(&[(
        "={{ $('A').item }}",
        "Paired item data for item from node 'C' is unavailable. Ensure 'C' is providing the required output.",
    )]);
    world.item = 4;
    world.fails(&[("={{ $('A').item }}", "Multiple matches found")]);
    world.item = 5;
    world.fails(&[("={{ $('A').item }}", "Can't get data for expression")]);
    let error = world.evaluate("={{ $('A').item }}").unwrap_err();
    assert_eq!(error.context.get("nodeCause").and_then(|cause| cause.as_str()), Some("B"));
    assert!(error.description.is_some());
}

#[test]
fn pinned_nodes_break_the_chain() {
    let mut world = chain();
    let pins = super::items_from(r#"[{"json":{"c":2}}]"#);
    world.workflow.pin("C", pins.to_vec());
    world.item = 2;
    world.fails(&[(
        "={{ $('A').item }}",
        "Using the item method doesn't work with pinned data in this scenario. Please unpin 'C' and try again.",
    )]);
}

#[test]
fn merges_are_followed_along_the_right_input() {
    let mut world = World::new(&[
        ("Left", &[&["Merge@0"]]),
        ("Right", &[&["Merge@1"]]),
        ("Merge", &[&["End"]]),
        ("End", &[]),
        ("Later", &[]),
    ]);
    world.ran("Left", None, &[r#"[{"json":{"l":1}}]"#]);
    world.ran("Right", None, &[r#"[{"json":{"r":1}},{"json":{"r":2}}]"#]);
    world.ran_from(
        "Merge",
        &[Some(("Left", 0)), Some(("Right", 0))],
        &[r#"[{"json":{},"pairedItem":[{"item":0},{"item":1,"input":1}]}]"#],
    );
    world.at("End", "Merge", 0).gives(&[("={{ $('Left').item.json.l }}", "1"), ("={{ $('Right').item.json.r }}", "2")]);
}

#[test]
fn pairing_everything_with_everything_stays_bounded() {
    let names: Vec<String> = (0..12).map(|n| format!("N{n}")).collect();
    let targets: Vec<Vec<&str>> = (1..13).map(|n| names.get(n).map(String::as_str).into_iter().collect()).collect();
    let outputs: Vec<Vec<&[&str]>> = targets.iter().map(|list| vec![list.as_slice()]).collect();
    let nodes: Vec<(&str, &[&[&str]])> =
        names.iter().zip(&outputs).map(|(name, outputs)| (name.as_str(), outputs.as_slice())).collect();
    let mut world = World::new(&nodes);
    let all = (0..30).map(|n| format!(r#"{{"item":{n}}}"#)).collect::<Vec<_>>().join(",");
    let items = (0..30).map(|_| format!(r#"{{"json":{{}},"pairedItem":[{all}]}}"#)).collect::<Vec<_>>().join(",");
    world.ran("N0", None, &[&format!("[{items}]")]);
    for n in 1..11 {
        world.ran(&names[n], Some(&names[n - 1]), &[&format!("[{items}]")]);
    }
    world.at("N11", "N10", 0).fails(&[("={{ $('N0').item }}", "Multiple matches found")]);
}
