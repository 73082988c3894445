"""providers.yaml: the endpoints under test. Shape: schemas/chatconform/providers.schema.json."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from chatconform import resources
from chatconform.model import OPENAI, InputError, Place, Provider, Waiver
from chatconform.strict_yaml import (
    Complaint,
    Document,
    Rule,
    among,
    looks_like_credential,
    nearest,
    pointer,
    quoted,
    read,
    violations,
    without_keys,
)
from chatconform.strict_yaml import load as parse_yaml

DEFAULT_LIMITS: Mapping[str, int] = {
    "concurrency": 2,
    "per_minute": 30,
    "requests": 120,
    "output_tokens": 8000,
    "total_s": 90,
    "idle_s": 30,
    "body_mib": 8,
}
"""What holds where providers.yaml is silent: requests, output tokens, seconds (`_s`) and MiB.

`default_limits` says what pace an endpoint of this machine has."""

UNHURRIED = 60_000
"""Requests within a minute, where nothing has to be spared."""

_FILE = "providers.yaml"
_SCHEMA = "schemas/chatconform/providers.schema.json"
_NOT_DOCUMENTS = (OPENAI, "chatconform")
_REFERENCE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")


def find(explicit: Path | None, cwd: Path) -> Path:
    """The file to read: the one that was named, else providers.yaml in `cwd`, else the packaged one.

    A relative `explicit` starts at `cwd`; where `cwd` is `Path()`, places in messages stay relative.
    Raises InputError where the named file does not exist.
    """
    if explicit is None:
        own = cwd / _FILE
        return own if own.is_file() else resources.path(_FILE)
    if not (cwd / explicit).exists():
        remedy = f"Name a file that exists, or leave --providers out: then ./{_FILE} or the packaged one is read."
        raise InputError(Place(str(explicit)), "there is no such file", remedy)
    return cwd / explicit


def load(
    path: Path, known_checks: Collection[str] | None = None, contracts: Collection[str] | None = None
) -> tuple[Provider, ...]:
    """The providers of a file, in its order; limits that it leaves out have their defaults.

    `known_checks` are the ids that a waiver may name (None: any that has the form of an id), `contracts` the
    names that a provider may (None: the shipped folders of schemas/ that hold a document's contract). Raises
    InputError for the first problem by line.
    """
    return _of(read(path), known_checks, contracts)


def parse(text: str, file: str, contracts: Collection[str] | None = None) -> tuple[Provider, ...]:
    """The providers of a text, with places in `file`. Raises InputError for the first problem by line."""
    return _of(parse_yaml(text, file), None, contracts)


def _of(
    document: Document, known_checks: Collection[str] | None, contracts: Collection[str] | None
) -> tuple[Provider, ...]:
    rules = _rules(known_checks, _documents() if contracts is None else contracts)
    problems = violations(document, json.loads(resources.read_text(_SCHEMA)), rules)
    first = min(problems, key=lambda error: (error.place.line or 0, error.place.column or 0), default=None)
    if first is not None:
        raise first
    content: Any = document.value
    return tuple(_provider(name, entry, document) for name, entry in content["providers"].items())


def select(providers: Sequence[Provider], names: Sequence[str], place: Place) -> tuple[Provider, ...]:
    """The providers of these names, in the order of the names; without names those marked `default: true`.

    Raises InputError, at `place`, for an unknown name, and where there is neither a name nor a default.
    """
    if not names:
        return _defaults(providers, place)
    by_id = {provider.id: provider for provider in providers}
    for name in names:
        if name not in by_id:
            raise InputError(place, f"no provider has the id {quoted(name)}", among(name, by_id) + _packaged(providers))
    return tuple(by_id[name] for name in dict.fromkeys(names))


def _packaged(providers: Sequence[Provider]) -> str:
    """What to say of the file of providers where it is the packaged one, for want of the user's own."""
    packaged = str(resources.path(_FILE))
    if any(provider.place.file != packaged for provider in providers):
        return ""
    return f" They are those of the packaged file: there is no ./{_FILE} here, and `chatconform init` begins one."


def adhoc(
    base_url: str,
    model: str,
    key_env: str | None,
    contract: str | None,
    place: Place,
    contracts: Collection[str] | None = None,
) -> Provider:
    """The provider `adhoc` that stands in no file. Raises InputError at `place` for what `load` refuses."""
    complaints = (
        _base_url(base_url),
        _model(model),
        _variable_name(key_env) if key_env is not None else None,
        _contract(contracts or _documents(), contract) if contract is not None else None,
    )
    for complaint in complaints:
        if complaint is not None:
            raise InputError(place, *complaint)
    limits = default_limits(base_url)
    return Provider("adhoc", base_url.rstrip("/"), model, key_env, contract, limits=limits, place=place)


def default_limits(base_url: str) -> Mapping[str, int]:
    """What holds of an endpoint for which nothing else is said.

    One of this machine is asked as fast as it answers, for there is nobody else whose share it takes.
    """
    return {**DEFAULT_LIMITS, "per_minute": UNHURRIED} if is_loopback(base_url) else DEFAULT_LIMITS


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine (RFC 6890 section 2.2.2, RFC 6761 section 6.3)."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _defaults(providers: Sequence[Provider], place: Place) -> tuple[Provider, ...]:
    chosen = tuple(provider for provider in providers if provider.default)
    if not chosen:
        known = ", ".join(provider.id for provider in providers)
        remedy = f"Name one of {known}, or mark it default: true."
        raise InputError(place, "no provider was named, and none is marked default: true", remedy)
    return chosen


def _documents() -> tuple[str, ...]:
    folders = (entry.name for entry in resources.path("schemas").iterdir() if entry.is_dir())
    return tuple(sorted(name for name in folders if name not in _NOT_DOCUMENTS))


def _provider(name: str, entry: Mapping[str, Any], document: Document) -> Provider:
    at = ["providers", name]
    waivers = enumerate(entry.get("waivers", []))
    settings = {
        **entry,
        "base_url": entry["base_url"].rstrip("/"),
        "limits": {**default_limits(entry["base_url"]), **entry.get("limits", {})},
        "waivers": tuple(Waiver(**w, place=document.place(pointer([*at, "waivers", i]))) for i, w in waivers),
    }
    return Provider(id=name, place=document.key_place(pointer(at)), **settings)


def _rules(known_checks: Collection[str] | None, contracts: Collection[str]) -> dict[str, Rule]:
    """What the formats of the schema demand."""
    return {
        "base-url": _base_url,
        "variable-name": _variable_name,
        "header-value": _header_value,
        "credential-header-value": _credential_header_value,
        "contract": partial(_contract, contracts),
        "check-id": _check_id_form if known_checks is None else partial(_check_id, known_checks),
        "day": _day,
    }


def _base_url(url: str) -> Complaint | None:
    """A URL of RFC 3986 of scheme, host and path alone. Messages do not repeat it: it may hold a password."""
    if re.match(r"https?://", url, re.IGNORECASE) is None:
        return Complaint("base_url does not begin with http:// or https://", "Write https:// before the host.")
    if re.search(r"[\s\x00-\x1f\x7f\\]", url):
        return Complaint("base_url holds a space, a backslash or a control character", "Take it out.")
    if "@" in url:
        return Complaint("base_url holds a user or a password", "Put the key into the variable of key_env.")
    if "?" in url or "#" in url:
        return Complaint("base_url has a query or a fragment", "Leave off everything from the ? or the # on.")
    if _lacks_host(url):
        return Complaint("base_url has no valid host or port", "Write it as https://host[:port]/path.")
    return _base_path(urlsplit(url).path.rstrip("/"))


def _lacks_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return not parts.hostname or parts.port == 0
    except ValueError:
        return True


def _base_path(path: str) -> Complaint | None:
    if path.endswith("/chat/completions"):
        return Complaint(
            "base_url ends in /chat/completions", "Leave that off: chatconform appends it, and /models too."
        )
    if path.endswith("/v1/v1"):
        return Complaint(
            "base_url ends in /v1/v1, as if /v1 had been appended to a base that has it already",
            "Write /v1 once.",
        )
    return None


def require_variable(name: str, place: Place) -> None:
    """Raise `InputError` for what is not the name of a variable, without repeating it: it may be a key."""
    complaint = _variable_name(name)
    if complaint is not None:
        raise InputError(place, *complaint)


def _model(name: str) -> Complaint | None:
    if not name:
        return Complaint("the model is empty", "Name a model.")
    if without_keys(name) != name:
        return Complaint("the model looks like a key", "Name a model, and put the key into the variable of key_env.")
    return None


def _variable_name(name: str) -> Complaint | None:
    if re.fullmatch(r"[A-Z][A-Z0-9_]*", name) and not looks_like_credential(name):
        return None
    remedy = "Write the name of an environment variable, such as TOOKEN_API_KEY, and put the key into it."
    if looks_like_credential(name):
        problem = "key_env looks like a key, and the name of a variable belongs here"
        return Complaint(problem, f"{remedy} A key that stood in a file is better replaced.")
    return Complaint("key_env is not the name of a variable", remedy)


def _header_value(value: str) -> Complaint | None:
    """A field value of RFC 9110 section 5.5, in ASCII, whose credentials stand in the environment."""
    literal = _REFERENCE.sub("", value)
    if "${" in literal:
        problem = "the value holds a ${ that does not read a variable"
        return Complaint(problem, "Write ${NAME}: letters, digits and underscores between the braces.")
    if re.search(r"[^\t\x20-\x7e]", value):
        problem = "the value holds a character that a header cannot carry"
        return Complaint(problem, "Write one line of ASCII (RFC 9110 section 5.5).")
    is_scheme = re.search(r"(?i)\b(bearer|basic)\s+[^\s]", literal) is not None
    return _literal_credential() if is_scheme or looks_like_credential(literal) else None


def _credential_header_value(value: str) -> Complaint | None:
    if _REFERENCE.search(value) is None:
        return _literal_credential()
    return _header_value(value)


def _literal_credential() -> Complaint:
    problem = "the value of this header looks like a key"
    return Complaint(problem, "Put it into an environment variable and write ${NAME} here.")


def _contract(known: Collection[str], name: str) -> Complaint | None:
    if name in known:
        return None
    if name == OPENAI:
        problem = "the contract openai is judged always, and is no document of the provider's own"
        return Complaint(problem, f"Leave contract out. {among(name, known)}")
    return Complaint(f"there is no contract {quoted(name)}", among(name, known))


def _check_id(known: Collection[str], name: str) -> Complaint | None:
    if name in known:
        return None
    remedy = f"{nearest(name, known)}`chatconform list checks` prints all ids."
    return Complaint(f"there is no check {quoted(name)}", remedy)


def _check_id_form(name: str) -> Complaint | None:
    if re.fullmatch(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+", name):
        return None
    return Complaint("this is not the id of a check", "Write it as `chatconform list checks` prints it.")


def _day(text: str) -> Complaint | None:
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            date.fromisoformat(text)
            return None
    except ValueError:
        pass
    return Complaint("this is not a day", "Write year, month and day, such as 2027-03-31.")
