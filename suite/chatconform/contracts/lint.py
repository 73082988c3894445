"""The lint of contracts: what schema files keep, so that each error on the wire leads back to one clause.

A rule is a generator of flaws. It stands in one of three tables: `FILE_RULES` look at one schema file,
`CONTRACT_RULES` at the files of one folder together, `DOCUMENT_RULES` hold a file against the page it cites.
A new rule is a function and a line in its table.

An id says one thing: within one file it always has the same annotation. Answers and chunks are two files, so
a sentence may differ between them (only a chunk's `model` may be null); the level is one in a whole contract.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final, TypeAlias

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from chatconform.checks import all_checks
from chatconform.contracts import contract as contracts
from chatconform.contracts.contract import Kind
from chatconform.contracts.schema import (
    ANSWER_KEYWORDS,
    CLAUSED,
    HEAD_KEYWORDS,
    REQUEST_KEYWORDS,
    clause_notes,
    subschemas,
)
from chatconform.model import OPENAI, Basis, InputError, JsonObject, JsonValue, Level, Place, Problem
from chatconform.wire import strict_json

Steps: TypeAlias = tuple[str | int, ...]
Citation: TypeAlias = tuple[Steps, JsonObject]

MAX_SENTENCE: Final = 160
"""How many characters a sentence of ours may have."""
SUFFIX: Final = ".schema.json"
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_NOT_A_CONTRACT = "chatconform"
"""The folder of schemas/ that describes the suite's own files."""
_BRANCHING = ("anyOf", "oneOf", "allOf", "not", "if", "then", "else")
_SPANS = re.compile(r"[1-9]\d*(-[1-9]\d*)?(,[1-9]\d*(-[1-9]\d*)?)*", re.ASCII)
_ID = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*){2}")


@dataclass(frozen=True, slots=True)
class Flaw:
    """What is wrong at a path of a schema file, and what to do."""

    path: Steps
    problem: str
    remedy: str


@dataclass(frozen=True, slots=True)
class SchemaFile:
    """A file of schemas/ that is JSON and a valid schema."""

    path: Path
    data: bytes
    document: JsonObject

    @property
    def contract(self) -> str:
        """The folder's name."""
        return self.path.parent.name

    @property
    def kind(self) -> str:
        """The file's name without its suffix; one of `Kind`, unless the lint says otherwise."""
        return self.path.name.removesuffix(SUFFIX)

    @property
    def is_openai(self) -> bool:
        """Whether its clauses have levels and sources, and not the lines of a document."""
        return self.contract == OPENAI

    def schemas(self) -> Iterator[tuple[Steps, JsonObject]]:
        """Yield the schema and every schema within it, with its path."""
        yield from _schemas(self.document, ())

    def clauses(self) -> Iterator[Citation]:
        """Yield every clause with its path."""
        for path, keyword, note in clause_notes(self.document):
            yield (*path, "x-clauses", *keyword.split("/", 1)), note

    def promises(self) -> Iterator[Citation]:
        """Yield every promise at the head, with its path."""
        notes = self.document.get("x-promises")
        for number, note in enumerate(notes if isinstance(notes, list) else []):
            if isinstance(note, dict):
                yield ("x-promises", number), note

    def citations(self) -> Iterator[Citation]:
        """Yield every clause and every promise, with its path."""
        yield from self.clauses()
        yield from self.promises()

    def error(self, flaw: Flaw) -> InputError:
        """Return the flaw with its line and its column, in characters."""
        span = strict_json.locate(self.data, flaw.path)
        place = contracts.place(self.path, self.data, span[0] if span else 0)
        return InputError(place, flaw.problem, flaw.remedy)


FileRule: TypeAlias = Callable[[SchemaFile], Iterator[Flaw]]
ContractRule: TypeAlias = Callable[[Sequence[SchemaFile]], Iterator[tuple[SchemaFile, Flaw]]]
DocumentRule: TypeAlias = Callable[[SchemaFile, Sequence[bytes]], Iterator[Flaw]]


def lint(folder: Path, documents: Path | None = None) -> list[Problem]:
    """Return what is wrong in the contracts of a folder of schemas, in the order of files and lines.

    `documents` is the folder of the pages that the contracts cite; without it no citation is looked up.
    Raises `InputError` where a folder is none, or `folder` holds no schema of a contract.
    """
    for given in (folder, documents):
        if given is not None and not given.is_dir():
            raise InputError(Place(str(given)), "is no folder", "name a folder that exists")
    paths = [path for path in folder.glob(f"*/*{SUFFIX}") if path.parent.name != _NOT_A_CONTRACT]
    if not paths:
        remedy = f"name the folder above the contracts: <contract>/response{SUFFIX}"
        raise InputError(Place(str(folder)), "holds no contract", remedy)
    errors = [
        error
        for contract, members in groupby(sorted(paths), lambda path: path.parent)
        for error in _contract(contract, list(members), documents)
    ]
    errors.sort(key=lambda error: (error.place.file, error.place.line or 0, error.place.column or 0, error.problem))
    return [Problem(str(error.place), error.problem, error.remedy) for error in errors]


def _contract(folder: Path, paths: Sequence[Path], documents: Path | None) -> Iterator[InputError]:
    if folder / f"{Kind.RESPONSE}{SUFFIX}" not in paths:
        remedy = "write one; its properties may be few"
        yield InputError(Place(str(folder)), f"has no response{SUFFIX}, so it is no contract", remedy)
    files: list[SchemaFile] = []
    for path in paths:
        try:
            files.append(read(path))
        except InputError as error:
            yield error
    for file in files:
        flaws = [flaw for rule in FILE_RULES for flaw in rule(file)]
        if documents is not None and not file.is_openai:
            flaws += _citations(file, documents)
        yield from map(file.error, flaws)
    for rule in CONTRACT_RULES:
        yield from (file.error(flaw) for file, flaw in rule(files))


def read(path: Path) -> SchemaFile:
    """Return a schema file. Raises `InputError` where it is no JSON object or no valid 2020-12 schema."""
    file = SchemaFile(path, path.read_bytes(), contracts.read(path))
    error = best_match(Draft202012Validator(Draft202012Validator.META_SCHEMA).iter_errors(file.document))
    if error is not None:
        flaw = Flaw(tuple(error.absolute_path), f"is no valid schema: {error.message}", "mend the keyword")
        raise file.error(flaw)
    return file


def _schemas(schema: JsonObject, path: Steps) -> Iterator[tuple[Steps, JsonObject]]:
    yield path, schema
    for steps, inner in subschemas(schema):
        yield from _schemas(inner, (*path, *steps))


# What a schema may say


def file_is_a_message(file: SchemaFile) -> Iterator[Flaw]:
    """A file is named after the message that it describes."""
    if file.kind not in list(Kind):
        kinds = ", ".join(f"{kind}{SUFFIX}" for kind in Kind)
        yield Flaw((), f"no message is called {file.kind!r}", f"name the file one of {kinds}")


def json_is_strict(file: SchemaFile) -> Iterator[Flaw]:
    """No key stands twice in one object, and no number is NaN or Infinity (RFC 8259 sections 4 and 6)."""
    document = strict_json.parse(file.data)
    for key in document.duplicate_keys:
        yield Flaw((), f"the key {key!r} stands twice in one object", "keep one of them")
    for name in document.constants:
        yield Flaw((), f"{name} is no JSON number", "write a number")


def keywords_are_known(file: SchemaFile) -> Iterator[Flaw]:
    """Only those keywords are used whose errors lead back to one clause."""
    allowed = REQUEST_KEYWORDS if file.kind == Kind.REQUEST else ANSWER_KEYWORDS
    for path, schema in file.schemas():
        here = (*allowed, *(("x-clauses",) if path else HEAD_KEYWORDS))
        yield from (Flaw((*path, word), *_misplaced(word, allowed)) for word in schema if word not in here)


def _misplaced(keyword: str, allowed: Sequence[str]) -> tuple[str, str]:
    """Say why a keyword is not allowed, and what to do."""
    if keyword in _BRANCHING:
        why = f"{keyword} loses the clause: an error within it leads back to a branch, not to one constraint"
        return why, "say it with a list of types, const, enum or required"
    if keyword in HEAD_KEYWORDS:
        return f"{keyword} stands only at the head of a file", "move it there, or take it out"
    if keyword in REQUEST_KEYWORDS:
        return f"{keyword} stands only in a request schema", "take it out"
    return f"{keyword} is no keyword of a contract", "use only " + ", ".join(allowed)


def schemas_are_objects(file: SchemaFile) -> Iterator[Flaw]:
    """No schema is true or false, which have no clause; only `additionalProperties` is false."""
    for path, schema in file.schemas():
        for keyword in ("properties", "$defs"):
            members = schema.get(keyword)
            for name, inner in members.items() if isinstance(members, dict) else ():
                if isinstance(inner, bool):
                    yield Flaw(
                        (*path, keyword, name),
                        f"the schema {_spelt(inner)} has no clause",
                        "write {} or a type",
                    )
        if isinstance(schema.get("items"), bool):
            yield Flaw((*path, "items"), f"the schema {_spelt(schema['items'])} has no clause", "write {} or a type")
        if schema.get("additionalProperties", False) is not False:
            yield Flaw(
                (*path, "additionalProperties"),
                "additionalProperties is not false",
                "write false, or nothing",
            )


def _spelt(value: JsonValue) -> str:
    return "true" if value else "false"


def references_lead_to_a_schema(file: SchemaFile) -> Iterator[Flaw]:
    """A `$ref` leads to a schema of the same file, and not round in a circle."""
    schemas = {"#" + strict_json.pointer(path): schema for path, schema in file.schemas()}
    for path, schema in file.schemas():
        reference = schema.get("$ref")
        if not isinstance(reference, str):
            continue
        if not reference.startswith("#"):
            yield Flaw((*path, "$ref"), f"$ref leaves the file: {reference}", "copy the schema into $defs")
        elif reference not in schemas:
            yield Flaw((*path, "$ref"), f"$ref leads to no schema: {reference}", "name a member of $defs")
        elif _comes_back(schemas, "#" + strict_json.pointer(path)):
            yield Flaw((*path, "$ref"), f"$ref leads round in a circle: {reference}", "let one end in a schema")


def _comes_back(schemas: Mapping[str, JsonObject], start: str) -> bool:
    """Whether following `$ref` after `$ref` leads back to the schema that it started from."""
    seen: set[str] = set()
    following: JsonValue = start
    while isinstance(following, str) and following not in seen:
        seen.add(following)
        following = schemas.get(following, {}).get("$ref")
    return following == start


def definitions_are_used(file: SchemaFile) -> Iterator[Flaw]:
    """Every definition is referred to: the clauses of another examine nothing."""
    references = {schema.get("$ref") for _, schema in file.schemas()}
    for path, _ in file.schemas():
        if path[-2:-1] == ("$defs",) and "#" + strict_json.pointer(path) not in references:
            yield Flaw(path, f"nothing refers to the definition {path[-1]}", "refer to it, or take it out")


# Clauses beside their keywords


def constraints_have_clauses(file: SchemaFile) -> Iterator[Flaw]:
    """Every constraining keyword has its clause, `required` one for each property."""
    for path, schema in file.schemas():
        for constraint, note, name in _constraints(schema):
            if not isinstance(strict_json.at(schema, note), dict):
                remedy = "write it at " + strict_json.pointer((*path, *note))
                yield Flaw((*path, *constraint), f"{name} has no clause", remedy)


def clauses_have_constraints(file: SchemaFile) -> Iterator[Flaw]:
    """Every clause stands beside the keyword that it explains."""
    for path, schema in file.schemas():
        explained = {note for _, note, _ in _constraints(schema)}
        for note in _annotated(schema):
            if note not in explained:
                remedy = "write the constraint beside it, or take it out"
                yield Flaw((*path, *note), f"the clause explains nothing: {'/'.join(note[1:]) or note[0]}", remedy)


def _constraints(schema: JsonObject) -> Iterator[tuple[Steps, Steps, str]]:
    """Yield where each constraint of a schema stands, where its clause does, and what it is called."""
    for keyword in CLAUSED:
        if keyword in schema and keyword != "required":
            yield (keyword,), ("x-clauses", keyword), keyword
    required = schema.get("required")
    for number, name in enumerate(required if isinstance(required, list) else []):
        yield ("required", number), ("x-clauses", "required", str(name)), f"required {name}"


def _annotated(schema: JsonObject) -> Iterator[tuple[str, ...]]:
    """Yield where each clause of a schema stands, well formed or not."""
    notes = schema.get("x-clauses", {})
    if not isinstance(notes, dict):
        yield ("x-clauses",)
        return
    for keyword, note in notes.items():
        if keyword == "required" and isinstance(note, dict):
            yield from (("x-clauses", keyword, name) for name in note)
        else:
            yield ("x-clauses", keyword)


# What a clause says


def clauses_are_whole(file: SchemaFile) -> Iterator[Flaw]:
    """A clause of OpenAI's has a level and sources; one of a document has a basis, lines and a digest.

    One on requests may say that the document leaves open whether the ends belong to a range, or depends on the model.
    """
    body = {"level", "cites"} if file.is_openai else {"basis", "lines", "digest"}
    clause = {"when", "ends", "depends"} if file.kind == Kind.REQUEST else {"when"}
    for path, note in file.citations():
        is_promise = path[0] == "x-promises"
        wanted = {"check" if is_promise else "id", "says", *body}
        for member in sorted(wanted - set(note)):
            yield Flaw(path, f"the clause lacks {member}", f"write {_MEMBERS[member][1]}")
        for member in sorted(set(note) - wanted - (set() if is_promise else clause)):
            yield Flaw((*path, member), f"a clause of this contract has no {member}", "take it out")


def members_have_their_form(file: SchemaFile) -> Iterator[Flaw]:
    """Each member of a clause has the form that `_MEMBERS` names."""
    for path, note in file.citations():
        for member, (is_well_formed, form) in _MEMBERS.items():
            if member in note and not is_well_formed(note[member]):
                yield Flaw((*path, member), f"{member} is {note[member]!r}", f"write {form}")


def sentences_are_plain(file: SchemaFile) -> Iterator[Flaw]:
    """A clause says one short sentence, of facts."""
    for path, note in file.citations():
        says = note.get("says")
        if isinstance(says, str) and says.strip():
            yield from (Flaw((*path, "says"), problem, remedy) for problem, remedy in _sentence(says))


def _sentence(says: str) -> Iterator[tuple[str, str]]:
    if not says.endswith("."):
        yield "the sentence does not end with a full stop", "end it with one"
    if re.search(r"[.!?]\s", says) or "\n" in says:
        yield "says holds more than one sentence", "keep one"
    if re.search(r"\bshould\b", says, re.IGNORECASE):
        yield "the sentence says should", "state a fact; the level says how much it binds"
    if len(says) > MAX_SENTENCE:
        yield f"the sentence has {len(says)} characters", f"say it in {MAX_SENTENCE}"


def ids_say_one_thing(file: SchemaFile) -> Iterator[Flaw]:
    """An id has the same annotation wherever it stands in a file; reports show the first."""
    first: dict[str, JsonObject] = {}
    for path, note in file.citations():
        name = _name(note)
        if name and first.setdefault(name, note) != note:
            remedy = "say the same in both places, or give one another id"
            yield Flaw(path, f"{name} says something else than where it stands first", remedy)


def _name(note: JsonObject) -> str | None:
    """Return the id of a clause, or the check of a promise."""
    name = note.get("id", note.get("check"))
    return name if isinstance(name, str) else None


def ids_are_not_taken(file: SchemaFile) -> Iterator[Flaw]:
    """A clause of OpenAI's has no id of a check: the two would be one verdict."""
    for path, note in file.clauses():
        if file.is_openai and _name(note) in all_checks():
            yield Flaw((*path, "id"), f"{_name(note)} is the id of a check", "choose another id")


# The head of a file


def head_names_the_file(file: SchemaFile) -> Iterator[Flaw]:
    """The head says which dialect the schema is written in, which file it is, and what it describes."""
    tail = f"/{file.contract}/{file.path.name}"
    if file.document.get("$schema") != DIALECT:
        yield Flaw(("$schema",), "$schema does not name draft 2020-12", f"write {DIALECT}")
    if not str(file.document.get("$id", "")).endswith(tail):
        yield Flaw(("$id",), "$id does not name this file", f"let it end with {tail}")
    if not str(file.document.get("title", "")).strip():
        yield Flaw(("title",), "the schema has no title", "say in a few words what it describes")


def head_names_the_document(file: SchemaFile) -> Iterator[Flaw]:
    """The head of a document's schema has the document's file name and sha256; OpenAI's has none."""
    head = file.document.get("x-document")
    if file.is_openai:
        if head is not None:
            yield Flaw(("x-document",), "OpenAI's contract rests on no one document", "take it out")
    elif not isinstance(head, dict) or set(head) != {"file", "sha256"}:
        yield Flaw(("x-document",), "x-document does not name the document", 'write {"file": …, "sha256": …}')
    else:
        if not isinstance(head["file"], str) or Path(head["file"]).name != head["file"]:
            yield Flaw(("x-document", "file"), f"file is {head['file']!r}", "write a file name without a folder")
        if not _matches(r"[0-9a-f]{64}", head["sha256"]):
            yield Flaw(("x-document", "sha256"), f"sha256 is {head['sha256']!r}", "write 64 hexadecimal digits")


def promises_name_checks(file: SchemaFile) -> Iterator[Flaw]:
    """Each promise at the head is decided by a check that exists; OpenAI's contract has none."""
    notes = file.document.get("x-promises", [])
    if not isinstance(notes, list) or not all(isinstance(note, dict) for note in notes):
        yield Flaw(("x-promises",), "x-promises is no list of objects", 'write [{"check": …}]')
    if file.is_openai and notes:
        yield Flaw(("x-promises",), "OpenAI's contract has no promises", "give the check its level in its decorator")
    for path, note in file.promises():
        if "check" in note and note["check"] not in list(all_checks()):
            remedy = "name a check of `chatconform list checks`"
            yield Flaw((*path, "check"), f"there is no check {note['check']!r}", remedy)


# The files of one contract together


def ids_have_one_level(files: Sequence[SchemaFile]) -> Iterator[tuple[SchemaFile, Flaw]]:
    """An id has one level in the whole contract: a report has one line for it."""
    first: dict[str, Level] = {}
    for file in files:
        for path, note in file.citations():
            name, level = _name(note), _level(note)
            if name and level and first.setdefault(name, level) is not level:
                remedy = "give it one level in the whole contract"
                yield file, Flaw(path, f"{name} is {level} here and {first[name]} elsewhere", remedy)


def _level(note: JsonObject) -> Level | None:
    """The level that an annotation states, or that follows from its basis."""
    if note.get("basis") in list(Basis):
        return Basis(str(note["basis"])).level
    return Level(str(note["level"])) if note.get("level") in list(Level) else None


def files_cite_one_document(files: Sequence[SchemaFile]) -> Iterator[tuple[SchemaFile, Flaw]]:
    """All schemas of a contract rest on the same version of the same document."""
    heads = [file.document.get("x-document") for file in files]
    for file, head in zip(files, heads, strict=True):
        if head != heads[0]:
            remedy = "read the newer page, then write the same x-document into every schema of the contract"
            yield (
                file,
                Flaw(("x-document",), f"x-document is another than that of {files[0].path.name}", remedy),
            )


# Citations


def _citations(file: SchemaFile, documents: Path) -> Iterator[Flaw]:
    """Hold the citations of a file against the page that its head names."""
    head = file.document.get("x-document")
    name = head.get("file") if isinstance(head, dict) else None
    if not isinstance(name, str) or Path(name).name != name:
        return
    if not (documents / name).is_file():
        yield Flaw(("x-document", "file"), f"{name} is not in {documents}", "put the page there, or mend the name")
        return
    data = (documents / name).read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if isinstance(head, dict) and head.get("sha256") != digest:
        remedy = f"read the page again, mend what it says no more, then write {digest}"
        yield Flaw(("x-document", "sha256"), f"{name} has another sha256", remedy)
    lines = data.removesuffix(b"\n").split(b"\n")
    for rule in DOCUMENT_RULES:
        yield from rule(file, lines)


def lines_are_in_the_document(file: SchemaFile, lines: Sequence[bytes]) -> Iterator[Flaw]:
    """The page has the lines that are cited."""
    for path, note, spans in _cited(file):
        if spans[-1][1] > len(lines):
            problem = f"lines {note['lines']} are cited, and the document has {len(lines)}"
            yield Flaw((*path, "lines"), problem, _moved(lines, spans, note.get("digest")))


def digests_are_those_of_the_lines(file: SchemaFile, lines: Sequence[bytes]) -> Iterator[Flaw]:
    """The digest is the first 8 hexadecimal digits of the SHA-256 of the cited lines joined by LF."""
    for path, note, spans in _cited(file):
        if spans[-1][1] <= len(lines) and note.get("digest") != _digest(lines, spans):
            problem = f"lines {note['lines']} of the document are not those that were read"
            yield Flaw((*path, "digest"), problem, _moved(lines, spans, note.get("digest")))


def _cited(file: SchemaFile) -> Iterator[tuple[Steps, JsonObject, list[tuple[int, int]]]]:
    for path, note in file.citations():
        if _ascend(note.get("lines")):
            yield path, note, _spans(str(note["lines"]))


def _spans(lines: str) -> list[tuple[int, int]]:
    """Return the first and last line of each range of `12,15-17`."""
    ends = [part.partition("-") for part in lines.split(",")]
    return [(int(first), int(last or first)) for first, _, last in ends]


def _digest(lines: Sequence[bytes], spans: Sequence[tuple[int, int]]) -> str:
    passage = b"\n".join(line for first, last in spans for line in lines[first - 1 : last])
    return hashlib.sha256(passage).hexdigest()[:8]


def _moved(lines: Sequence[bytes], spans: Sequence[tuple[int, int]], digest: JsonValue) -> str:
    """Say what to do about lines that changed: where the passage stands now, or what its digest is."""
    for by in range(1 - spans[0][0], len(lines) - spans[-1][1] + 1):
        there = [(first + by, last + by) for first, last in spans]
        if _digest(lines, there) == digest:
            found = ",".join(f"{first}-{last}" if last > first else f"{first}" for first, last in there)
            return f"the passage moved: write the lines {found}"
    if spans[-1][1] > len(lines):
        return "read the document again, then write the lines that say it and their digest"
    new = _digest(lines, spans)
    return f"read the lines again, then write the new digest {new}, or the lines that say it now"


# The forms of members


def _matches(pattern: str, value: JsonValue) -> bool:
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None


def _is_id(value: JsonValue) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _is_text(value: JsonValue) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _are_sources(value: JsonValue) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_text, value))


def _ascend(value: JsonValue) -> bool:
    """Whether a value names lines, each range after the one before it."""
    if not isinstance(value, str) or not _SPANS.fullmatch(value):
        return False
    ends = [end for span in _spans(value) for end in span]
    starts_after = all(before < after for before, after in zip(ends[1::2], ends[2::2], strict=False))
    return starts_after and all(first <= last for first, last in _spans(value))


def _lists_values(value: JsonValue) -> bool:
    return isinstance(value, dict) and bool(value) and all(isinstance(each, list) and each for each in value.values())


_MEMBERS: Final[Mapping[str, tuple[Callable[[JsonValue], bool], str]]] = {
    "id": (_is_id, "three parts in lower case, <group>.<thing>.<property>"),
    "check": (_is_text, "the id of a check"),
    "says": (_is_text, "what the clause says, in one sentence"),
    "level": (lambda value: value in list(Level), "must, should or may"),
    "cites": (_are_sources, 'a list of sources, such as ["OpenAI API reference"]'),
    "basis": (lambda value: value in list(Basis), "stated, tabled, exampled or inferred"),
    "lines": (_ascend, "lines of the document in ascending order: 12, 12-14 or 12,15-17"),
    "digest": (lambda value: _matches(r"[0-9a-f]{8}", value), "8 hexadecimal digits in lower case"),
    "when": (_lists_values, 'the values of parameters that a request has: {"model": ["auto"]}'),
    "ends": (lambda value: value == "unsaid", "unsaid: the document does not say that the ends belong to the range"),
    "depends": (lambda value: value == "model", "model: the document says that it depends on the model"),
}
"""What each member of a clause has to be, and how that is said."""

FILE_RULES: Final[tuple[FileRule, ...]] = (
    file_is_a_message,
    json_is_strict,
    keywords_are_known,
    schemas_are_objects,
    references_lead_to_a_schema,
    definitions_are_used,
    constraints_have_clauses,
    clauses_have_constraints,
    clauses_are_whole,
    members_have_their_form,
    sentences_are_plain,
    ids_say_one_thing,
    ids_are_not_taken,
    head_names_the_file,
    head_names_the_document,
    promises_name_checks,
)
CONTRACT_RULES: Final[tuple[ContractRule, ...]] = (ids_have_one_level, files_cite_one_document)
DOCUMENT_RULES: Final[tuple[DocumentRule, ...]] = (lines_are_in_the_document, digests_are_those_of_the_lines)
