"""A contract: the schemas of one folder, the clauses in them, and the promises at their heads."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache, cached_property
from pathlib import Path

from chatconform import resources
from chatconform.contracts.schema import Schema, clause_notes
from chatconform.contracts.shape import Alphabet
from chatconform.exhibits import ContractDigest
from chatconform.model import OPENAI, Clause, InputError, JsonObject, JsonValue, Level, Place
from chatconform.wire import strict_json

_NOT_REFUSED = "What keeps to this is not refused:"


class Kind(StrEnum):
    """What a schema of a contract describes; also the name of its file."""

    REQUEST = "request"
    RESPONSE = "response"
    CHUNK = "chunk"
    ERROR = "error"
    MODELS = "models"


@dataclass(frozen=True, eq=False)
class Contract:
    """The schemas of one folder of schemas/, read."""

    id: str
    schemas: Mapping[Kind, Schema]

    @cached_property
    def clauses(self) -> Mapping[str, Clause]:
        """Every clause on answers, by id. A request schema never accuses, so its clauses are not among them."""
        found: dict[str, Clause] = {}
        for kind, schema in self.schemas.items():
            if kind is not Kind.REQUEST:
                found = {**schema.clauses, **found}
        return found

    @cached_property
    def promises(self) -> Mapping[str, Clause]:
        """What the document promises and no keyword can say, by the id of the check that decides it."""
        found: dict[str, Clause] = {}
        for schema in self.schemas.values():
            notes = schema.document.get("x-promises")
            for note in notes if isinstance(notes, list) else []:
                if isinstance(note, dict):
                    clause = schema.clause(note)
                    found.setdefault(clause.id, clause)
        return found

    @cached_property
    def requests(self) -> Mapping[str, Clause]:
        """Every clause on requests, by id, as what it promises: at the level of a refusal of what the clause allows.

        It is may where a document does not say that the ends belong to the range, or says that it depends on the
        model; of OpenAI's it is should at most, as many providers that work refuse some of what OpenAI takes.
        """
        schema = self.schemas.get(Kind.REQUEST)
        notes = {str(note["id"]): note for _, _, note in clause_notes(schema.document)} if schema else {}
        clauses = schema.clauses.values() if schema else ()
        return {
            clause.id: replace(
                clause, level=self._of_refusal(clause, notes[clause.id]), says=f"{_NOT_REFUSED} {clause.says}"
            )
            for clause in clauses
        }

    def _of_refusal(self, clause: Clause, note: JsonObject) -> Level:
        if "ends" in note or "depends" in note:
            return Level.MAY
        return Level.SHOULD if self.id == OPENAI and clause.level is Level.MUST else clause.level

    def clause(self, check: str) -> Clause | None:
        """Return the clause or the promise of this id, whether it speaks of answers or of requests."""
        return self.clauses.get(check) or self.promises.get(check) or self.requests.get(check)

    def says(self, check: str) -> bool:
        """Whether the contract has a clause on answers, or a promise, of this id."""
        return check in self.clauses or check in self.promises

    def covers(self, body: JsonValue) -> bool:
        """Whether a request stays inside the request schema.

        What only an example shows does not close a document: an example excludes nothing.
        A member that is null asks for nothing, so it is not looked at.
        """
        schema = self.schemas.get(Kind.REQUEST)
        if schema is None or not isinstance(body, dict):
            return True
        asked: JsonValue = {key: value for key, value in body.items() if value is not None}
        return not any(
            violation.clause is None or violation.clause.level is Level.MUST
            for violation in schema.examine_shape(alphabet().number(asked), asked).violations
        )


_own: list[Path] = []
"""Folders of contracts besides the shipped one."""


def look_in(folder: Path) -> bool:
    """Look for contracts in a folder too, from now on, and say whether it is there and is another than before.

    OpenAI's is always the shipped one. Raises `InputError` where such a folder has a contract of the same name.
    """
    root = folder.resolve()
    if not root.is_dir() or root in (resources.path("schemas").resolve(), *_own):
        return False
    for name in _documents(root):
        if any(name in _documents(other) for other in _own):
            raise InputError(Place(str(folder / name)), "is the second contract of this name", "name it otherwise")
    _own.append(root)
    for reading in (alphabet, load, digest):
        reading.cache_clear()
    return True


def _documents(root: Path) -> tuple[str, ...]:
    return tuple(name for name in names(root) if name != OPENAI)


def names(folder: Path | None = None) -> tuple[str, ...]:
    """Return the contracts that there are: in a folder, or without it the shipped ones and those beside them."""
    if folder is None:
        return tuple(sorted({*names(resources.path("schemas")), *(name for root in _own for name in _documents(root))}))
    return tuple(sorted(entry.name for entry in folder.iterdir() if (entry / "response.schema.json").is_file()))


def root_of(name: str) -> Path:
    """Return the folder that holds a contract's folder: one's own before the shipped one."""
    return next((root for root in _own if name in _documents(root)), resources.path("schemas"))


def examples(name: str) -> Path:
    """Return where the examples that a document prints are recorded; the folder need not be there."""
    root, relative = root_of(name), f"recordings/{name}/document"
    return root.parent / relative if root in _own else resources.path(relative)


def of_requests(name: str | None) -> Contract:
    """Return the contract that says what may be asked: the document's of this name, or OpenAI's where it does not."""
    own = load(name or OPENAI)
    return own if Kind.REQUEST in own.schemas else load(OPENAI)


@cache
def alphabet() -> Alphabet:
    """Return the strings and bounds that all contracts name: one notion of shape serves them all."""
    read_ = (load(name) for name in names())
    return Alphabet(schema.document for contract in read_ for schema in contract.schemas.values())


@cache
def load(name: str, folder: Path | None = None) -> Contract:
    """Read a contract. Raises `InputError` for an unknown name or a file that is no schema."""
    root = folder or root_of(name)
    if name not in names(root):
        raise InputError(Place(str(root)), f"there is no contract {name!r}", "name one of " + ", ".join(names(folder)))
    files = {kind: root / name / f"{kind}.schema.json" for kind in Kind}
    return Contract(name, {kind: Schema(read(path), str(path)) for kind, path in files.items() if path.is_file()})


@cache
def digest(name: str) -> ContractDigest:
    """Return what tells this state of a contract from another: the SHA-256 of its files, one after the other.

    Raises `InputError` for an unknown name.
    """
    contract = load(name)
    files = (root_of(name) / name / f"{kind}.schema.json" for kind in Kind)
    data = b"".join(file.read_bytes() for file in files if file.is_file())
    heads = (schema.document.get("x-document") for schema in contract.schemas.values())
    document: JsonObject = next((head for head in heads if isinstance(head, dict)), {})
    page, page_sha256 = (None if value is None else str(value) for value in map(document.get, ("file", "sha256")))
    clauses = len({*contract.clauses, *contract.promises, *contract.requests})
    return ContractDigest(hashlib.sha256(data).hexdigest(), clauses, page, page_sha256)


def read(path: Path) -> JsonObject:
    """Return a schema file's JSON object. Raises `InputError` with the place."""
    data = path.read_bytes()
    document = strict_json.parse(data)
    if document.fault:
        where = place(path, data, document.fault.offset)
        raise InputError(where, f"is not JSON: {document.fault.problem}", "mend the file")
    if document.limit:
        raise InputError(Place(str(path)), f"is beyond the limit of {document.limit}", "mend the file")
    if document.object is None:
        raise InputError(Place(str(path)), "is no JSON object", "a schema is a JSON object")
    return document.object


def place(path: Path, data: bytes, offset: int) -> Place:
    """Return the line and the column, in characters, of a byte of a file."""
    start = data.rfind(b"\n", 0, offset) + 1
    column = len(data[start:offset].decode("utf-8", "replace")) + 1
    return Place(str(path), data.count(b"\n", 0, offset) + 1, column)
