"""A structured answer: which JSON its text holds, and whether that keeps the schema that was sent.

The schema is somebody else's and the text is the endpoint's, so sizes, depth and steps are bounded, and nothing is
ever fetched. What cannot be decided within these bounds is not decided.
"""

from __future__ import annotations

import json
import re
import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from jsonschema import Draft7Validator, Draft202012Validator, validators
from jsonschema.exceptions import SchemaError, ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable

from chatconform.model import JsonObject, JsonValue
from chatconform.wire import strict_json
from chatconform.wire.strict_json import Document

MAX_SCHEMA, MAX_TEXT = 65_536, 262_144
"""The longest schema that is compiled, and the longest text that is read, in characters."""
MAX_STEPS: Final = 50_000
"""How many keywords are tried on one text."""
MAX_NESTED: Final = 80
"""How many keywords may be tried within one another: Python's own limit is met within other people's code."""
MAX_LEVELS: Final = 32
"""How deep a schema may be nested."""
MAX_PARTS: Final = 1_000
"""How many keywords a schema may have, and how many objects: its own metaschema takes a millisecond for each."""
MAX_VIOLATIONS: Final = 20
MAX_WANT: Final = 120
"""Characters of a broken keyword that a finding shows."""

_UNDECIDED: Final = frozenset((
    "pattern", "patternProperties", "unevaluatedProperties", "unevaluatedItems", "$dynamicRef", "$recursiveRef",
    "nullable", "dependencies",
))  # fmt: skip
"""Keywords whose work has no bound, or on whose meaning validators differ."""
_MOST_TYPES: Final = 7
"""How many types JSON Schema knows."""
_MOST_EXACT: Final = 2**53
"""Up to here a floating-point number counts exactly."""
_IN_OTHERS_CODE: Final = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What jsonschema raises where a reference leads to what is no schema."""
_DIALECTS: Final[Mapping[JsonValue, Any]] = {
    None: Draft202012Validator,
    "https://json-schema.org/draft/2020-12/schema": Draft202012Validator,
    "http://json-schema.org/draft-07/schema": Draft7Validator,
    "http://json-schema.org/draft-07/schema#": Draft7Validator,
}
"""By `$schema`; no other dialect is decided on."""
_IDENTIFIER = re.compile(r"[\w.:/#?=&%+~-]*")
_NAMED: Final = ("properties", "$defs", "definitions", "dependentSchemas")
"""Keywords whose members are names and not keywords."""
_FENCE = "```"
_LANGUAGE: Final = string.ascii_letters + string.digits + "+-_"
"""What the word after an opening fence is made of."""
_PART_OF_WORD = re.compile(rb"-?[a-z]{0,4}\s*")


@dataclass(frozen=True, slots=True)
class Reading:
    """The text of an answer that is asked to be JSON. `is_json` is strict: NaN is none."""

    document: Document
    is_json: bool
    is_fenced: bool
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Violation:
    """A value of the text that breaks a keyword of the schema that was sent."""

    at: str
    got: JsonValue
    want: str


@lru_cache(maxsize=16)
def read(text: str) -> Reading:
    """Return what a text is: JSON, JSON within a Markdown fence, the beginning of JSON, or neither."""
    data = text.encode("utf-8", "replace")
    document = strict_json.parse(data)
    is_json = document.fault is None and not document.constants
    return Reading(document, is_json, not is_json and _is_fenced(text.strip()), _is_cut(data, document))


def _is_fenced(text: str) -> bool:
    """Whether an object or an array stands within a Markdown fence, which may lack its end."""
    if not text.startswith(_FENCE):
        return False
    inside = text.removeprefix(_FENCE).removesuffix(_FENCE).lstrip(_LANGUAGE)
    return isinstance(strict_json.parse(inside.encode("utf-8", "replace")).value, dict | list)


def _is_cut(data: bytes, document: Document) -> bool:
    """Whether an object or an array begins, and the text ends before it does."""
    fault = document.fault
    if fault is None or data.lstrip()[:1] not in (b"{", b"["):
        return False
    return fault.problem.startswith("Unterminated string") or bool(_PART_OF_WORD.fullmatch(data, fault.offset))


class _TooMuchError(Exception):
    """Holding a text against a schema takes more steps than it may."""


class Sent:
    """A schema that was sent, ready to hold texts against. Not safe to share between threads."""

    def __init__(self, schema: JsonObject) -> None:
        """Compile a schema. Raises `SchemaError` where it is none."""
        self._steps = self._nested = 0
        standard = _DIALECTS[_dialect(schema)]
        standard.check_schema(schema)
        keywords = {name: self._counting(name, keyword) for name, keyword in standard.VALIDATORS.items()}
        extended = validators.extend(standard, keywords)  # type: ignore[no-untyped-call]
        self._validator = extended(schema, registry=Registry())

    def violations(self, value: JsonValue) -> tuple[Violation, ...] | None:
        """Return what a value breaks, at most the first twenty; None where that cannot be found out."""
        self._steps = self._nested = 0
        try:
            found = islice(self._validator.iter_errors(value), MAX_VIOLATIONS)
            return tuple(_violation(error) for error in found)
        except (_TooMuchError, RecursionError, Unresolvable, *_IN_OTHERS_CODE):
            return None

    def _counting(self, name: str, keyword: Callable[..., Iterator[ValidationError] | None]) -> Callable[..., Any]:
        def examine(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:  # noqa: ANN401
            every_pair = len(instance) ** 2 if name == "uniqueItems" and isinstance(instance, list) else 0
            self._steps += 1 + every_pair + (len(value) if name == "enum" else 0)
            if self._steps > MAX_STEPS or self._nested >= MAX_NESTED:
                raise _TooMuchError
            self._nested += 1
            try:
                yield from keyword(validator, value, instance, schema) or ()
            finally:
                self._nested -= 1

        return examine


def _violation(error: ValidationError) -> Violation:
    wanted = (
        error.message if error.validator == "required" else f"{error.validator}: {json.dumps(error.validator_value)}"
    )
    got: Any = error.instance
    return Violation(strict_json.pointer(tuple(error.absolute_path)), got, wanted[:MAX_WANT])


@lru_cache(maxsize=32)
def compiled(schema: str) -> Sent | None:
    """Return a schema made ready, given as JSON; None where it is no schema, or one that cannot be decided on."""
    document = strict_json.parse(schema.encode("utf-8", "replace"))
    value = document.object
    if value is None or len(schema) > MAX_SCHEMA or _dialect(value) not in _DIALECTS:
        return None
    if _levels(value) > MAX_LEVELS or schema.count("{") > MAX_PARTS:
        return None
    keywords = list(islice(_keywords(value), MAX_PARTS + 1))
    if len(keywords) > MAX_PARTS or any(map(_is_undecided, keywords)):
        return None
    try:
        return Sent(value)
    except (SchemaError, RecursionError, Unresolvable, *_IN_OTHERS_CODE):
        return None


def held(schema: JsonObject, text: str) -> tuple[Violation, ...] | None:
    """Return what the JSON of a text breaks of a schema; None where that cannot be decided."""
    return _held(json.dumps(schema), text)


@lru_cache(maxsize=16)
def _held(schema: str, text: str) -> tuple[Violation, ...] | None:
    sent, document = compiled(schema), read(text).document
    return sent.violations(document.value) if sent and document.readable else None


def _levels(value: JsonValue) -> int:
    """Return how deep a value is nested."""
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_levels, members), default=0)


def _dialect(schema: JsonObject) -> str | None:
    """Return `$schema`, and something that is no dialect where it is no text."""
    named = schema.get("$schema")
    return named if named is None or isinstance(named, str) else ""


def _keywords(value: JsonValue, *, are_names: bool = False) -> Iterator[tuple[str, JsonValue]]:
    """Yield every keyword of a schema with its value."""
    if isinstance(value, dict):
        for key, member in value.items():
            if not are_names:
                yield key, member
            yield from _keywords(member, are_names=not are_names and key in _NAMED)
    elif isinstance(value, list):
        for item in value:
            yield from _keywords(item)


def _is_undecided(keyword: tuple[str, JsonValue]) -> bool:
    """Whether a keyword keeps a schema from being decided on: a reference out of it, and work without a bound."""
    name, value = keyword
    if name == "$ref":
        return not (isinstance(value, str) and value.startswith("#"))
    if name == "$id":
        return not (isinstance(value, str) and _IDENTIFIER.fullmatch(value))
    if name == "multipleOf":
        return not (isinstance(value, int) and value <= _MOST_EXACT)
    if name == "type" and isinstance(value, list):
        return len(value) > _MOST_TYPES
    return name in _UNDECIDED
