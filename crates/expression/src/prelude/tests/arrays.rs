//! Methods of arrays.

use super::check;

#[test]
fn reading() {
    check(&[
        ("[extend([4, 5], 'first'), extend([4, 5], 'last'), extend([], 'first')]", "[4,5,null]"),
        (
            "[extend([1, 2, 6], 'sum'), extend([1, 2, 6], 'average'), extend([1, 2, 6], 'min'), extend([1, 2, 6], 'max')]",
            "[9,3,1,6]",
        ),
        ("extend([1, '2'], 'max')", "!ExpressionExtensionError: max(): all array elements must be numbers"),
        ("extend([], 'average')", "0"),
        ("[extend([], 'isEmpty'), extend([undefined], 'isNotEmpty')]", "[true,true]"),
        ("[7].includes(extend([7], 'randomItem'))", "true"),
        ("extend([{ a: 1, b: 2 }, { b: 3 }, { c: 4 }, 5, null], 'pluck', ['b'])", "[2,3]"),
        ("extend([{ a: 1, b: 2 }, { b: 3 }], 'pluck', ['b', 'a'])", "[[1,2],3]"),
        ("extend([1, undefined], 'toJsonString')", "\"[1,null]\""),
    ]);
}

#[test]
fn sets() {
    check(&[
        ("extend([1, 1, '1', { a: 1, b: 2 }, { b: 2, a: 1 }, NaN, NaN, null, null], 'unique', []).length", "5"),
        (
            "extend([{ n: 1, v: 1 }, { n: 1, v: 2 }, { n: 2, v: 1 }], 'unique', ['n'])",
            "[{\"n\":1,\"v\":1},{\"n\":2,\"v\":1}]",
        ),
        ("extend([{ n: 1, v: 1 }, { n: 1, v: 2 }, { n: 1, v: 1 }], 'removeDuplicates', ['n', 'v']).length", "2"),
        ("extend([1, [2]], 'union', [[[2], 3]])", "[1,[2],3]"),
        ("extend([2, 2, { a: 1 }], 'union', [[{ a: 1 }, 3, 3]])", "[2,{\"a\":1},3]"),
        ("extend([4, 3, 7, 3], 'difference', [[7]])", "[4,3]"),
        ("extend([1, [2], [2]], 'intersection', [[[2], 3]])", "[[2]]"),
        ("extend([1, [2]], 'difference', [[[2], 3]])", "[1]"),
        (
            "extend([1], 'union', [1])",
            "!ExpressionExtensionError: union(): expected array arg, e.g. .union([1, 2, 3, 4])",
        ),
        ("extend([new Date(1), new Date(1), new Date(2)], 'unique').length", "2"),
        ("extend(numberList(1, 20000).map((n) => ({ id: n % 1000 })), 'unique').length", "1000"),
    ]);
}

#[test]
fn building() {
    check(&[
        ("extend([1, 2, 3, 4, 5], 'chunk', [2])", "[[1,2],[3,4],[5]]"),
        (
            "extend([1], 'chunk', [0])",
            "!ExpressionExtensionError: chunk(): expected non-zero numeric arg, e.g. .chunk(5)",
        ),
        ("extend([0, false, '', null, undefined, [], {}, { a: null }], 'compact')", "[0,false,{}]"),
        ("extend([1], 'append', [[2], 3])", "[1,[2],3]"),
        (
            "extend([{ k: 'a', v: 1 }, { k: 'b' }, 3, { k: 'c', v: null }], 'smartJoin', ['k', 'v'])",
            "{\"a\":1,\"c\":null}",
        ),
        (
            "extend([], 'smartJoin', ['k'])",
            "!ExpressionExtensionError: smartJoin(): expected two string args, e.g. .smartJoin(\"name\", \"value\")",
        ),
        ("extend([{ a: 1, b: 2 }, 3], 'renameKeys', ['a', 'x', 'b', 'y'])", "[{\"x\":1,\"y\":2},3]"),
        (
            "extend([], 'renameKeys', ['a'])",
            "!ExpressionExtensionError: renameKeys(): expected an even amount of args: from1, to1 [, from2, to2, ...]. e.g. .renameKeys(\"name\", \"title\")",
        ),
        ("extend([{ a: 1 }, { a: 2, b: 3 }, [4]], 'merge')", "{\"a\":1,\"b\":3}"),
        ("extend([{ a: 1 }, { b: 2 }], 'merge', [[{ a: 9, c: 3 }]])", "{\"a\":1,\"c\":3}"),
        (
            "extend([{ k: 1, v: 'x' }, { k: 2, v: 'y' }], 'merge', [[{ k: 1, w: 8 }, { k: 2, w: 9 }]])",
            "{\"k\":2,\"v\":\"y\",\"w\":9}",
        ),
        ("extend([{ a: 1 }, 5], 'merge', [[null, { b: 1 }]])", "{}"),
    ]);
}
