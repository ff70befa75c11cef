//! Splitting, conversion to text, types that leave, and what is swallowed.

use millrace_model::Value;

use super::{World, json};
use crate::{Path, Template};

#[test]
fn values_keep_their_type_alone_and_become_text_in_company() {
    World::of_items(r#"[{"json":{"n":7,"s":"hi","b":false,"list":[1,[2]],"o":{"k":1},"nil":null}}]"#).gives(&[
        ("plain", r#""plain""#),
        ("=", r#""""#),
        ("=text only", r#""text only""#),
        ("={{ $json.n }}", "7"),
        ("={{$json.b}}", "false"),
        ("={{ $json.nil }}", "null"),
        ("={{ $json.none }}", "undefined"),
        ("={{ $json.list }}", "[1,[2]]"),
        ("={{ $json.o }}", r#"{"k":1}"#),
        ("= {{ $json.n }}", r#"" 7""#),
        ("={{ $json.n }} ", r#""7 ""#),
        ("={{ $json.n }}{{ $json.s }}", r#""7hi""#),
        ("=[{{ $json.nil }}|{{ $json.none }}|{{ $json.b }}|{{ 0 }}]", r#""[||false|0]""#),
        ("=<{{ $json.list }}> <{{ $json.o }}>", r#""<1,2> <[object Object]>""#),
        ("=a {{ $json.n.nope.deeper }} b", r#""a  b""#),
    ]);
}

#[test]
fn an_expression_ends_at_the_first_closing_braces() {
    World::of_items(r#"[{"json":{"n":7}}]"#).gives(&[
        (r"=\{{ $json.n }}", r#""{{ $json.n }}""#),
        (r"=a \{{ b {{ $json.n }} c", r#""a {{ b 7 c""#),
        ("={{ { a: { b: $json.n } } }}", r#"{"a":{"b":7}}"#),
        (r#"={{ "a\}}b" }}"#, r#""a}}b""#),
        ("={{ 'two\nlines \\' \\\n joined' }}", r#""two\nlines '  joined""#),
        ("={{ $json.n", "7"),
    ]);
    World::of_items("[]").fails(&[
        ("={{}}", "invalid syntax"),
        ("={{ }}", "invalid syntax"),
        ("={{ 1 + }}", "invalid syntax"),
        ("={{ 'open }}", "invalid syntax"),
        ("={{ 1) }) (function () { (2 }}", "invalid syntax"),
        ("={{ {a:{b:1}} }}", "invalid syntax"),
    ]);
}

#[test]
fn several_statements_give_the_last_one() {
    World::of_items(r#"[{"json":{"n":7}}]"#).gives(&[
        ("={{ $json.n; }}", "7"),
        ("={{ let a = $json.n; a * 2 }}", "14"),
        ("={{ const f = (x) => { return x + 1; }; f(1); }}", "2"),
        ("={{ $json.n // a remark\n }}", "7"),
        ("={{ /* a remark */ `${$json.n}${`${1 + 1}`}` }}", r#""72""#),
    ]);
}

#[test]
fn what_code_throws_is_undefined() {
    World::of_items(r#"[{"json":{"n":7}}]"#).gives(&[
        ("={{ nobody }}", "undefined"),
        ("={{ nobody.knows.this }}", "undefined"),
        ("={{ typeof nobody }}", r#""undefined""#),
        ("={{ nobody + 1 }}", "null"),
        ("={{ $json.n() }}", "undefined"),
        ("={{ (() => { throw new Error('x') })() }}", "undefined"),
        ("={{ (() => { throw null })() }}", "undefined"),
        ("={{ JSON.parse('{') }}", "undefined"),
    ]);
}

#[test]
fn values_without_json_form_leave_as_something_sensible() {
    World::of_items("[]").gives(&[
        ("={{ new Date(0) }}", r#""1970-01-01T00:00:00.000Z""#),
        ("={{ new Date(NaN) }}", "null"),
        ("={{ DateTime.fromMillis(0) }}", r#""1970-01-01T01:00:00.000+01:00""#),
        ("={{ 12345678901234567890n }}", r#""12345678901234567890""#),
        ("={{ /a+/g }}", "{}"),
        ("={{ new Map([['a', 1]]) }}", "{}"),
        ("={{ new Set([1, 2]) }}", "{}"),
        ("={{ [undefined, () => 1, Symbol('s')] }}", "[null,null,null]"),
        ("={{ new (class { constructor_() {} x = 1 })() }}", r#"{"x":1}"#),
        ("={{ ({ toJSON: 1, a: [new Date(0)] }) }}", r#"{"toJSON":1,"a":["1970-01-01T00:00:00.000Z"]}"#),
        (r#"={{ "\ud800x" }}"#, "\"\u{fffd}x\""),
        ("={{ Object.create(null) }}", "{}"),
        ("={{ 1 / 3 }}", "0.3333333333333333"),
        ("={{ -0 }}", "0"),
        ("={{ new Error('oops') }}", r#"{"name":"Error","message":"oops"}"#),
    ]);
    let mut world = World::of_items("[]");
    assert!(matches!(world.evaluate("={{ 0 / 0 }}"), Ok(Value::Number(n)) if n.is_nan()));
    world.fails(&[
        ("={{ $ }}", "invalid syntax"),
        ("={{ Math.max }}", "this is a function, please add ()"),
        ("={{ DateTime }}", "this is a DateTime, please access its methods"),
        (
            "={{ (() => { const a = {}; a.a = a; return a })() }}",
            "The result is nested too deeply, or refers to itself",
        ),
    ]);
}

#[test]
fn nested_parameters_are_resolved_and_literals_left_alone() {
    let mut world = World::of_items(r#"[{"json":{"n":7}}]"#);
    let value = json(r#"{"a":"={{ $json.n }}","b":[1,"x",{"c":"=n {{ $json.n }}"}],"d":"{{ $json.n }}","e":null}"#);
    let resolved = world.with(|sandbox, scope| sandbox.resolve(&value, scope)).unwrap();
    assert_eq!(resolved.to_json(), r#"{"a":7,"b":[1,"x",{"c":"n 7"}],"d":"{{ $json.n }}","e":null}"#);
    let value = json(r#"{"key":"left|right","side":"={{ $parameter['&key'].split('|')[1] }}"}"#);
    let resolved = world.with(|sandbox, scope| sandbox.resolve(&value, scope)).unwrap();
    assert_eq!(resolved.to_json(), r#"{"key":"left|right","side":"right"}"#);
}

#[test]
fn extension_calls_chain_and_stay_optional() {
    World::of_items(r#"[{"json":{"s":"hello world","list":[3,1],"o":null}}]"#).gives(&[
        ("={{ $json.s.toTitleCase() }}", r#""Hello World""#),
        ("={{ $json.s.toTitleCase().length }}", "11"),
        ("={{ [$json.s].first().toTitleCase() }}", r#""Hello World""#),
        ("={{ ($json.list).first() + $json.list.last() }}", "4"),
        ("={{ $json.o?.s.toTitleCase().length }}", "undefined"),
        ("={{ $json.missing?.toTitleCase() ?? 'none' }}", r#""none""#),
        ("={{ $json.list.map(x => [x].last()).last() }}", "1"),
        ("={{ `${ 'a b'.toTitleCase() }!` }}", r#""A B!""#),
        ("={{ new Array(1, 2).last() }}", "2"),
        ("={{ $if($json.o, $json.o.x.y, 'else') }}", r#""else""#),
        ("={{ $if(true, $if(false, 1, 2), 3) }}", "2"),
        ("={{ $if(false, 1) }}", "false"),
    ]);
}

#[test]
fn templates_say_how_they_are_evaluated() {
    assert_eq!(Template::compile("x").explain(), Path::Literal);
    assert_eq!(Template::compile("=x").explain(), Path::Literal);
    assert_eq!(Template::compile("={{ 1 }}").explain(), Path::Native);
    assert_eq!(Template::compile("=a{{ $json.b }}c{{ 1 }}").explain(), Path::Native);
    assert_eq!(
        Template::compile("=a{{ $json.b }}c{{ $now }}").explain(),
        Path::JavaScript { reason: "`$now` has no native form".into() }
    );
}
