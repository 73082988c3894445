"""YAML without surprises: JSON values, and the place of every key and every value.

PyYAML scans and parses; what the words mean is decided here. Only `true` and `false` are booleans, only what
JSON calls a number is a number, `null`, `~` and nothing are null, and everything else (dates, octal, `yes`,
`12:30`) is a string. Duplicate keys, anchors, aliases, merge keys, tags, a second document, tabs and nesting
beyond 64 are refused. No message repeats a value of the file, since a value may be a credential.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, TypeAlias

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend

from chatconform.model import InputError, JsonObject, JsonValue, Place

MAX_DEPTH = 64
"""How many mappings and lists may stand inside each other, the outermost included."""

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WORDS: dict[str, JsonValue] = {"true": True, "false": False, "null": None, "~": None, "": None}
_MAX_DIGITS = 4300
_CREDENTIAL = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"(?:sk|pk|ghp|gho|hf|gsk|glpat|xox[a-z])[-_][A-Za-z0-9_-]{8}"
    r"|AIza[A-Za-z0-9_-]{8}|eyJ[A-Za-z0-9_-]{8}"
    r"|(?=[A-Za-z]*[0-9])(?=[0-9]*[A-Za-z])[A-Za-z0-9]{16})"
)

_KEY = re.compile(
    r"(?<![A-Za-z0-9])(?:(?:sk|gsk|ghp|gho|glpat|xox[a-z])[-_][A-Za-z0-9_-]|AIza|eyJ)[A-Za-z0-9_+/=.-]{12,}"
)
"""What begins as only keys do, to its end."""


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML file, read: its value, and by JSON pointer (RFC 6901) where each value and each key stands."""

    file: str
    value: JsonValue
    values: Mapping[str, Place] = field(repr=False)
    keys: Mapping[str, Place] = field(repr=False)

    def place(self, pointer: str) -> Place:
        """Where the value at the pointer begins; where there is none, the nearest value that encloses it."""
        while pointer and pointer not in self.values:
            pointer = pointer.rpartition("/")[0]
        return self.values[pointer]

    def key_place(self, pointer: str) -> Place:
        """Where the key of the value at the pointer stands; of a list's item, where the item begins."""
        return self.keys.get(pointer) or self.place(pointer)


class Complaint(NamedTuple):
    """What is wrong with a value and what to write; neither repeats the value."""

    problem: str
    remedy: str


Rule: TypeAlias = Callable[[str], Complaint | None]
"""What a `format` of a schema demands of a string."""


def pointer(path: Iterable[str | int]) -> str:
    """The JSON pointer (RFC 6901) of a path of keys and indices."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def read(path: Path) -> Document:
    """The YAML file at the path. Raises InputError where it cannot be read, or as `load` does."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise InputError(Place(str(path)), "there is no such file", "Check the path.") from None
    except OSError as error:
        remedy = "Name a file that can be read."
        raise InputError(Place(str(path)), f"the file cannot be read: {error.strerror}", remedy) from None
    return load(content, str(path))


def load(text: str | bytes, file: str) -> Document:
    """The one document of a YAML text. Raises InputError for the first thing that is refused."""
    content = _decoded(text, file) if isinstance(text, bytes) else text
    if "\t" in content:
        remedy = "Write spaces; inside a string, write \\t between double quotes."
        raise InputError(_place_of(content, content.index("\t"), file), "a tab", remedy)
    try:
        reader = _Reader(content, file)
        value = reader.document()
    except yaml.reader.ReaderError as error:
        raise _unprintable(error, content, file) from None
    except yaml.MarkedYAMLError as error:
        raise _not_yaml(error, file) from None
    return Document(file, value, reader.values, reader.keys)


def _decoded(content: bytes, file: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8")
        place = _place_of(before, len(before), file)
        raise InputError(place, "the file is not UTF-8", "Save it as UTF-8.") from None


def _place_of(text: str, index: int, file: str) -> Place:
    start = text.rfind("\n", 0, index) + 1
    return Place(file, text.count("\n", 0, index) + 1, index - start + 1)


def _unprintable(error: yaml.reader.ReaderError, text: str, file: str) -> InputError:
    code = ord(error.character) if isinstance(error.character, str) else int(error.character)
    name = "a NUL" if code == 0 else f"the character U+{code:04X}, which YAML does not allow"
    remedy = f"Take it out; inside a string, write \\u{code:04x} between double quotes."
    return InputError(_place_of(text, error.position, file), name, remedy)


_SYNTAX_REMEDIES = {
    "mapping values are not allowed": 'Put a value that holds ": " in quotes, or mend the indentation.',
    "found character": "Put the value in quotes.",
    "found unknown escape": "Write the value between single quotes, or double the backslash.",
    "expected ',' or": "Close the bracket, or write the comma that is missing.",
    "found unexpected end of stream": "Close the quote.",
    "could not find expected ':'": "Write a colon and a space after the key.",
}


def _not_yaml(error: yaml.MarkedYAMLError, file: str) -> InputError:
    """PyYAML's words with our place. Its problems name single characters, never a value."""
    mark, problem = error.problem_mark, error.problem or "it cannot be parsed"
    place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
    since = f" ({error.context} from line {error.context_mark.line + 1})" if error.context_mark else ""
    remedies = (remedy for start, remedy in _SYNTAX_REMEDIES.items() if problem.startswith(start))
    remedy = next(remedies, "Mend the indentation and the quotes of this line, or of the line before it.")
    return InputError(place, f"this is not YAML: {problem}{since}", remedy)


class _Reader:
    """Builds JSON values out of PyYAML's events, and notes where each stood."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.values: dict[str, Place] = {}
        self.keys: dict[str, Place] = {}
        self._loader = yaml.SafeLoader(text)
        self._events = self._allowed(self._parsed())

    def document(self) -> JsonValue:
        event = next(self._events, None)
        if event is None or _is_nothing(event):
            problem, remedy = "the file is empty", "Write the settings, or leave the file out."
            raise InputError(Place(self.file, 1, 1), problem, remedy)
        value = self._value(event, "", 1)
        second = next(self._events, None)
        if second is not None:
            self._refuse(second, "a second document", "Keep one document in a file: remove the line ---.")
        return value

    def _parsed(self) -> Iterator[yaml.Event]:
        """PyYAML's events. It lets a ValueError through where a number in an escape names no character."""
        try:
            while self._loader.check_event():
                yield self._loader.get_event()  # type: ignore[no-untyped-call]
        except (ValueError, OverflowError):
            place = Place(self.file, self._loader.line + 1, self._loader.column + 1)
            problem = "an escape or a directive holds a number that is too large"
            raise InputError(place, problem, "Write the character itself.") from None

    def _allowed(self, events: Iterable[yaml.Event]) -> Iterator[yaml.Event]:
        """The events that carry values; aliases, anchors and tags are refused."""
        for event in events:
            if isinstance(event, yaml.AliasEvent):
                self._refuse(event, "an alias", "Write the value out; put it in quotes if it begins with *.")
            if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
                self._refuse(event, "an anchor", "Take it out; put the value in quotes if it begins with &.")
            if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag is not None:
                self._refuse(event, "a tag", "Take it out; put the value in quotes if it begins with !.")
            if isinstance(event, yaml.NodeEvent | yaml.CollectionEndEvent):
                yield event

    def _value(self, event: yaml.Event, at: str, depth: int) -> JsonValue:
        self.values[at] = self._place(event)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if depth > MAX_DEPTH:
            self._refuse(event, f"more than {MAX_DEPTH} levels of nesting", "Write it flatter.")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(at, depth)
        return self._sequence(at, depth)

    def _mapping(self, at: str, depth: int) -> JsonValue:
        entries: JsonObject = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(event)
            below = at + pointer([key])
            if key in entries:
                first = self.keys[below].line
                self._refuse(event, f"the key {quoted(key)} stands twice", f"Keep this or line {first}.")
            self.keys[below] = self._place(event)
            entries[key] = self._value(next(self._events), below, depth + 1)
        return entries

    def _sequence(self, at: str, depth: int) -> JsonValue:
        items: list[JsonValue] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._value(event, f"{at}/{len(items)}", depth + 1))
        return items

    def _key(self, event: yaml.Event) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            self._refuse(event, "a key that is a mapping or a list", "Write a plain word as the key.")
        if event.value == "<<" and event.implicit[0]:
            self._refuse(event, "a merge key", "Write the keys out.")
        return self._text(event)

    def _scalar(self, event: yaml.ScalarEvent) -> JsonValue:
        """A quoted or block scalar is a string; a plain one is what JSON's grammar says, else a string."""
        text = self._text(event)
        if not event.implicit[0]:
            return text
        if text in _WORDS:
            return _WORDS[text]
        match = _NUMBER.fullmatch(text)
        return self._number(event, text, is_whole=match.group(1, 2) == (None, None)) if match else text

    def _number(self, event: yaml.ScalarEvent, text: str, *, is_whole: bool) -> int | float:
        if len(text) > _MAX_DIGITS or math.isinf(float(text)):
            self._refuse(event, "a number that is too large", "Write a smaller number, or put it in quotes.")
        return int(text) if is_whole else float(text)

    def _text(self, event: yaml.ScalarEvent) -> str:
        text: str = event.value
        if any("\ud800" <= character <= "\udfff" for character in text):
            self._refuse(event, "half of a surrogate pair", "Write the character itself, or \\U and 8 digits.")
        return text

    def _place(self, event: yaml.Event) -> Place:
        mark = event.start_mark
        assert mark is not None
        return Place(self.file, mark.line + 1, mark.column + 1)

    def _refuse(self, event: yaml.Event, problem: str, remedy: str) -> NoReturn:
        raise InputError(self._place(event), problem, remedy)


def _is_nothing(event: yaml.Event) -> bool:
    return isinstance(event, yaml.ScalarEvent) and event.implicit[0] and _WORDS.get(event.value, "") is None


def looks_like_credential(text: str) -> bool:
    """Whether a text may hold a key, so that it is kept out of every message."""
    return _CREDENTIAL.search(text) is not None


def without_keys(text: str) -> str:
    """A message without what begins as only keys do: somebody may have put one where a name belongs."""
    return _KEY.sub(lambda found: "*" * len(found[0]), text)


def quoted(name: str) -> str:
    """A name for a message, in quotes; one that is long, unprintable or may hold a key is not repeated."""
    if len(name) > 60 or not name.isprintable() or looks_like_credential(name):
        return f"of {len(name)} characters"
    return f'"{name}"'


def nearest(name: str, known: Collection[str]) -> str:
    """A question that names the known name nearest to an unknown one; empty where none is near."""
    matches = difflib.get_close_matches(name[:80], known, n=1)
    return f"Did you mean {matches[0]}? " if matches else ""


def among(name: str, known: Collection[str]) -> str:
    """What to say of an unknown name: the nearest known one, if any is near, and all that are known."""
    return f"{nearest(name, known)}Known: {', '.join(sorted(known)) or 'none'}."


def violations(document: Document, schema: Mapping[str, Any], rules: Mapping[str, Rule]) -> Iterator[InputError]:
    """What a JSON Schema (draft 2020-12) finds wrong, in no order; `rules` says what each `format` demands.

    A whole number is spelled as one (1.0 is none), and `$` in a pattern is the very end, as in ECMA-262. The
    remedy is the `description` and the first of the `examples` that stand beside the broken keyword.
    """
    for error in _validator(schema, rules).iter_errors(document.value):
        yield from _explained(_broken(error), document, rules)


@dataclass(frozen=True, slots=True)
class _Broken:
    """A broken keyword: where, what it demands, what it found, and the schema in which it stands."""

    path: tuple[str | int, ...]
    keyword: str
    wanted: Any
    found: Any
    schema: Mapping[str, Any]
    is_name: bool

    @property
    def at(self) -> str:
        return pointer(self.path)


def _broken(error: ValidationError) -> _Broken:
    return _Broken(
        path=tuple(error.absolute_path),
        keyword=str(error.validator),
        wanted=error.validator_value,
        found=error.instance,
        schema=error.schema if isinstance(error.schema, dict) else {},
        is_name="propertyNames" in error.absolute_schema_path,
    )


def _validator(schema: Mapping[str, Any], rules: Mapping[str, Rule]) -> Validator:
    def judge_format(_: object, name: str, instance: object, __: object) -> Iterator[ValidationError]:
        if isinstance(instance, str) and name in rules and rules[name](instance):
            yield ValidationError(name)

    checker = Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int)
    keywords: Mapping[str, Any] = {"format": judge_format, "pattern": _judge_pattern}
    extended: type[Validator] = extend(  # type: ignore[no-untyped-call]
        Draft202012Validator, keywords, type_checker=checker
    )
    return extended(schema)


def _judge_pattern(_: object, pattern: str, instance: object, __: object) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), instance):
        yield ValidationError(pattern)


def _explained(broken: _Broken, document: Document, rules: Mapping[str, Rule]) -> Iterator[InputError]:
    place = document.place(broken.at)
    if broken.keyword == "additionalProperties":
        yield from _unknown_keys(broken, document)
    elif broken.keyword == "required":
        yield from _missing_key(broken, document)
    elif broken.is_name:
        place = document.key_place(broken.at + pointer([broken.found]))
        yield InputError(place, f"this name {_wrong(broken)}", _remedy(broken.schema, ""))
    elif broken.keyword == "format":
        yield InputError(place, *(rules[broken.wanted](broken.found) or ("", "")))
    elif broken.path and isinstance(broken.path[-1], str):
        name = broken.path[-1]
        yield InputError(place, f"{name} {_wrong(broken)}", _remedy(broken.schema, name))
    else:
        yield InputError(place, f"the value {_wrong(broken)}", _remedy(broken.schema, ""))


def _unknown_keys(broken: _Broken, document: Document) -> Iterator[InputError]:
    known = broken.schema.get("properties", {})
    for key in broken.found:
        if key not in known:
            place = document.key_place(broken.at + pointer([key]))
            yield InputError(place, f"the key {quoted(key)} is unknown", among(key, known))


def _missing_key(broken: _Broken, document: Document) -> Iterator[InputError]:
    known = broken.schema.get("properties", {})
    # A key that is unknown beside it is reported as such, and is probably the missing one, misspelt.
    if broken.schema.get("additionalProperties") is False and not broken.found.keys() <= known.keys():
        return
    key = next(name for name in broken.wanted if name not in broken.found)
    yield InputError(document.key_place(broken.at), f"the key {key} is missing", _remedy(known.get(key, {}), key))


_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}


def _type_of(value: JsonValue) -> str:
    names = {
        type(None): "null",
        bool: "boolean",
        int: "integer",
        float: "number",
        str: "string",
        list: "array",
    }
    return _TYPES[names.get(type(value), "object")]


def _wrong(broken: _Broken) -> str:
    wanted = broken.wanted
    match broken.keyword:
        case "type":
            types = [wanted] if isinstance(wanted, str) else wanted
            return f"is {_type_of(broken.found)}, and {' or '.join(_TYPES[name] for name in types)} is wanted"
        case "enum":
            return f"is none of {', '.join(map(str, wanted))}"
        case "minimum":
            return f"is less than {wanted}"
        case "exclusiveMinimum":
            return f"is not more than {wanted}"
        case "minLength" | "minItems" | "minProperties":
            return "is empty"
        case "pattern":
            return "does not have the form that is wanted"
    return f"breaks the rule {broken.keyword}"


def _remedy(schema: Mapping[str, Any], name: str) -> str:
    """The words of the schema: what the value is, and one that would do."""
    description = str(schema.get("description", "Mend it as the schema says."))
    examples = schema.get("examples", [])
    prefix = f"{name}: " if name else ""
    return f"{description} For example: {prefix}{_as_yaml(examples[0])}" if examples else description


def _as_yaml(value: JsonValue) -> str:
    return str(yaml.safe_dump(value, default_flow_style=True, width=1000)).removesuffix("...\n").strip()
