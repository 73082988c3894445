"""One annotated JSON Schema: which clauses a value keeps, which it breaks, and how often each was examined.

The keywords are jsonschema's, extended in three ways: each annotated keyword counts the instances that it
examined, `required` names the one property that is missing, and 1.0 is no integer (JSON Schema's own
definition lets it pass; clients written in Go, Rust and Java do not).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError

from chatconform.model import Basis, Clause, InputError, JsonObject, JsonValue, Level, Place

ANSWER_KEYWORDS: Final = (
    "type", "const", "enum", "required", "properties", "items", "minimum", "maximum", "minLength", "minItems",
    "$ref", "$defs",
)  # fmt: skip
"""What an answer's schema may use: of these an error always leads back to one clause."""
REQUEST_KEYWORDS: Final = (*ANSWER_KEYWORDS, "maxItems", "maxLength", "additionalProperties", "default")
CLAUSED: Final = (
    "type", "const", "enum", "required", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems",
)  # fmt: skip
"""The keywords that constrain, and so carry a clause."""
HEAD_KEYWORDS: Final = ("$schema", "$id", "title", "x-document", "x-promises", "x-clauses")

MAX_SHAPES = 4096
"""How many shapes a schema remembers."""

_TYPE_NAMES = {"null": "null", "boolean": "true or false", "integer": "an integer", "number": "a number",
               "string": "a string", "array": "an array", "object": "an object"}  # fmt: skip


_STANDARD: Any = Draft202012Validator
"""The keywords and the type checker as JSON Schema defines them; jsonschema's stubs do not describe them."""


class _Absent:
    """Stands for a member that is not there."""

    def __repr__(self) -> str:
        return "nothing"


ABSENT: Final = _Absent()


@dataclass(frozen=True, slots=True)
class Violation:
    """A constraint that a value breaks. `clause` is None where the keyword has none (`additionalProperties`)."""

    clause: Clause | None
    keyword: str
    path: tuple[str | int, ...]
    got: JsonValue | _Absent
    want: str


@dataclass(frozen=True, slots=True)
class Examination:
    """How many instances each clause examined in a value, by clause id, and what it found."""

    counts: Mapping[str, int]
    violations: tuple[Violation, ...]


Groups: TypeAlias = tuple[tuple[tuple[int, ...], tuple[str, ...]], ...]
"""The clauses that have the same counts, value by value, beside these."""


@dataclass(frozen=True, slots=True)
class Sums:
    """What clauses say of several values: by how often each examined each value; how often each was broken by each."""

    counts: Groups
    broken: Mapping[str, tuple[int, ...]]


_Keyword = Callable[[Any, Any, Any, Any], Iterator[ValidationError] | None]


class Schema:
    """A schema made ready to examine many values. Not safe to share between threads.

    `circumstances` are the members of a request, and their values, upon which some clause depends.
    """

    def __init__(self, document: JsonObject, file: str) -> None:
        self.document = document
        self.file = file
        head = document.get("x-document")
        self.source: str | None = str(head["file"]) if isinstance(head, dict) and "file" in head else None
        self.clauses: dict[str, Clause] = {}
        for _, _, note in clause_notes(document):
            clause = self.clause(note)
            self.clauses.setdefault(clause.id, clause)
        self._counts: Counter[str] = Counter()
        self._of_shape: dict[Hashable, Examination] = {}
        self.circumstances = tuple(
            {(key, values): None for clause in self.clauses.values() for key, values in clause.when.items()}
        )
        checker = _STANDARD.TYPE_CHECKER.redefine("integer", _is_integer)
        keywords = {name: self._counting(name, _keyword(name)) for name in CLAUSED if name != "required"}
        self._validator = validators.extend(  # type: ignore[no-untyped-call]
            _STANDARD, {**keywords, "required": self._required}, type_checker=checker
        )(document)

    def clause(self, note: JsonObject) -> Clause:
        """Return the clause that an annotation states. Raises `InputError` where it states none."""
        try:
            basis = Basis(str(note["basis"])) if "basis" in note else None
            when = note.get("when")
            cites = note.get("cites")
            return Clause(
                id=str(note["id"] if "id" in note else note["check"]),
                level=basis.level if basis else Level(str(note["level"])),
                says=str(note["says"]),
                basis=basis,
                document=self.source,
                lines=str(note["lines"]) if "lines" in note else None,
                digest=str(note["digest"]) if "digest" in note else None,
                cites=tuple(map(str, cites)) if isinstance(cites, list) else (),
                when={key: tuple(values) for key, values in when.items() if isinstance(values, list)}
                if isinstance(when, dict)
                else {},
            )
        except (KeyError, ValueError) as error:
            raise InputError(
                Place(self.file),
                f"a clause is not whole: {error} ({note})",
                "run `chatconform lint` on the schemas",
            ) from None

    def sums(self, shapes: Sequence[Hashable], values: Sequence[JsonValue]) -> Sums:
        """Return what the clauses say of values of these shapes: counts, to be multiplied by how many there are."""
        examinations = [self.examine_shape(shape, value) for shape, value in zip(shapes, values, strict=True)]
        by_counts: dict[tuple[int, ...], list[str]] = {}
        for name in dict.fromkeys(name for examination in examinations for name in examination.counts):
            counts = tuple(examination.counts.get(name, 0) for examination in examinations)
            by_counts.setdefault(counts, []).append(name)
        found = [Counter(each.clause.id for each in one.violations if each.clause) for one in examinations]
        broken = {
            name: tuple(each[name] for each in found) for name in dict.fromkeys(name for one in found for name in one)
        }
        return Sums(tuple((counts, tuple(alike)) for counts, alike in by_counts.items()), broken)

    def examine_shape(self, shape: Hashable, value: JsonValue) -> Examination:
        """Return what the clauses say of a value of this shape; each shape is examined once."""
        found = self._of_shape.get(shape)
        if found is None:
            if len(self._of_shape) >= MAX_SHAPES:
                self._of_shape.clear()
            found = self._of_shape[shape] = self.examine(value)
        return found

    def examine(self, value: JsonValue) -> Examination:
        """Return what the clauses say of a value."""
        self._counts.clear()
        violations = tuple(self._violation(error) for error in self._validator.iter_errors(value))
        return Examination(dict(self._counts), violations)

    def _violation(self, error: ValidationError) -> Violation:
        keyword, value, instance = str(error.validator), _json(error.validator_value), _json(error.instance)
        note = _note(error.schema, keyword, value)
        path = tuple(error.absolute_path)
        missing = keyword == "required"
        return Violation(
            clause=self.clauses.get(str(note["id"])) if note else None,
            keyword=keyword,
            path=(*path, str(value)) if missing else path,
            got=ABSENT if missing else instance,
            want=wanted(keyword, value),
        )

    def _counting(self, name: str, keyword: _Keyword) -> _Keyword:
        def counted(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
            if name != "type" and not _has_its_type(validator, instance, schema):
                return
            note = _note(schema, name, value)
            if note and _examines(validator, name, instance):
                self._counts[str(note["id"])] += 1
            yield from keyword(validator, value, instance, schema) or ()

        return counted

    def _required(self, validator: Any, properties: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        if not validator.is_type(instance, "object"):
            return
        for name in properties:
            note = _note(schema, "required", name)
            if note:
                self._counts[str(note["id"])] += 1
            if name not in instance:
                yield ValidationError(f"{name} is missing", validator_value=name)


def _json(value: Any) -> JsonValue:
    """Name the type of what jsonschema gives back: it is what the instance or the schema held."""
    known: JsonValue = value
    return known


def _keyword(name: str) -> _Keyword:
    keyword: _Keyword = _STANDARD.VALIDATORS[name]
    return keyword


def _is_integer(_checker: object, instance: object) -> bool:
    return isinstance(instance, int) and not isinstance(instance, bool)


def _has_its_type(validator: Any, instance: Any, schema: Any) -> bool:
    """Whether the instance has the type that the schema names: one wrong type is one finding, not two."""
    types = schema.get("type", ())
    return not types or any(
        validator.is_type(instance, name) for name in ([types] if isinstance(types, str) else types)
    )


def _examines(validator: Any, keyword: str, instance: Any) -> bool:
    """Whether a keyword says anything of an instance of this type (JSON Schema validation, section 6)."""
    applies = {"minimum": "number", "maximum": "number", "minLength": "string", "maxLength": "string",
               "minItems": "array", "maxItems": "array"}  # fmt: skip
    return keyword not in applies or bool(validator.is_type(instance, applies[keyword]))


def _note(schema: Any, keyword: str, value: Any) -> JsonObject | None:
    """Return the annotation of a keyword, and for `required` of the one property."""
    note = schema.get("x-clauses", {}).get(keyword)
    return note.get(value) if keyword == "required" and isinstance(note, dict) else note


def wanted(keyword: str, value: JsonValue) -> str:
    """Say what a keyword asks for."""
    if keyword == "type":
        names = [str(name) for name in value] if isinstance(value, list) else [str(value)]
        return " or ".join(_TYPE_NAMES.get(name, name) for name in names)
    if keyword == "enum" and isinstance(value, list):
        return "one of " + ", ".join("null" if item is None else str(item) for item in value if item != "")
    phrases = {
        "const": f"{value}",
        "required": f"a member {value}",
        "minimum": f"at least {value}",
        "maximum": f"at most {value}",
        "minLength": f"at least {value} character" + "s" * (value != 1),
        "maxLength": f"at most {value} characters",
        "minItems": f"at least {value} item" + "s" * (value != 1),
        "maxItems": f"at most {value} items",
        "additionalProperties": "no member that is not listed",
    }
    return phrases.get(keyword, f"{keyword} {value}")


def clause_notes(
    schema: JsonValue, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], str, JsonObject]]:
    """Yield every clause of a schema: the path of its subschema, the keyword (`required/<name>`), the annotation."""
    if not isinstance(schema, dict):
        return
    clauses = schema.get("x-clauses")
    for keyword, note in (clauses if isinstance(clauses, dict) else {}).items():
        if keyword == "required" and isinstance(note, dict):
            yield from ((path, f"required/{name}", each) for name, each in note.items() if isinstance(each, dict))
        elif isinstance(note, dict):
            yield path, keyword, note
    for name, inner in subschemas(schema):
        yield from clause_notes(inner, (*path, *name))


def subschemas(schema: JsonObject) -> Iterator[tuple[tuple[str, ...], JsonObject]]:
    """Yield the schemas directly within a schema, with the steps that lead to them."""
    for keyword in ("properties", "$defs"):
        members = schema.get(keyword)
        if isinstance(members, dict):
            yield from (((keyword, name), inner) for name, inner in members.items() if isinstance(inner, dict))
    items = schema.get("items")
    if isinstance(items, dict):
        yield ("items",), items
