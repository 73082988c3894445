"""What there is to list and to explain: checks, clauses, providers, faults."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from chatconform import assessment
from chatconform.checks import all_checks
from chatconform.contracts import contract as contracts
from chatconform.judging import known_checks
from chatconform.model import OPENAI, InputError, Place, Provider
from chatconform.strict_yaml import nearest

Row = dict[str, str]


def rows(what: str, contract: str | None, providers: Callable[[], tuple[Provider, ...]]) -> list[Row]:
    """Return one row for each thing of a kind. Raises `InputError` for a contract that is not there."""
    names = [contract] if contract else sorted(contracts.names(), key=lambda name: (name != OPENAI, name))
    if what == "providers":
        return [_provider(provider) for provider in providers() if contract in (None, provider.contract)]
    if what == "clauses":
        return [row for name in names for row in _clauses(name)]
    if what == "faults":
        return list(_faults())
    return [row for name in names for row in _checks(name)]


def _provider(provider: Provider) -> Row:
    return {
        "provider": provider.id,
        "base_url": provider.base_url,
        "model": provider.model,
        "contract": provider.contract or "openai alone",
        "key": provider.key_env or "none",
    }


def _clauses(name: str) -> Iterator[Row]:
    contract = contracts.load(name)
    for identifier, clause in sorted({**contract.promises, **contract.clauses}.items()):
        yield {"contract": name, "id": identifier, "level": clause.level, "basis": clause.basis or "",
               "source": clause.source, "says": clause.says}  # fmt: skip


def _checks(name: str) -> Iterator[Row]:
    read = {name: contracts.load(name)}
    stands = set(read[name].clauses) | set(read[name].promises)
    if name == OPENAI:
        stands |= {check.id for check in all_checks().values() if check.level is not None}
    for identifier in sorted(stands):
        text = assessment.text(identifier, read)
        yield {"contract": name, "id": identifier, "level": text.levels[name], "says": text.under(name)}


def _faults() -> Iterator[Row]:
    from chatconform.reference.faults import all_faults

    for fault in all_faults().values():
        yield {"fault": fault.id, "of": fault.of, "says": fault.says}


def explain(check: str) -> str:
    """Return what a check asks for, why, and by whose word. Raises `InputError` for an unknown id."""
    if check not in known_checks():
        remedy = f"{nearest(check, known_checks())}`chatconform list checks` prints all ids."
        raise InputError(Place("command line"), f"there is no check {check!r}", remedy)
    read = {name: contracts.load(name) for name in contracts.names()}
    text = assessment.text(check, read)
    lines = [check, ""]
    for name, level in text.levels.items():
        lines += [f"{name}: {level.upper()}  {text.under(name)}", f"  source   {text.sources[name]}"]
    return "\n".join([*lines, "", f"breaks   {text.breaks}", f"fix      {text.fix}", *_examples(check)])


def _examples(check: str) -> list[str]:
    """Show the bytes that a fault of this check changes, before and after."""
    from chatconform.reference.faults import example

    return example(check)
