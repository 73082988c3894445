"""The pages of docs/ that are made from the code. `chatconform docs --to DIR` writes them, and a test compares them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path

from chatconform import calibration as calibrations
from chatconform import coverage as coverages
from chatconform import explanation, proof
from chatconform.calibration import Calibration, Fired
from chatconform.clients import child, measured, tally
from chatconform.coverage import Covered, Standing
from chatconform.explanation import Explanation, Rule
from chatconform.judging import known_checks
from chatconform.model import Level
from chatconform.proof import Planted
from chatconform.report import board
from chatconform.report.tables import joined, section, table
from chatconform.report.visible import code, markdown, prose
from chatconform.wire.habits import TEXTS

MADE = "<!-- Made by `chatconform docs`; edits here are lost. -->"


def pages(corpus: Path | None) -> dict[str, str]:
    """Return every page by its file name; calibration.md only where there are captures to count on."""
    made = {"checks.md": checks(), "coverage.md": coverage(), "proof.md": proofs(), "clients.md": clients()}
    return made if corpus is None else {**made, "calibration.md": calibration(calibrations.calibrate(corpus))}


def _page(title: str, *sections: Iterable[str]) -> str:
    return joined(([f"# {title}", "", MADE], *sections))


def _link(check: str) -> str:
    return f"[{code(check)}](checks.md#{check})"


def _links(names: Iterable[str]) -> str:
    return ", ".join(map(_link, names))


def checks() -> str:
    """Return docs/checks.md: every check and clause, by group, with what `chatconform explain` says of it."""
    grouped = {group: tuple(ids) for group, ids in groupby(sorted(known_checks()), key=board.group)}
    intro = (
        f"{board.plural(len(known_checks()), 'rule')}: checks written in Python, and clauses of schemas. "
        "A clause's id is the same under every contract; its level is the one of the contract that speaks. "
        "`chatconform explain ID` prints the same of one of them."
    )
    contents = (f"- [{group}](#{group}): {', '.join(f'[{code(each)}](#{each})' for each in ids)}"
                for group, ids in grouped.items())  # fmt: skip
    parts = (_group(group, ids) for group, ids in grouped.items())
    return _page("Checks", [intro], contents, *parts)


def _group(group: str, ids: Iterable[str]) -> Iterator[str]:
    yield f"## {group}"
    for check in ids:
        yield from ("", f'<a id="{check}"></a>', "", f"### {code(check)}", "")
        yield from _check(explanation.explained(check))


def _check(found: Explanation) -> Iterator[str]:
    yield from (prose(found.text.says), "")
    yield from table(("Contract", "Level", "What it says", "Source"), map(_rule, found.rules))
    yield ""
    hurts = "; ".join(f"{label} {names}".strip() for label, names in found.hurts)
    cited = ", ".join(f"[{each.id}](coverage.md#{each.id})" for each in found.cited)
    for label, said in (
        ("Breaks", prose(found.text.breaks)),
        ("Hurts", f"{markdown(hurts)}."),
        ("Fix", prose(found.text.fix)),
        ("Seen in the wild", cited),
        ("Needs first", ", ".join(f"[{code(need)}](#{need})" for need in found.needs)),
    ):
        if said:
            yield f"- **{label}:** {said}"
    if found.example is not None:
        example = found.example
        yield from (f"- **Example:** {code(example.fault)}: {prose(example.says)}", "")
        yield from ("  ```", f"  passes  {example.passes}", f"  fails   {example.fails}", "  ```")


def _rule(rule: Rule) -> tuple[str, ...]:
    says = f"{rule.says} Only where {rule.when}." if rule.when else rule.says
    return (rule.contract, rule.level.value, prose(says), markdown(rule.source))


def coverage() -> str:
    """Return docs/coverage.md: what becomes of each entry of the catalogue."""
    found = coverages.coverage()
    counts = Counter(each.standing for each in found.values())
    intro = (
        f"The catalogue holds {board.plural(len(found), 'deviation')} that were seen in the wild: "
        f"**{counts[Standing.CHECKED]}** are decided by the checks named here, "
        f"**{counts[Standing.HABIT]}** are lawful habits, which the report shows and nothing accuses, and "
        f"**{counts[Standing.UNDECIDED]}** cannot be decided on the exchanges of one run: it says why."
    )
    groups = [
        list(section(group, table(("Entry", "On the wire", "What becomes of it"), map(_covered, entries))))
        for group, entries in groupby(found.values(), key=lambda each: each.entry.group)
    ]
    return _page("Coverage", [intro], *groups)


def _covered(covered: Covered) -> tuple[str, ...]:
    entry = covered.entry
    return (f'<a id="{entry.id}"></a>{entry.id}', prose(entry.says), _standing(covered))


def _standing(covered: Covered) -> str:
    shown = [text.id for text in TEXTS.values() if text.entry == covered.entry.id]
    if covered.standing is Standing.CHECKED:
        also = f"; shown as the habit {', '.join(map(code, shown))}" if shown else ""
        return f"{_links(covered.checks)}{also}"
    if covered.standing is Standing.HABIT:
        return f"habit {', '.join(map(code, shown))}"
    return f"undecided: {prose(covered.undecided or '')}"


def proofs() -> str:
    """Return docs/proof.md: what the named faults and the lawful variations come to."""
    faults, variations = proof.planted(), proof.reworded()
    deviations = [each for each in faults if each.is_deviation]
    others = [each for each in faults if not each.is_deviation]
    accused = sum(any(level is not Level.MAY for level in each.accused.values()) for each in variations)
    mentioned = sum(bool(each.accused) for each in variations) - accused
    of_others = f"{len(others)} exchanges that are refused, unrecorded or beyond a limit"
    stated = sum(each.as_stated for each in faults)
    intro = (
        f"- Faults seen: **{sum(map(_is_seen, deviations))} of {len(deviations)}** that are planted.",
        f"- Lawful variations falsely accused: **{accused} of {len(variations)}** (at the level may: {mentioned}).",
        f"- Accused though they prove nothing: **{sum(bool(each.fails) for each in others)} of {of_others}**.",
        f"- The whole change to the outcomes is the one that was stated beforehand: {stated} of {len(faults)}.",
    )
    return _page(
        "Proof",
        ["Each fault is a good exchange or run broken in one way; each variation, one framed or worded otherwise."],
        intro,
        section("By group", table(("Group", "Planted", "Seen"), _groups(deviations))),
        section("Checks and the faults that break them", table(("Check", "Faults"), _killers())),
        section("Lawful variations", table(("Variation", "Of exchanges", "Accused of"), _variations())),
        section("Faults", _faults(faults)),
    )


def _is_seen(planted: Planted) -> bool:
    return bool(planted.fails)


def _groups(deviations: Iterable[Planted]) -> Iterator[tuple[str, ...]]:
    for group, members in groupby(sorted(deviations, key=lambda each: each.group), key=lambda each: each.group):
        found = list(map(_is_seen, members))
        yield (group, str(len(found)), str(sum(found)))


_NO_FAULT = {
    False: "none: there is no good exchange of its document",
    True: "none: no request differs from an answered one in this alone",
}


def _killers() -> Iterator[tuple[str, ...]]:
    for check, faults in proof.broken_by().items():
        yield (_link(check), ", ".join(map(code, faults)) or _NO_FAULT[check.startswith("request.")])


def _variations() -> Iterator[tuple[str, ...]]:
    for name, members in groupby(proof.reworded(), key=lambda each: each.id):
        rows = list(members)
        accused = sorted({f"{code(proof.shown(key))} ({level})" for row in rows for key, level in row.accused.items()})
        yield (code(name), str(len(rows)), ", ".join(accused) or "nothing")


def _faults(faults: Iterable[Planted]) -> Iterator[str]:
    for group, members in groupby(sorted(faults, key=lambda each: each.group), key=lambda each: each.group):
        yield from (f"### {group}", "")
        yield from table(
            ("Fault", "Of", "What is wrong on the wire", "Fails", "Unproven because of"), map(_row, members)
        )
        yield ""


def _row(planted: Planted) -> tuple[str, ...]:
    fails = ", ".join(code(proof.shown(rule)) for rule in planted.fails) or "nothing"
    unproven = ", ".join(f"{code(because)}: {count}" for because, count in planted.unproven.items()) or "–"
    fault = planted.fault
    return (code(fault.id), code(fault.of), prose(fault.says), fails, unproven)


_EFFECTS = {
    tally.Effect.FINE: "it hands over what it does of the good answer, or raises where there is an error or no whole "
    "answer; a client that shows nothing of a fault is fine",
    tally.Effect.AS_SENT: "it hands over what is on the wire; what is wrong is the wire",
    tally.Effect.WRONG: "it goes on, and has lost or changed something, or takes an error or a half for the whole",
    tally.Effect.RAISES: "it raises, hangs or crashes, though no error was sent",
}
_OF_CONNECTIONS = (
    "The answer is good, and the way that it takes is not: where it does not arrive whole, to raise is right.",
    "The first table leaves them out.",
    "",
)


def clients() -> str:
    """Return docs/clients.md: what client libraries were measured to do with each fault, by entry of the catalogue."""
    found = measured.stored()
    intro = (
        f"Measured on {found.day} by `chatconform clients --fault '*'`: {len(found.rows)} named faults are served on "
        "127.0.0.1, each beside the good answer that it breaks. Each client reads both in a process of its own, and "
        f"gives up after {child.IDLE_S:g} seconds without a byte. What counts is the role, the text, the tool calls, "
        "the finish_reason, the usage, and the message of an error. It says whom a deviation hurts, and is no verdict. "
        "`chatconform clients RECORDING` does it with your own recordings."
    )
    ways = (*found.versions,)
    counted = tally.by_client(found).items()
    by_entry = [
        list(section(group, table(("Entry", "On the wire", "Faults", *ways, "For example"), map(_hurt, lines))))
        for group, lines in groupby(tally.by_entry(found), key=lambda each: each.entry.group)
    ]
    return _page(
        "Clients",
        [intro],
        (f"- **{effect}**: {says}." for effect, says in _EFFECTS.items()),
        table(("Client", "Version", *_EFFECTS), ((way, found.versions[way], *_numbers(each)) for way, each in counted)),
        ["A fault counts for each entry of the catalogue that the checks cite which it makes fail."],
        *by_entry,
        section("connections", (*_OF_CONNECTIONS, *table(("Fault", *ways), _did(found, tally.of_connections(found))))),
        section("faults of no entry that hurt", table(("Fault", *ways), _did(found, tally.of_no_entry(found)))),
    )


def _numbers(counts: Mapping[tally.Effect, int]) -> Iterator[str]:
    yield from (str(counts[effect]) for effect in _EFFECTS)


def _hurt(line: tally.Line) -> tuple[str, ...]:
    entry, example = line.entry, line.example
    shown = example and f"{code(example.fault)}: {example.way} {', '.join(example.did)}"
    cells = (
        ", ".join(f"{effect} {counts[effect]}" for effect in tally.Effect if counts[effect]) or "–"
        for counts in line.counts.values()
    )
    return (f"[{entry.id}](coverage.md#{entry.id})", prose(entry.says), str(line.faults), *cells, shown or "–")


def _did(found: measured.Measured, names: Iterable[str]) -> Iterator[tuple[str, ...]]:
    for name in names:
        did = found.rows[name].did
        yield (code(name), *(", ".join(did.get(way, ("–",))) for way in found.versions))


def calibration(found: Calibration) -> str:
    """Return docs/calibration.md: how often each check fires on the given captures."""
    captures = ", ".join(f"{provider} {number}" for provider, number in sorted(found.captures.items()))
    fired = [each for each in found.checks if each.fires]
    quiet = [each for each in found.checks if not each.fires]
    intro = (
        f"{board.plural(sum(found.captures.values()), 'capture')} of real answers: {captures}.",
        "A number is fires / exchanges on which the check was decided, passed or failed.",
    )
    return _page(
        "Calibration",
        intro,
        *(_fired(level, [each for each in fired if each.level is level]) for level in Level),
        section("What was seen where a must fires", _seen(fired)),
        section("Checks that never fire here", table(("Check", "Level", "Decided on"), map(_quiet, quiet))),
    )


_TITLES = {
    Level.MUST: "Musts that fire",
    Level.SHOULD: "Shoulds that fire",
    Level.MAY: "What fires at the level may",
}


def _fired(level: Level, fired: Iterable[Fired]) -> Iterator[str]:
    rows = ((_link(each.check), _share(each), _by_provider(each)) for each in fired)
    return section(_TITLES[level], table(("Check", "All", "By provider"), rows))


def _share(fired: Fired) -> str:
    return f"{sum(fired.fires.values())} / {sum(fired.judged.values())}"


def _by_provider(fired: Fired) -> str:
    return ", ".join(
        f"{provider} {number} / {fired.judged[provider]}" for provider, number in sorted(fired.fires.items())
    )


def _seen(fired: Iterable[Fired]) -> Iterator[str]:
    notes: Mapping[str, str] = calibrations.notes()
    for each in fired:
        if each.level is Level.MUST:
            yield f"- {_link(each.check)}: {prose(notes.get(each.check, 'not looked at yet.'))}"


def _quiet(fired: Fired) -> tuple[str, ...]:
    return (_link(fired.check), fired.level.value, str(sum(fired.judged.values())))
