//! Methods of strings.

use super::check;

#[test]
fn conversions() {
    check(&[
        ("extend('42.9', 'toInt', [])", "42"),
        ("extend('ff', 'toInt', [16])", "255"),
        ("extend('€12', 'toWholeNumber', [])", "12"),
        ("extend('north', 'toInt', [])", "!ExpressionExtensionError: cannot convert to integer"),
        ("extend('42.9 km', 'toFloat', [])", "42.9"),
        (
            "extend('1,5', 'toFloat', [])",
            "!ExpressionExtensionError: cannot convert to float, expected . as decimal separator",
        ),
        ("extend('north', 'toDecimalNumber', [])", "!ExpressionExtensionError: cannot convert to float"),
        ("extend('$7.25', 'toNumber', [])", "7.25"),
        ("extend('7 km', 'toNumber', [])", "!ExpressionExtensionError: cannot convert to number"),
        (
            "['true', 'yes', 'NO', '0', 'False', ''].map((text) => extend(text, 'toBoolean', []))",
            "[true,true,false,false,false,false]",
        ),
        ("extend('2024-02-03', 'toDate', [])", "\"2024-02-03T00:00:00.000Z\""),
        ("extend('2024-02-03T04:05:06Z', 'toDate', [])", "\"2024-02-03T04:05:06.000Z\""),
        ("extend('someday', 'toDate', [])", "!ExpressionExtensionError: cannot convert to date"),
        ("extend('[1, {\"a\": null}]', 'parseJson', [])", "[1,{\"a\":null}]"),
        (
            "extend(\"['a']\", 'parseJson', [])",
            "!ExpressionExtensionError: Parsing failed. Check you're using double quotes",
        ),
        ("extend('[1', 'parseJson', [])", "!ExpressionExtensionError: Parsing failed"),
        ("extend('a\"b', 'toJsonString', [])", "\"\\\"a\\\\\\\"b\\\"\""),
    ]);
}

#[test]
fn dates_in_text() {
    check(&[
        ("extend('2024-02-03', 'toDateTime', [])", "\"2024-02-03T00:00:00.000-05:00\""),
        ("extend('2024-07-03 10:20', 'toDateTime', [])", "\"2024-07-03T10:20:00.000-04:00\""),
        ("extend('2024-07-03T10:20:00+02:00', 'toDateTime', [])", "\"2024-07-03T10:20:00.000+02:00\""),
        ("extend('Tue, 01 Nov 2022 13:23:12 +0630', 'toDateTime', [])", "\"2022-11-01T13:23:12.000+06:30\""),
        ("extend('03.07.2024', 'toDateTime', ['dd.MM.yyyy'])", "\"2024-07-03T00:00:00.000-04:00\""),
        ("extend('1720000000', 'toDateTime', ['s'])", "\"2024-07-03T05:46:40.000-04:00\""),
        ("extend('July 3, 2024', 'toDateTime', [])", "\"2024-07-02T20:00:00.000-04:00\""),
        ("extend('tomorrow', 'toDateTime', [])", "!ExpressionExtensionError: cannot convert to Luxon DateTime"),
    ]);
}

#[test]
fn encodings_and_digests() {
    check(&[
        ("extend('größe', 'base64Encode', [])", "\"Z3LDtsOfZQ==\""),
        ("extend('Z3LDtsOfZQ', 'base64Decode', [])", "\"größe\""),
        ("extend('Pz8_Pz4-', 'base64Decode', [])", "\"????>>\""),
        ("extend('mill', 'hash', [])", "\"a90794a1d591a78fb8905e7870116ea1\""),
        ("extend('abc', 'hash', ['SHA1'])", "\"a9993e364706816aba3e25717850c26c9cd0d89d\""),
        ("extend('abc', 'hash', ['sha224'])", "\"23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7\""),
        ("extend('abc', 'hash', ['sha256'])", "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\""),
        ("extend('abc', 'hash', ['sha3']).slice(0, 16)", "\"b751850b1a57168a\""),
        (
            "extend('abc', 'hash', ['crc'])",
            "!ExpressionExtensionError: Unknown algorithm crc. Available algorithms are: md5,sha1,sha224,sha256,sha384,sha512,sha3, and Base64.",
        ),
        ("extend('a b&c', 'urlEncode', [])", "\"a%20b%26c\""),
        ("extend('a b&c', 'urlEncode', [true])", "\"a%20b&c\""),
        ("extend('a%20b%26c', 'urlDecode', [])", "\"a b&c\""),
        ("extend('a%20b%26c', 'urlDecode', [true])", "\"a b%26c\""),
        ("extend('Ærøskøbing, naïve', 'replaceSpecialChars', [])", "\"AEroskobing, naive\""),
    ]);
}

#[test]
fn letter_case() {
    check(&[
        ("extend('the quick fox of an iOS app', 'toTitleCase', [])", "\"The Quick Fox of an iOS App\""),
        ("extend('FIRST one! second ONE? third', 'toSentenceCase', [])", "\"First one! Second one? Third\""),
        ("extend('Total-Price (EUR)', 'toSnakeCase', [])", "\"total_price_eur\""),
        ("extend(\"it's\", 'quote', [\"'\"])", "\"'it\\\\'s'\""),
    ]);
}

#[test]
fn addresses() {
    check(&[
        ("['a.b@c.org', 'a b@c.org', '@c.org'].map((text) => extend(text, 'isEmail', []))", "[true,false,false]"),
        ("extend('write to ann@mill.example, please', 'extractEmail', [])", "\"ann@mill.example\""),
        (
            "['http://localhost:1/x', 'mill.example', 'ftp://h.example'].map((text) => extend(text, 'isUrl', []))",
            "[true,false,true]",
        ),
        ("extend('see https://mill.example/a?b=c#d for more', 'extractUrl', [])", "\"https://mill.example/a?b=c#d\""),
        ("extend('ann@mail.mill.example', 'extractDomain', [])", "\"mail.mill.example\""),
        ("extend('https://www.mill.example:8080/path', 'extractDomain', [])", "\"www.mill.example\""),
        ("extend('mill.example/path', 'extractDomain', [])", "\"mill.example\""),
        ("extend('no domain here', 'extractDomain', [])", "undefined"),
        ("['mill.example', 'mill', 'a_b.example'].map((text) => extend(text, 'isDomain', []))", "[true,false,true]"),
        ("extend('https://mill.example/a/b?c', 'extractUrlPath', [])", "\"/a/b\""),
        ("extend('https://mill.example', 'extractUrlPath', [])", "\"/\""),
    ]);
}

#[test]
fn markup() {
    check(&[
        (
            "extend('# Title\\n\\n* one **bold** and _soft_\\n1. [link](http://x.example) `code`\\n> said', 'removeMarkdown', [])",
            "\"Title\\n\\none bold and soft\\nlink code\\n said\"",
        ),
        ("extend('<p>One <b>two</b></p>', 'removeTags', [])", "\"One two\""),
        (
            "['12', '-1.5e3', ' 1', '', '1x'].map((text) => extend(text, 'isNumeric', []))",
            "[true,true,false,false,false]",
        ),
        ("[extend('', 'isEmpty', []), extend(' ', 'isNotEmpty', [])]", "[true,true]"),
    ]);
}
