//! Every name that expressions read of their run.

use millrace_model::{NodeIndex, Object};

use super::{World, items_from, json};

/// Start → Branch → (0: End) (1: Other) ; Branch ran twice.
fn flow() -> World {
    let mut world = World::new(&[
        ("Start", &[&["Branch"]]),
        ("Branch", &[&["End"], &["Other"]]),
        ("End", &[]),
        ("Other", &[]),
        ("Alone", &[]),
    ]);
    world.ran("Start", None, &[r#"[{"json":{"id":1}},{"json":{"id":2}}]"#]);
    world.ran("Branch", Some("Start"), &[r#"[{"json":{"old":true}}]"#, "[]"]);
    world.ran(
        "Branch",
        Some("Start"),
        &[
            r#"[{"json":{"v":"a"},"pairedItem":{"item":0}},{"json":{"v":"b"},"pairedItem":{"item":1}}]"#,
            r#"[{"json":{"v":"z"},"pairedItem":1}]"#,
        ],
    );
    world.at("End", "Branch", 0)
}

#[test]
fn the_current_item() {
    let mut world = World::of_items(
        r#"[{"json":{"a":1},"binary":{"file":{"data":"QUJD","mimeType":"text/plain","fileName":"x.txt"}}},{"json":{"a":2}}]"#,
    );
    world.gives(&[
        ("={{ $json.a }}", "1"),
        ("={{ $data.a }}", "1"),
        ("={{ $thisItem.json.a }}", "1"),
        ("={{ $binary.file.fileName }}", r#""x.txt""#),
        ("={{ $binary.file.data }}", "undefined"),
        ("={{ $input.item.binary.file.data }}", r#""QUJD""#),
        ("={{ $itemIndex + $runIndex + $position + $thisItemIndex + $thisRunIndex }}", "0"),
        ("={{ $item(1).$json.a }}", "2"),
        ("={{ $item(1).$itemIndex }}", "1"),
        ("={{ $item(1).$node['Start'].json.a }}", "2"),
        ("={{ $json['a'] + $json[`a`] + $json['' + 'a'] }}", "3"),
    ]);
    world.item = 1;
    world.gives(&[("={{ $json.a }}", "2"), ("={{ $binary }}", "{}"), ("={{ $itemIndex }}", "1")]);
    world.item = 9;
    world.gives(&[("={{ $json.a }}", "undefined"), ("={{ $input.item }}", "undefined")]);
}

#[test]
fn the_input() {
    let mut world = flow();
    world.gives(&[
        ("={{ $input.first().json.v }}", r#""a""#),
        ("={{ $input.last().json.v }}", r#""b""#),
        ("={{ $input.all().length }}", "2"),
        ("={{ $input.all().map(i => i.json.v).join('') }}", r#""ab""#),
        ("={{ $input.all()[1].pairedItem }}", r#"{"item":1}"#),
        ("={{ $input.item.json.v }}", r#""a""#),
        ("={{ $input.context }}", "{}"),
        ("={{ $prevNode }}", r#"{"name":"Branch","outputIndex":0,"runIndex":1}"#),
    ]);
    world.fails(&[("={{ $input.first(1) }}", "$input.first() should have no arguments")]);
}

#[test]
fn other_nodes() {
    let mut world = flow();
    world.contexts.insert(NodeIndex(1), Object::from([("round", 3.into())]));
    world.gives(&[
        ("={{ $('Start').first().json.id }}", "1"),
        ("={{ $('Start').last().json.id }}", "2"),
        ("={{ $('Start').all().length }}", "2"),
        ("={{ $('Branch').all().length }}", "2"),
        ("={{ $('Branch').all(1).length }}", "1"),
        ("={{ $('Branch').all(1, 0).length }}", "0"),
        ("={{ $('Branch').first(0, 0).json.old }}", "true"),
        ("={{ $('Branch').context.round }}", "3"),
        ("={{ $('Branch').isExecuted }}", "true"),
        ("={{ $('Alone').isExecuted }}", "false"),
        ("={{ $('Alone').isExecuted ? $('Alone').first() : 'never' }}", r#""never""#),
        ("={{ $node['Start'].json.id }}", "1"),
        ("={{ $node.Start.data.id }}", "1"),
        ("={{ $node['Branch'].runIndex }}", "1"),
        ("={{ $node['Branch'].context.round }}", "3"),
        ("={{ 'Start' in $node }}", "true"),
        ("={{ Object.keys($node).length }}", "5"),
        ("={{ $items().length }}", "2"),
        ("={{ $items('Start')[1].json.id }}", "2"),
        ("={{ $items('Branch', 1)[0].json.v }}", r#""z""#),
        ("={{ $items('Branch', 0, 0)[0].json.old }}", "true"),
        ("={{ $items('Branch', 0, -1).length }}", "2"),
    ]);
    world.fails(&[
        ("={{ $('Nobody') }}", "Referenced node doesn't exist"),
        ("={{ $node['Nobody'].json }}", "Referenced node doesn't exist"),
        ("={{ $items('Nobody') }}", "Referenced node doesn't exist"),
        ("={{ $('Alone').first() }}", "Node 'Alone' hasn't been executed"),
        ("={{ $node['Alone'].json }}", "Node 'Alone' hasn't been executed"),
        ("={{ $('Branch').first(7) }}", "Node \"Branch\" has no branch with index 7."),
        ("={{ $('Branch').first(0, 7) }}", "Run 7 of node \"Branch\" not found"),
        ("={{ $node['Other'].json }}", "Node 'Other' hasn't been executed"),
    ]);
    world.item = 5;
    world.fails(&[("={{ $node['Start'].json }}", "No data found for item-index: \"5\"")]);
}

#[test]
fn data_that_is_not_there() {
    let mut world = World::new(&[("Here", &[])]);
    world.fails(&[
        ("={{ $json }}", "Node 'Here' hasn't been executed"),
        ("={{ $binary }}", "Node 'Here' hasn't been executed"),
        ("={{ $items('Here') }}", "The workflow hasn't been executed yet, so you can't reference any output data"),
    ]);
    world.gives(&[("={{ $input.all() }}", "[]"), ("={{ $input.first() }}", "undefined"), ("={{ $prevNode }}", "{}")]);
    let error = world.evaluate("={{ $json }}").unwrap_err();
    assert_eq!((error.name.as_str(), error.context.get("itemIndex")), ("ExpressionError", Some(&0.into())));
}

#[test]
fn the_run_and_its_surroundings() {
    let mut world = World::of_items(r#"[{"json":{}}]"#);
    world.workflow.nodes[1].parameters =
        Object::from([("mode", "fast".into()), ("twice", "={{ $parameter.mode }}-{{ $parameter.mode }}".into())]);
    world.gives(&[
        ("={{ $workflow }}", r#"{"active":false,"id":"w1","name":"test flow"}"#),
        ("={{ $execution.id + ' ' + $execution.mode }}", r#""77 production""#),
        ("={{ $execution.resumeUrl }}", r#""https://example.test/resume/77""#),
        ("={{ $execution.resumeFormUrl }}", r#""https://example.test/form/77""#),
        ("={{ $env.REGION + $env.PATH }}", r#""euundefined""#),
        ("={{ process.env.REGION }}", r#""eu""#),
        ("={{ $vars.team }}", r#""blue""#),
        ("={{ $secrets.vault.key }}", r#""s3cret""#),
        ("={{ $parameter.twice }}", r#""fast-fast""#),
        ("={{ $parameter['mode'] }}", r#""fast""#),
        ("={{ $rawParameter.twice }}", r#""={{ $parameter.mode }}-{{ $parameter.mode }}""#),
        ("={{ $node['Here'].parameter.twice }}", r#""fast-fast""#),
        ("={{ $('Here').params.mode }}", r#""fast""#),
        ("={{ $nodeVersion }}", "2"),
        ("={{ $nodeId }}", r#""id-Here""#),
        ("={{ $now.toISO() }}", r#""2023-11-14T23:13:20.000+01:00""#),
        ("={{ $today.toISODate() }}", r#""2023-11-14""#),
        ("={{ new Date().getTime() }}", "1700000000000"),
        ("={{ $evaluateExpression('{' + '{ $itemIndex + 1 }' + '}') }}", "1"),
    ]);
    world.globals.mode = "manual".into();
    world.gives(&[("={{ $execution.mode }}", r#""test""#)]);
}

#[test]
fn further_names_and_tools() {
    let mut world = World::of_items(r#"[{"json":{"query":{"city":"Graz"}}}]"#);
    world.gives(&[
        ("={{ $fromAI('city') }}", r#""Graz""#),
        ("={{ $fromai('nope', 'text', 'string', 'Linz') }}", r#""Linz""#),
        ("={{ $agentInfo }}", "undefined"),
        ("={{ $response }}", "undefined"),
    ]);
    world.fails(&[("={{ $fromAI('') }}", "Add a key, e.g. $fromAI('placeholder_name')")]);
    let extra = Object::from([("$response", json(r#"{"body":{"next":2}}"#))]);
    let value =
        world.with(|sandbox, scope| sandbox.resolve_with(&"={{ $response.body.next + 1 }}".into(), scope, &extra));
    assert_eq!(value.unwrap().to_json(), "3");
    world.gives(&[("={{ $response }}", "undefined")]);
}

#[test]
fn pinned_data_counts_in_the_editor_only() {
    let mut world = World::new(&[("Pinned", &[&["Here"]]), ("Here", &[])]);
    world.workflow.pin("Pinned", items_from(r#"[{"json":{"p":1}},{"json":{"p":2}}]"#).to_vec());
    world.node = NodeIndex(1);
    world.fails(&[("={{ $('Pinned').first() }}", "Node 'Pinned' hasn't been executed")]);
    world.globals.mode = "manual".into();
    world.gives(&[
        ("={{ $('Pinned').last().json.p }}", "2"),
        ("={{ $('Pinned').item.json.p }}", "1"),
        ("={{ $('Pinned').itemMatching(1).json.p }}", "2"),
        ("={{ $('Pinned').itemMatching(9) }}", "undefined"),
        ("={{ $('Pinned').isExecuted }}", "true"),
        ("={{ $node['Pinned'].json.p }}", "1"),
    ]);
}

#[test]
fn combined_binary_mode_hands_out_json() {
    let mut world = flow();
    world.workflow.settings.document = Object::from([("binaryMode", "combined".into())]);
    world.gives(&[
        ("={{ $input.first().v }}", r#""a""#),
        ("={{ $input.all()[1].v }}", r#""b""#),
        ("={{ $input.item.v }}", r#""a""#),
        ("={{ $('Start').last().id }}", "2"),
        ("={{ $('Start', true).last().json.id }}", "2"),
    ]);
}

#[test]
fn writes_reach_nothing() {
    let mut world = World::of_items(r#"[{"json":{"list":[3,1,2],"o":{"k":1}}}]"#);
    world.gives(&[
        ("={{ $json.list.sort() }}", "[1,2,3]"),
        ("={{ $json.list }}", "[3,1,2]"),
        ("={{ $json.o.k = 5 }}", "5"),
        ("={{ $json.o.k }}", "1"),
        ("={{ $json.list['pu' + 'sh'](9) }}", "4"),
        ("={{ $json.list.length }}", "3"),
        ("={{ delete $json.o }}", "true"),
        ("={{ $json.o.k }}", "1"),
        ("={{ Object.assign($json.o, { k: 9 }).k }}", "9"),
        ("={{ $json.o.k }}", "1"),
        ("={{ [$json.o].forEach(function (o) { o.k++ }) }}", "undefined"),
        ("={{ $json.o.k }}", "1"),
        ("={{ leaked = 1, leaked }}", "1"),
        ("={{ typeof leaked }}", r#""undefined""#),
        ("={{ $json = 5 }}", "5"),
        ("={{ $json.o.k }}", "1"),
        ("={{ $env.REGION = 'us' }}", r#""us""#),
        ("={{ $env.REGION }}", r#""eu""#),
    ]);
}

#[test]
fn the_library_is_there_when_it_is_named_or_a_language_matters() {
    World::of_items(r#"[{"json":{"n":1234.5}}]"#).gives(&[
        ("={{ $json.n.toLocaleString('de-DE') }}", r#""1.234,5""#),
        ("={{ ['ä', 'z', 'a'].sort((a, b) => a.localeCompare(b, 'de')).join('') }}", r#""aäz""#),
        ("={{ typeof Intl.NumberFormat }}", r#""function""#),
        ("={{ $max(1, 3) + $min(2, 5) }}", "5"),
        ("={{ $ifEmpty('', 'none') }}", r#""none""#),
        ("={{ typeof __setZone }}", r#""undefined""#),
    ]);
}

#[test]
fn data_with_special_keys_is_only_data() {
    let mut world =
        World::of_items(r#"[{"json":{"__proto__":{"bad":1},"constructor":"c","toString":"t","2":"two","1":"one"}}]"#);
    world.gives(&[
        ("={{ $json.bad }}", "undefined"),
        ("={{ ({}).bad }}", "undefined"),
        ("={{ Object.keys($json).join() }}", r#""1,2,__proto__,constructor,toString""#),
        ("={{ $json }}", r#"{"1":"one","2":"two","__proto__":{"bad":1},"constructor":"c","toString":"t"}"#),
        ("={{ $json.toString }}", r#""t""#),
    ]);
}
