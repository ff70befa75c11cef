//! Sorting by comparators, also such that contradict themselves. Expected values are those of Node; the numbers of long
//! lists are made from every comparison in its order.

use super::World;

#[test]
fn comparators_are_asked_as_in_node() {
    let mut world = World::of_items("[{}]");
    let fingerprint = |list: &str, compare: &str| {
        format!(
            "={{{{ (() => {{ let n = 0; {list}.sort((a, b) => {{ n = (n * 31 + a * 7 + b) % 1000003; return {compare} }}); \
             return n }})() }}}}"
        )
    };
    let from = |length: u32, element: &str| format!("Array.from({{ length: {length} }}, (_, i) => {element})");
    let table = [
        (from(300, "(i * 7919) % 101"), "a > b ? 1 : -1", "202066"),
        (from(5000, "i % 97 < 40 ? i % 97 : (i * 7919) % 64"), "a - b", "468814"),
        (from(5000, "i % 1000"), "b - a", "49000"),
        (from(3000, "(i * i * 7919) % 64 + ((i / 700) | 0) * 60"), "a < b", "808926"),
        (from(20000, "i < 10000 ? i * 2 : (i - 10000) * 2 + 1"), "a - b", "638363"),
        (from(20000, "i < 3000 ? 50000 + i : i % 5000"), "a > b ? 1 : -1", "214867"),
    ];
    for (list, compare, expected) in table {
        world.gives(&[(&fingerprint(&list, compare), expected)]);
    }
}

#[test]
fn sorts_as_node() {
    World::of_items("[{}]").gives(&[
        (
            r#"={{ [{a:3,b:1},{a:1,b:2},{a:2,b:3},{a:1,b:4},{a:10,b:5}].sort((x,y)=>x.a>y.a?1:-1).map(x=>x.b) }}"#,
            r#"[4,2,3,1,5]"#,
        ),
        (
            "={{ [3,1,2,10].sort((a,b)=>a>b) }}",
            r#"[3,1,2,10]"#,
        ),
        (
            r#"={{ [3,1,2,1,10,2].sort((a,b)=>a<b) }}"#,
            r#"[3,1,2,1,10,2]"#,
        ),
        (
            r#"={{ [5,3,1,4].sort(()=>-1) }}"#,
            r#"[4,1,3,5]"#,
        ),
        (
            r#"={{ [5,3,1,4].sort(()=>1) }}"#,
            r#"[5,3,1,4]"#,
        ),
        (
            r#"={{ Array.from({length:40},(_, i)=>({k:(i*7)%5,i})).sort((x,y)=>x.k>y.k?1:-1).map(x=>x.i).join() }}"#,
            r#""35,30,25,20,15,10,5,0,38,33,28,23,18,13,8,3,36,31,26,21,16,11,6,1,39,34,29,24,19,14,9,4,37,32,27,22,17,12,7,2""#,
        ),
        (
            r#"={{ Array.from({length:40},(_, i)=>i % 3).toSorted((x,y)=>x-y).join("") }}"#,
            r#""0000000000000011111111111112222222222222""#,
        ),
        (
            r#"={{ [1,null,"b",3,undefined,"a"].sort((a,b)=>a-b) }}"#,
            r#"[null,1,"b",3,"a",null]"#,
        ),
        (
            r#"={{ [3, , 1, undefined, 2].sort((a, b) => b - a) }}"#,
            r#"[3,2,1,null,null]"#,
        ),
        (
            r#"={{ [2, 1].sort(() => ({ valueOf: () => -1 })) }}"#,
            r#"[1,2]"#,
        ),
        (
            r#"={{ [2, 1, 3].sort(() => "x") }}"#,
            r#"[2,1,3]"#,
        ),
        ("={{ ['b', 'a'].sort(() => { throw new Error('no') }) }}", "undefined"),
        ("={{ [10, 9, 1].sort() }}", "[1,10,9]"),
        ("={{ [10, 9, 1].toSorted(undefined) }}", "[1,10,9]"),
        ("={{ (() => { const list = [2, 1]; return [list.sort((a, b) => a - b) === list, list] })() }}", "[true,[1,2]]"),
        ("={{ (() => { const list = [2, 1]; return [list.toSorted((a, b) => a - b), list] })() }}", "[[1,2],[2,1]]"),
        ("={{ (() => { try { [2, 1].sort(1) } catch (error) { return error.name } })() }}", r#""TypeError""#),
        ("={{ [3, 1, 2].sort((a, b) => [b, a].sort((x, y) => x - y)[0] === b ? 1 : -1) }}", "[1,2,3]"),
        ("={{ [].sort.call({ length: 2, 0: 2, 1: 1 }, (a, b) => a - b) }}", r#"{"0":1,"1":2,"length":2}"#),
    ]);
}
