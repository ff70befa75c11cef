//! Methods of objects, numbers and booleans, and the functions called by name.

use super::check;

#[test]
fn objects() {
    check(&[
        ("extend({}, 'isEmpty', [])", "true"),
        ("extend({ a: undefined }, 'isNotEmpty', [])", "true"),
        ("extend({ b: 1, a: 2 }, 'keys', [])", "[\"b\",\"a\"]"),
        ("extend({ b: 1, a: [2] }, 'values', [])", "[1,[2]]"),
        ("[extend({ a: null }, 'hasField', ['a']), extend({}, 'hasField', ['a'])]", "[true,false]"),
        ("extend({ a: 1, b: 2 }, 'removeField', ['a'])", "{\"b\":2}"),
        ("extend({ a: 'red sky', b: 'blue', c: 3 }, 'removeFieldsContaining', ['red'])", "{\"b\":\"blue\",\"c\":3}"),
        ("extend({ a: 'red sky', b: 'blue', c: 3 }, 'keepFieldsContaining', ['red'])", "{\"a\":\"red sky\"}"),
        (
            "extend({ a: 1 }, 'keepFieldsContaining', [''])",
            "!ExpressionExtensionError: keepFieldsContaining(): expected non-empty string arg",
        ),
        ("extend({ a: 1, b: 2 }, 'merge', [{ b: 3, c: 4 }])", "{\"a\":1,\"b\":2,\"c\":4}"),
        ("extend({ a: 1 }, 'merge', [2])", "!ExpressionExtensionError: merge(): expected object arg"),
        (
            "extend({ a: '', b: [], c: {}, d: { e: null, f: 0 }, g: [1] }, 'compact', [])",
            "{\"d\":{\"f\":0},\"g\":{\"0\":1}}",
        ),
        ("extend({ q: 'a b', r: 'c&d', s: \"e'f\" }, 'urlEncode', [])", "\"q=a+b&r=c%26d&s=e%27f\""),
        ("extend({ a: [1] }, 'toJsonString', [])", "\"{\\\"a\\\":[1]}\""),
        ("extend(JSON.parse('{\"__proto__\": {\"x\": 1}}'), 'merge', [{}]).x", "undefined"),
    ]);
}

#[test]
fn numbers_and_booleans() {
    check(&[
        (
            "[extend(-2.5, 'abs'), extend(-2.5, 'ceil'), extend(-2.5, 'floor'), extend(2.345, 'round', [1])]",
            "[2.5,-2,-3,2.3]",
        ),
        ("[extend(-3, 'isOdd'), extend(4, 'isEven'), extend(4.5, 'isInteger')]", "[true,true,false]"),
        ("extend(4.5, 'isOdd')", "!ExpressionExtensionError: isOdd() is only callable on integers"),
        (
            "[extend(0, 'toBoolean'), extend(-1, 'toBoolean'), extend(2.5, 'toInt'), extend(2.5, 'toFloat')]",
            "[false,true,3,2.5]",
        ),
        ("[extend(0, 'isEmpty'), extend(false, 'isNotEmpty')]", "[true,false]"),
        ("extend(1720000000000, 'toDateTime')", "\"2024-07-03T05:46:40.000-04:00\""),
        ("extend(45000.25, 'toDateTime', ['excel']).toUTC().toISO()", "\"2023-03-15T06:00:00.000Z\""),
        (
            "extend(1, 'toDateTime', ['h'])",
            "!ExpressionExtensionError: Unsupported format 'h'. toDateTime() supports 'ms', 's', 'us' and 'excel'.",
        ),
        ("[extend(true, 'toInt'), extend(false, 'toNumber'), extend(true, 'toBoolean')]", "[1,0,true]"),
    ]);
}

#[test]
fn functions() {
    check(&[
        ("[min(3, 1), $max(3, 1), average(1, 2, 6), not(''), $not([])]", "[1,3,3,true,false]"),
        ("numberList(3, 0)", "[3,2,1,0]"),
        ("zip(['a', 'b'], [1, 2])", "{\"a\":1,\"b\":2}"),
        ("zip(['a'], [1, 2])", "!ExpressionExtensionError: keys and values not of equal length"),
        ("[$ifEmpty('', 1), $ifEmpty({}, 1), $ifEmpty([], 1), $ifEmpty(0, 1), $ifEmpty(' ', 1)]", "[1,1,1,0,\" \"]"),
        ("$ifEmpty('')", "!ExpressionError: expected two arguments (value, defaultValue) for this function"),
        ("[$if(1, 'y', 'n'), $if(0, 'y', 'n'), $if(0, 'y')]", "[\"y\",\"n\",false]"),
        ("$jmespath({ z: 1, a: [{ n: 'x', v: 2 }, { n: 'y', v: 1 }] }, 'sort_by(a, &v)[].n')", "[\"y\",\"x\"]"),
        ("$jmesPath({ z: 1, a: 2 }, 'keys(@)')", "[\"z\",\"a\"]"),
        ("$jmespath([1, 2], '[0]')", "1"),
        (
            "$jmespath({}, 'a.__proto__')",
            "!ExpressionError: Cannot access this property in a jmespath query due to security concerns",
        ),
        ("$jmespath('x', 'a')", "!ExpressionError: expected two arguments (Object, string) for this function"),
    ]);
}
