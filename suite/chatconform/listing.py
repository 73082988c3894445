"""What there is to list and to explain: checks, clauses, providers, faults."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from textwrap import wrap

from chatconform import assessment, explanation
from chatconform.checks import described
from chatconform.contracts import contract as contracts
from chatconform.coverage import Covered, coverage
from chatconform.deviations import Deviation
from chatconform.explanation import Example, Rule
from chatconform.judging import known_checks
from chatconform.model import OPENAI, InputError, Place, Provider
from chatconform.scenarios import plan
from chatconform.strict_yaml import nearest
from chatconform.wire.habits import TEXTS

Row = dict[str, str]

_WIDTH, _COLUMN = 100, 22


def rows(what: str, contract: str | None, providers: Callable[[], tuple[Provider, ...]]) -> list[Row]:
    """Return one row for each thing of a kind. Raises `InputError` for a contract that is not there."""
    names = [contract] if contract else sorted(contracts.names(), key=lambda name: (name != OPENAI, name))
    if what == "providers":
        return [_provider(provider) for provider in providers() if contract in (None, provider.contract)]
    if what == "clauses":
        return [row for name in names for row in _clauses(name)]
    if what == "scenarios":
        return [row for row in plan.rows() if contract is None or row["for"] in ("", contract)]
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
    for identifier, clause in sorted({**contract.promises, **contract.clauses, **contract.requests}.items()):
        yield {"contract": name, "id": identifier, "level": clause.level, "basis": clause.basis or "",
               "source": clause.source, "says": clause.says}  # fmt: skip


def _checks(name: str) -> Iterator[Row]:
    read = {name: contracts.load(name)}
    stands = {*read[name].clauses, *read[name].promises, *read[name].requests}
    if name == OPENAI:
        stands |= {check.id for check in described().values() if check.level is not None}
    for identifier in sorted(stands):
        text = assessment.text(identifier, read)
        yield {"contract": name, "id": identifier, "level": text.levels[name], "says": text.under(name)}


def _faults() -> Iterator[Row]:
    from chatconform.reference import endpoint
    from chatconform.reference.faults import all_faults

    good = {fault.id: fault.of for fault in all_faults().values()}
    for name, says in endpoint.names().items():
        yield {"fault": name, "of": good.get(name, "any exchange"), "says": says}


def explain(name: str) -> str:
    """Return all that there is to say of a check, or of an entry of the catalogue. Raises `InputError` for others."""
    if name in known_checks():
        return _explain_check(name)
    if name in coverage():
        return _explain_entry(coverage()[name])
    remedy = f"{nearest(name, (*known_checks(), *coverage()))}`chatconform list checks` prints all ids."
    raise InputError(Place("command line"), f"there is no check {name!r}", remedy)


def _explain_check(check: str) -> str:
    """What a check asks for, why, and by whose word."""
    found = explanation.explained(check)
    return _told(check, found.text.says, (
        ("level", (line for rule in found.rules for line in _rule(rule))),
        ("why it matters", _wrapped(found.text.breaks)),
        ("whom it hurts", (line for label, names in found.hurts for line in _labelled(label, names))),
        ("seen in the wild", (line for each in found.cited for line in _deviation(each))),
        ("example", _example(found.example)),
        ("fix", _wrapped(found.text.fix)),
        ("needs first", map(_indented, found.needs)),
    ))  # fmt: skip


def _explain_entry(covered: Covered) -> str:
    """What a deviation is that was seen in the wild, whom it hurts, and what becomes of it here."""
    entry = covered.entry
    habit = _labelled(covered.habit, TEXTS[covered.habit].says) if covered.habit else ()
    return _told(entry.id, entry.says, (
        ("why it matters", _wrapped(entry.breaks)),
        ("whom it hurts", (line for label, names in explanation.hurt(entry) for line in _labelled(label, names))),
        ("seen in the wild", _wrapped(", ".join(entry.cites))),
        ("found by", map(_indented, covered.checks)),
        ("a lawful habit, which reports show and nothing accuses", habit),
        ("found by no check, because", _wrapped(covered.undecided or "")),
    ))  # fmt: skip


def _told(name: str, says: str, sections: Iterable[tuple[str, Iterable[str]]]) -> str:
    """Return sections with their titles, without those that have no line."""
    parts = [[name, *_wrapped(says)], *([title, *lines] for title, lines in sections)]
    return "\n\n".join("\n".join(part) for part in parts if len(part) > 1)


def _indented(line: str) -> str:
    return f"  {line}"


def _wrapped(text: str, indent: int = 2) -> list[str]:
    """Return a text in lines of at most 100 characters; none where there is no text."""
    margin = " " * indent
    return wrap(text, _WIDTH, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False)


def _labelled(label: str, text: str) -> list[str]:
    """Return a text with its label before it, in a column of its own."""
    first, *others = _wrapped(text, _COLUMN) or [""]
    return [f"  {label:{_COLUMN - 3}} {first.strip()}".rstrip(), *others]


def _rule(rule: Rule) -> Iterator[str]:
    yield from _labelled(f"{rule.contract} {rule.level.upper()}", rule.says)
    yield from _wrapped(rule.source, _COLUMN)
    if rule.when:
        yield from _wrapped(f"only where {rule.when}", _COLUMN)


def _deviation(entry: Deviation) -> Iterator[str]:
    yield from _labelled(entry.id, f"{entry.says} {entry.breaks}")
    yield from _wrapped(", ".join(entry.cites), _COLUMN)


def _example(example: Example | None) -> Iterator[str]:
    if example is not None:
        yield from _wrapped(f"{example.fault}: {example.says}")
        yield from (f"  passes  {example.passes}", f"  fails   {example.fails}")
