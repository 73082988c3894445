"""Strict JSON: what a text says, and what lenient parsers hide."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chatconform.wire.strict_json import (
    Document,
    Fault,
    at,
    line_and_column,
    locate,
    parse,
    pointer,
    strings,
)

BOM = b"\xef\xbb\xbf"

VALUES = [
    (b"null", None),
    (b"true", True),
    (b"false", False),
    (b"0", 0),
    (b"-0", 0),
    (b"12", 12),
    (b"-1.5e+3", -1500.0),
    (b"1E2", 100.0),
    (b'""', ""),
    (b'"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\/\b\f\n\r\t'),
    (b'"\\u00e9\\ud83d\\ude00"', "é😀"),
    ('"é😀\u2028\x7f"'.encode(), "é😀\u2028\x7f"),
    (b"[]", []),
    (b"{}", {}),
    (b' \t\r\n{ "a" :\t[ 1 ,\n2 ]\r} \n', {"a": [1, 2]}),
    (b'{"":{"a":null}}', {"": {"a": None}}),
]


@pytest.mark.parametrize("data, value", VALUES)
def test_a_json_text_is_its_value_and_has_no_other_facts(data, value):
    assert Document(value) == parse(data)


def test_a_whole_number_with_a_fraction_stays_a_float():
    assert float is type(parse(b"1.0").value)


NOT_JSON = [
    (b"", 0),
    (b" \n\t\r", 4),
    (BOM, 3),
    (BOM + BOM + b"1", 3),
    (b"\x0b1", 0),
    (b"1\x0c", 1),
    ("\u00a01".encode(), 0),
    ("1\u2003".encode(), 1),
    (b"\x001", 0),
    (b"1 2", 1),
    (b"{}{}", 2),
    (b"[1]]", 3),
    (b"{", 1),
    (b"[1", 2),
    (b'"abc', 0),
    (b'{"a" 1}', 5),
    (b"{a:1}", 1),
    (b"{'a':1}", 1),
    (b"{1:2}", 1),
    (b"[1 2]", 3),
    (b"[,1]", 1),
    (b"01", 1),
    (b"-01", 2),
    (b"00", 1),
    (b"+1", 0),
    (b".5", 0),
    (b"1.", 1),
    (b"1e", 1),
    (b"-", 0),
    (b"0x1f", 1),
    (b"1_000", 1),
    ("\u0661".encode(), 0),
    ("1\u0661".encode(), 1),
    (b"nul", 0),
    (b"True", 0),
    (b"undefined", 0),
    (b"[1] // end", 3),
    (b'"a\nb"', 2),
    (b'"a\x00b"', 2),
    (b'"a\x1fb"', 2),
    ('"é\n"'.encode(), 3),
    (BOM + '["é" 1]'.encode(), 9),
]


@pytest.mark.parametrize("data, offset", NOT_JSON)
def test_what_is_not_json_is_a_fault_at_its_byte(data, offset):
    document = parse(data)
    assert (None, offset, False) == (document.value, document.fault.offset, document.readable)


LENIENT = [
    b"[1,]",
    b'{"a":1,}',
    b'"\\x41"',
    b'"\\u12g4"',
    b'"\\u+123"',
    b'"\\u12"',
    b'"\\',
    b'{"a":}',
    b'{"a"}',
]


@pytest.mark.parametrize("data", LENIENT)
def test_what_other_parsers_forgive_is_a_fault(data):
    assert parse(data).fault is not None


NOT_UTF8 = [
    (b'"\xe9"', 1),
    (b'"\xc0\xaf"', 1),
    (b'"\xed\xa0\x80"', 1),
    (b'"\xf4\x90\x80\x80"', 1),
    (b'"\xe2\x82', 1),
    (BOM + b'"\xff"', 4),
    ('"a"'.encode("utf-16"), 0),
]


@pytest.mark.parametrize("data, offset", NOT_UTF8)
def test_bytes_that_are_not_utf8_are_a_fault_at_the_first_of_them(data, offset):
    assert Fault(offset, "not UTF-8") == parse(data).fault


def test_a_byte_order_mark_is_a_fact():
    assert Document({"a": 1}, bom=True) == parse(BOM + b'{"a":1}')


CONSTANTS = [
    (b"NaN", ("NaN",)),
    (b'{"a":[Infinity,-Infinity]}', ("Infinity", "-Infinity")),
    (b'"NaN"', ()),
]


@pytest.mark.parametrize("data, names", CONSTANTS)
def test_numbers_that_json_does_not_have_are_facts(data, names):
    document = parse(data)
    assert (True, names) == (document.readable, document.constants)


DUPLICATES = [
    (b'{"a":1,"b":2}', ()),
    (b'{"a":1,"a":1}', ("a",)),
    (b'{"a":1,"\\u0061":2}', ("a",)),
    (b'{"b":1,"a":1,"a":2,"b":2,"a":3}', ("b", "a")),
    (b'{"a":{"x":1,"x":2}}', ("x",)),
    (b'{"a":[{"x":1},{"x":2}]}', ()),
    (b'{"a":{"x":1,"x":2},"a":{}}', ("x", "a")),
    (b'[{"x":1,"x":2},{"x":1,"x":2}]', ("x", "x")),
]


@pytest.mark.parametrize("data, names", DUPLICATES)
def test_a_key_that_stands_twice_in_one_object_is_a_fact(data, names):
    assert names == parse(data).duplicate_keys


def test_the_last_of_duplicate_keys_counts():
    assert {"a": 2} == parse(b'{"a":1,"a":2}').value


SURROGATES = [
    (b'"\\ud800"', True),
    (b'"\\udc00\\ud800"', True),
    (b'{"a":[{"\\udfff":1}]}', True),
    (b'"\\ud83d\\ude00"', False),
    (b'"\\\\ud800"', False),
    (b'"\\uD7FF\\uE000"', False),
]


@pytest.mark.parametrize("data, found", SURROGATES)
def test_a_lone_surrogate_in_a_string_or_a_key_is_a_fact(data, found):
    assert found == parse(data).lone_surrogates


DEPTHS = [
    (b"[" * 64 + b"]" * 64, None),
    (b"[" * 65 + b"]" * 65, "depth"),
    (b'{"a":' * 64 + b"1" + b"}" * 64, None),
    (b'{"a":' * 65 + b"1" + b"}" * 65, "depth"),
    (b'[{"a":' * 32 + b"1" + b"}]" * 32, None),
    (b'[{"a":' * 33 + b"1" + b"}]" * 33, "depth"),
    (b"[" + b",".join([b"[]"] * 100) + b"]", None),
    (b'["' + b"[" * 100 + b'"]', None),
    (b'["\\"' + b"[" * 100 + b'"]', None),
    (b'["\\\\",' + b"[" * 64 + b"]" * 64 + b"]", "depth"),
    (b"[" * 100_000, "depth"),
]


@pytest.mark.parametrize("data, limit", DEPTHS)
def test_nesting_beyond_64_is_a_limit(data, limit):
    assert (limit, None) == (parse(data).limit, parse(data).fault)


DIGITS = [
    (b"1" * 4300, None),
    (b"1" * 4301, "digits"),
    (b"-" + b"1" * 4300, None),
    (b"-" + b"1" * 4301, "digits"),
    (b"0." + b"1" * 4301, "digits"),
    (b"1e" + b"1" * 4301, "digits"),
    (b'["' + b"1" * 4301 + b'"]', None),
    (b'{"' + b"1" * 4301 + b'":1}', None),
    (b'["\\"' + b"1" * 4301 + b'"]', None),
    (b'["x",' + b"1" * 4301 + b"]", "digits"),
    (b"[" + b",".join([b"1" * 4300] * 3) + b"]", None),
]


@pytest.mark.parametrize("data, limit", DIGITS)
def test_a_number_beyond_4300_digits_is_a_limit(data, limit):
    assert limit == parse(data).limit


def test_what_exceeds_a_limit_has_no_value():
    assert Document(None, limit="digits", bom=True) == parse(BOM + b"1" * 4301)


@pytest.mark.parametrize("data, expected", [(b"{}", {}), (b"[]", None), (b"{", None)])
def test_the_object_is_there_only_where_the_value_is_one(data, expected):
    assert expected == parse(data).object


@given(st.binary())
@example(b'"' + b'\\"' * 100_000 + b"[" * 65)
@example(b'"' + b'\\"' * 100_000 + b"1" * 4301)
@example(b"[" + b",".join([b"1" * 4300] * 200) + b"]")
@example(b"{" + b'"a":1,' * 100_000 + b'"b":1}')
def test_any_bytes_give_a_value_a_fault_or_a_limit(data):
    document = parse(data)
    assert document.readable == (document.fault is None and document.limit is None)
    assert document.fault is None or 0 <= document.fault.offset <= len(data)


LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4))
INDENTS = st.sampled_from([None, 0, 1, "\t"])


@given(JSON, st.booleans(), INDENTS)
def test_what_json_writes_is_read_as_the_same_value(value, ascii_only, indent):
    document = parse(json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode())
    assert Document(value) == document


def paths_of(value, path=()):
    yield path
    if isinstance(value, dict | list):
        for step, member in value.items() if isinstance(value, dict) else enumerate(value):
            yield from paths_of(member, (*path, step))


@given(JSON, st.booleans(), INDENTS, st.booleans())
def test_every_value_is_located_by_its_bytes(value, ascii_only, indent, bom):
    data = BOM * bom + json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    for path in paths_of(value):
        assert at(value, path) == json.loads(data[slice(*locate(data, path))])


LOCATED = [
    (b'{"a": 1}', ("b",), b'{"a": 1}'),
    (b'{"a": [1, 2]}', ("a", 2), b"[1, 2]"),
    (b'{"a": [1, 2]}', ("a", "0"), b"[1, 2]"),
    (b'{"a": [1, 2]}', ("a", 0, "x"), b"1"),
    (b'{"0": 1}', (0,), b'{"0": 1}'),
    (b'{"a": 1, "a": 2}', ("a",), b"2"),
    (b'{"a": {"x": 1}, "a": {}}', ("a", "x"), b"{}"),
    (b'{"\\u0061": 1}', ("a",), b"1"),
    (b'{"a": "}],{"}', ("a",), b'"}],{"'),
    (b'{"a": "\\"", "b": NaN}', ("b",), b"NaN"),
    (b" 7 ", (), b"7"),
]


@pytest.mark.parametrize("data, path, found", LOCATED)
def test_the_nearest_value_there_is_stands_for_an_absent_one(data, path, found):
    assert found == data[slice(*locate(data, path))]


@pytest.mark.parametrize("data", [b"", b" ", b'"\xff"'])
def test_nothing_is_located_where_there_is_no_text(data):
    assert locate(data, ("a",)) is None


POINTERS = [((), ""), (("a", 0), "/a/0"), (("a/b", "m~n"), "/a~1b/m~0n"), (("",), "/"), (("~1",), "/~01")]


@pytest.mark.parametrize("path, expected", POINTERS)
def test_a_pointer_escapes_what_rfc_6901_escapes(path, expected):
    assert expected == pointer(path)


REACHED = [
    ({"a": [1, {"b": 2}]}, ("a", 1, "b"), 2),
    ({"a": [1]}, ("a", 1), None),
    ({"a": [1]}, ("a", -1), None),
    ({"a": [1]}, ("a", "0"), None),
    ({"a": 1}, ("b",), None),
    ({"a": 1}, ("a", "b"), None),
    ([1], (), [1]),
]


@pytest.mark.parametrize("value, path, expected", REACHED)
def test_the_end_of_a_path_is_its_value_or_none(value, path, expected):
    assert expected == at(value, path)


PLACES = [
    (b"", 0, (1, 1)),
    (b"ab", 1, (1, 2)),
    (b"a\nb", 1, (1, 2)),
    (b"a\nb", 2, (2, 1)),
    (b"a\n\n", 3, (3, 1)),
]


@pytest.mark.parametrize("data, offset, expected", PLACES)
def test_a_byte_stands_in_a_line_and_a_column_from_1(data, offset, expected):
    assert expected == line_and_column(data, offset)


def test_the_strings_of_a_value_are_its_keys_and_its_texts():
    assert ["a", "b", "c", "d"] == list(strings({"a": ["b", {"c": "d"}, 1, None]}))
