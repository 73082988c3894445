"""YAML without surprises."""

import json

import pytest
from hypothesis import given, strategies

from chatconform.model import InputError, Place
from chatconform.strict_yaml import Complaint, load, looks_like_credential, pointer, quoted, read, violations

SCALARS = [
    ("true", True),
    ("false", False),
    ("True", "True"),
    ("yes", "yes"),
    ("no", "no"),
    ("on", "on"),
    ("null", None),
    ("~", None),
    ("", None),
    ("Null", "Null"),
    ("'null'", "null"),
    ("'1'", "1"),
    ("0", 0),
    ("-3", -3),
    ("+3", "+3"),
    ("017", "017"),
    ("0o17", "0o17"),
    ("0x1f", "0x1f"),
    ("1_000", "1_000"),
    ("12:30:45", "12:30:45"),
    ("2026-11-20", "2026-11-20"),
    ("2026-11-20T12:00:00Z", "2026-11-20T12:00:00Z"),
    ("1.5", 1.5),
    ("1e3", 1000.0),
    (".5", ".5"),
    (".inf", ".inf"),
    (".nan", ".nan"),
    ("=", "="),
    ('"a\\tb"', "a\tb"),
    ('"\\u0000"', "\0"),
    ("a # comment", "a"),
]


@pytest.mark.parametrize("written, expected", SCALARS)
def test_a_scalar_is_what_json_would_call_it_and_else_a_string(written, expected):
    value = load(f"a: {written}\n", "f.yaml").value["a"]
    assert (type(expected), expected) == (type(value), value)


REFUSED = [
    ("", (1, 1), "the file is empty"),
    ("# only a comment\n", (1, 1), "the file is empty"),
    ("---\n", (1, 1), "the file is empty"),
    ("a: 1\nb: 2\na: 3\n", (3, 1), 'the key "a" stands twice'),
    ("a: {b: 1, b: 2}\n", (1, 11), 'the key "b" stands twice'),
    ("a: 1\n'a': 2\n", (2, 1), 'the key "a" stands twice'),
    ("a: &x 1\n", (1, 4), "an anchor"),
    ("a: *x\n", (1, 4), "an alias"),
    ("<<: {a: 1}\n", (1, 1), "a merge key"),
    ("a: !!str 1\n", (1, 4), "a tag"),
    ("a: !x [1]\n", (1, 4), "a tag"),
    ("a: 1\n---\nb: 2\n", (3, 1), "a second document"),
    ("? [a]\n: b\n", (1, 3), "a key that is a mapping or a list"),
    ("a:\n\t- 1\n", (2, 1), "a tab"),
    ("a: 1 # one\ttwo\n", (1, 11), "a tab"),
    ("a: x\0\n", (1, 5), "a NUL"),
    ("a: 1\nb: x\x1b\n", (2, 5), "the character U+001B, which YAML does not allow"),
    ("a: 1\nb: \ud800\n", (2, 4), "the character U+D800, which YAML does not allow"),
    ('a: "\\ud800"\n', (1, 4), "half of a surrogate pair"),
    ('a: 1\nb: "\\U00110000"\n', (2, 7), "an escape or a directive holds a number that is too large"),
    ('a: 1\nb: "\\UFFFFFFFF"\n', (2, 7), "an escape or a directive holds a number that is too large"),
    (f"a: {'9' * 5000}\n", (1, 4), "a number that is too large"),
    ("a: 1e999\n", (1, 4), "a number that is too large"),
    ("[" * 65 + "]" * 65, (1, 65), "more than 64 levels of nesting"),
    ("[" * 100_000, (1, 65), "more than 64 levels of nesting"),
    ("{a: " * 65 + "1" + "}" * 65, (1, 257), "more than 64 levels of nesting"),
    ("a: b: c\n", (1, 5), "this is not YAML: mapping values are not allowed here"),
    (b"a: 1\nb: \xff\n", (2, 4), "the file is not UTF-8"),
    ("a: 1\n".encode("utf-16"), (1, 1), "the file is not UTF-8"),
    ("a: 1\n".encode("utf-16-le"), (1, 2), "a NUL"),
]


@pytest.mark.parametrize("text, position, problem", REFUSED)
def test_what_is_refused_is_named_with_its_line_and_column(text, position, problem):
    with pytest.raises(InputError) as caught:
        load(text, "f.yaml")
    assert (Place("f.yaml", *position), problem) == (caught.value.place, caught.value.problem)


REMEDIES = [
    ("a: b: c\n", 'Put a value that holds ": " in quotes, or mend the indentation.'),
    ("a: @b\n", "Put the value in quotes."),
    ('a: "\\q"\n', "Write the value between single quotes, or double the backslash."),
    ("a: [1, 2\nb: 3\n", "Close the bracket, or write the comma that is missing."),
    ("a: 'x\n", "Close the quote."),
    ("a: 1\nword\nb: 2\n", "Write a colon and a space after the key."),
    ("a:\n  - 1\n b: 2\n", "Mend the indentation and the quotes of this line, or of the line before it."),
    ("a: 1\nb: 2\na: 3\n", "Keep this or line 1."),
    ("a: *x\n", "Write the value out; put it in quotes if it begins with *."),
]


@pytest.mark.parametrize("text, remedy", REMEDIES)
def test_a_refusal_says_what_to_write(text, remedy):
    with pytest.raises(InputError) as caught:
        load(text, "f.yaml")
    assert remedy == caught.value.remedy


def test_64_levels_of_nesting_are_read():
    assert json.loads("[" * 64 + "]" * 64) == load("[" * 64 + "]" * 64, "f.yaml").value


def test_a_byte_order_mark_is_no_part_of_the_first_key():
    expected = {"a": 1}
    assert expected == load(b"\xef\xbb\xbfa: 1\n", "f.yaml").value


TEXT = "a:\n  b/c: [1, {d~e: x}]\n  list:\n    - first\n    -   second\nempty:\n"
PLACES = [
    ("", (1, 1), (1, 1)),
    ("/a", (2, 3), (1, 1)),
    ("/a/b~1c", (2, 8), (2, 3)),
    ("/a/b~1c/0", (2, 9), (2, 9)),
    ("/a/b~1c/1/d~0e", (2, 18), (2, 13)),
    ("/a/list/1", (5, 9), (5, 9)),
    ("/empty", (6, 7), (6, 1)),
    ("/a/absent/deeper", (2, 3), (2, 3)),
]


@pytest.mark.parametrize("at, value, key", PLACES)
def test_a_json_pointer_leads_to_the_place_of_the_value_and_of_the_key(at, value, key):
    document = load(TEXT, "f.yaml")
    assert (Place("f.yaml", *value), Place("f.yaml", *key)) == (document.place(at), document.key_place(at))


def test_a_path_is_escaped_into_a_json_pointer():
    expected = "/a~1b/0/c~0d"
    assert expected == pointer(["a/b", 0, "c~d"])


def test_a_file_is_read_with_its_path_as_the_place(tmp_path):
    path = tmp_path / "f.yaml"
    path.write_text("a: 1\n")
    assert Place(str(path), 1, 4) == read(path).place("/a")


def test_a_file_that_is_absent_is_an_input_error(tmp_path):
    with pytest.raises(InputError) as caught:
        read(tmp_path / "absent.yaml")
    expected = "there is no such file"
    assert expected == caught.value.problem


def test_a_folder_is_an_input_error(tmp_path):
    with pytest.raises(InputError) as caught:
        read(tmp_path)
    expected = "the file cannot be read: Is a directory"
    assert expected == caught.value.problem


def line_or_value(text):
    try:
        return load(text, "f.yaml").value
    except InputError as error:
        return error.place.line


@given(
    strategies.text() | strategies.text(alphabet="ab:-[]{}#&*!|>'\"\\%@`,? \n0123456789xuU~.<") | strategies.binary()
)
def test_any_input_is_a_document_or_an_input_error(text):
    assert line_or_value(text) is not None


PRINTABLE = strategies.text(alphabet="aZ09:-[]{}#&*!|>'\"\\%@`,? ~.</é中😀", max_size=30)
JSON_VALUES = strategies.recursive(
    strategies.none()
    | strategies.booleans()
    | strategies.integers()
    | strategies.floats(allow_nan=False, allow_infinity=False)
    | PRINTABLE,
    lambda inner: strategies.lists(inner, max_size=4) | strategies.dictionaries(PRINTABLE, inner, max_size=4),
    max_leaves=8,
)


@given(strategies.dictionaries(PRINTABLE, JSON_VALUES, min_size=1, max_size=4))
def test_json_is_read_as_json_reads_it(value):
    text = json.dumps(value, ensure_ascii=False, indent=1)
    assert json.loads(text) == load(text, "f.yaml").value


SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["count"],
    "properties": {
        "count": {"type": "integer", "minimum": 1, "description": "How many.", "examples": [3]},
        "share": {"type": "number", "exclusiveMinimum": 0},
        "kind": {"enum": ["one", "two"]},
        "text": {"type": ["string", "array"], "minLength": 1},
        "word": {"type": "string", "pattern": "^[a-z]+$"},
        "list": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
        "named": {"type": "object", "propertyNames": {"pattern": "^[a-z]+$"}},
        "even": {"format": "even"},
    },
}
RULES = {"even": lambda text: Complaint("it is odd", "Write an even number.") if len(text) % 2 else None}
KNOWN = "Known: count, even, kind, list, named, share, text, word."
VIOLATIONS = [
    ("count: 3\neven: ab\n", None),
    ("count: 0\n", "f:1:8: count is less than 1\n  How many. For example: count: 3"),
    (
        "count: 1.0\n",
        "f:1:8: count is a number, and a whole number is wanted\n  How many. For example: count: 3",
    ),
    (
        "count: true\n",
        "f:1:8: count is true or false, and a whole number is wanted\n  How many. For example: count: 3",
    ),
    ("share: 1\n", "f:1:1: the key count is missing\n  How many. For example: count: 3"),
    ("count: 1\nshare: 0\n", "f:2:8: share is not more than 0\n  Mend it as the schema says."),
    ("count: 1\nkind: six\n", "f:2:7: kind is none of one, two\n  Mend it as the schema says."),
    (
        "count: 1\ntext: 4\n",
        "f:2:7: text is a whole number, and a string or a list is wanted\n  Mend it as the schema says.",
    ),
    ("count: 1\ntext: ''\n", "f:2:7: text is empty\n  Mend it as the schema says."),
    (
        'count: 1\nword: "a\\n"\n',
        "f:2:7: word does not have the form that is wanted\n  Mend it as the schema says.",
    ),
    (
        "count: 1\nlist: [a, 2]\n",
        "f:2:11: the value is a whole number, and a string is wanted\n  Mend it as the schema says.",
    ),
    ("count: 1\nlist: [a, b, c]\n", "f:2:7: list breaks the rule maxItems\n  Mend it as the schema says."),
    (
        "count: 1\nnamed: {a: 1, B: 2}\n",
        "f:2:15: this name does not have the form that is wanted\n  Mend it as the schema says.",
    ),
    (
        "count: 1\ncuont: 2\n",
        f'f:2:1: the key "cuont" is unknown\n  Did you mean count? {KNOWN}',
    ),
    ("cuont: 1\n", 'f:1:1: the key "cuont" is unknown\n  Did you mean count? ' + KNOWN),
    ("count: 1\neven: abc\n", "f:2:7: it is odd\n  Write an even number."),
    ("[]", "f:1:1: the value is a list, and a mapping is wanted\n  Mend it as the schema says."),
]


@pytest.mark.parametrize("text, expected", VIOLATIONS)
def test_a_violation_of_a_schema_is_said_in_words_at_its_place(text, expected):
    found = [str(error) for error in violations(load(text, "f"), SCHEMA, RULES)]
    assert ([] if expected is None else [expected]) == found


CREDENTIALS = [
    ("sk-0123456789abcdef", True),
    ("Bearer ghp_abcdefgh1234", True),
    ("AIzaSyAbcdefgh", True),
    ("eyJhbGciOiJI", True),
    ("a1b2c3d4e5f6a7b8", True),
    ("TOOKEN_API_KEY", False),
    ("prompt-caching-2024-07-31", False),
    ("application/vnd.example.v1+json", False),
    ("sk-SK", False),
    ("task-identifier", False),
    ("choices.finish_reason.values", False),
]


@pytest.mark.parametrize("text, expected", CREDENTIALS)
def test_what_may_be_a_credential_is_known_by_its_form(text, expected):
    assert expected == looks_like_credential(text)


NAMES = [
    ("count", '"count"'),
    ("sk-0123456789abcdef", "of 19 characters"),
    ("a" * 61, "of 61 characters"),
    ("a\x1b[2J", "of 5 characters"),
    ("a\u202eb", "of 3 characters"),
]


@pytest.mark.parametrize("name, expected", NAMES)
def test_a_name_that_is_long_or_unprintable_or_a_key_is_not_repeated(name, expected):
    assert expected == quoted(name)
