"""pytest's face: `pytest providers.yaml` gives one item for each provider, contract and check.

It is loaded in every pytest run of its environment, so it imports nothing heavy and does nothing until a
providers file is named on pytest's command line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from os.path import commonpath
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from chatconform.assessment import Selection
    from chatconform.model import CheckText, Problem, Provider, Results
    from chatconform.rollup import CheckKey, Rolled

_HEAD = re.compile(r"^providers[ \t]*:", re.MULTILINE)
_RAN: pytest.StashKey[set[tuple[str, str]]] = pytest.StashKey()
"""The file, seen from the root directory, and the id of every item that ran."""
_SAID: pytest.StashKey[list[str]] = pytest.StashKey()
"""Where the reports are, or why there are none."""


class ConformanceWarning(pytest.PytestWarning):
    """A should or a may is broken."""


class Deviation(Exception):  # noqa: N818  shown as pytest shows a failed assertion, without a traceback
    """A check failed at the level of --chatconform-fail-on."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, all with our name in front."""
    group = parser.getgroup("chatconform", "conformance of OpenAI-compatible endpoints")
    group.addoption(
        "--chatconform-out",
        default="reports",
        metavar="DIR",
        help="where results.json and the reports are written (default: reports)",
    )
    group.addoption(
        "--chatconform-fail-on",
        default="must",
        choices=["must", "should", "never"],
        help="from which level on a broken rule is a failed test (default: must)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Remember which items ran."""
    config.stash[_RAN] = set()
    config.stash[_SAID] = []
    config.pluginmanager.register(_Recorder(config), "chatconform-recorder")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect a providers file that is named on the command line, and no other file."""
    if file_path.suffix in (".yaml", ".yml") and file_path in _files(parent.config):
        return ProvidersFile.from_parent(parent, path=file_path)
    return None


class _Recorder:
    """Hears of every item that ran, on whichever worker."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.config.stash[_RAN].add((report.location[0], report.nodeid))


def _files(config: pytest.Config) -> list[Path]:
    """Return the providers files that the command line names."""
    named = (Path(config.invocation_params.dir, argument.partition("::")[0]).resolve() for argument in config.args)
    return [path for path in dict.fromkeys(named) if path.suffix in (".yaml", ".yml") and _is_providers_file(path)]


def _is_providers_file(path: Path) -> bool:
    try:
        return bool(_HEAD.search(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError):
        return False


def _seen(path: Path, config: pytest.Config) -> Path:
    """Return a path as the command line would name it, so that both faces write the same bytes."""
    start = config.invocation_params.dir
    return path.relative_to(start) if path.is_relative_to(start) else path


def _load(path: Path) -> tuple[Provider, ...]:
    from chatconform import documents, providers
    from chatconform.judging import known_checks

    named = documents.look_beside(path.parent)
    return providers.load(path, known_checks(), named)


def _assess(chosen: Iterable[Provider], beside: Path, fail_on: str, selection: Selection | None = None) -> Results:
    """Judge the recordings of providers."""
    from datetime import UTC, datetime

    from chatconform import assessment

    subjects, problems = assessment.recorded_all(chosen, beside)
    return assessment.assess(
        subjects,
        run={"mode": "recorded", "fail_on": fail_on},
        today=datetime.now(UTC).date(),
        selection=selection or assessment.Selection(),
        problems=problems,
    )


class ProvidersFile(pytest.File):
    """A providers file: its children are the providers."""

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """Judge the recordings, and yield a collector for each provider."""
        from chatconform.model import InputError
        from chatconform.report.visible import message
        from chatconform.rollup import roll_up

        path = _seen(self.path, self.config)
        try:
            loaded = _load(path)
        except InputError as error:
            raise self.CollectError(message(str(error.place), error.problem, error.remedy)) from None
        results = _assess(loaded, path.parent, self.config.getoption("--chatconform-fail-on"))
        lines = {provider.id: provider.place.line or 1 for provider in loaded}
        for number, problem in enumerate(results.problems, 1):
            yield ProblemItem.from_parent(self, name=f"problem-{number}", problem=problem)
        rolled = roll_up(results.verdicts)
        for provider in results.providers:
            checks = {key: each for key, each in rolled.items() if key[0] == provider.id}
            yield Group.from_parent(
                self, name=provider.id, checks=checks, texts=results.checks, line=lines[provider.id]
            )


class Group(pytest.Collector):
    """A provider, whose children are contracts, or a contract, whose children are checks."""

    def __init__(
        self, *, checks: Mapping[CheckKey, Rolled], texts: Mapping[str, CheckText], line: int, **rest: object
    ) -> None:
        super().__init__(**rest)  # type: ignore[arg-type]
        self.checks, self.texts, self.line = checks, texts, line

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """Yield the contracts of a provider, or the checks of a contract."""
        if isinstance(self.parent, Group):
            for key, rolled in self.checks.items():
                yield CheckItem.from_parent(self, name=key[2], rolled=rolled, text=self.texts[key[2]])
            return
        if not self.checks:
            yield Unrecorded.from_parent(self, name="recording")
        for contract in dict.fromkeys(key[1] for key in self.checks):
            own = {key: each for key, each in self.checks.items() if key[1] == contract}
            yield Group.from_parent(self, name=contract, checks=own, texts=self.texts, line=self.line)


class _Item(pytest.Item):
    """An item whose failure is a message, not a traceback."""

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:  # noqa: ARG002
        """Return the message alone."""
        if isinstance(excinfo.value, Deviation | ConformanceWarning):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return the providers file, the line of the provider in it (from 0), and the item's title.

        The title is not the end of the item's id: pytest would print the dots of that end as `::`.
        """
        line = self.parent.line if isinstance(self.parent, Group) else 1
        return self.path, line - 1, " ".join(self.nodeid.split("::")[1:])


class Unrecorded(_Item):
    """A provider of which there is no recording."""

    def runtest(self) -> None:
        """Skip: what was not recorded is unproven."""
        pytest.skip("unproven: there is no recording of this provider")


class ProblemItem(_Item):
    """A recording that cannot be read, or a waiver that no longer holds."""

    def __init__(self, *, problem: Problem, **rest: object) -> None:
        super().__init__(**rest)  # type: ignore[arg-type]
        self.problem = problem

    def runtest(self) -> None:
        """Fail with the place, the problem and the remedy."""
        from chatconform.report.visible import message

        raise Deviation(message(self.problem.place, self.problem.problem, self.problem.remedy))


class CheckItem(_Item):
    """One check under one contract of one provider, over all its exchanges."""

    def __init__(self, *, rolled: Rolled, text: CheckText, **rest: object) -> None:
        super().__init__(**rest)  # type: ignore[arg-type]
        self.rolled, self.text = rolled, text
        first = rolled.verdicts[0]
        self.user_properties += [
            ("provider", first.provider),
            ("contract", first.contract),
            ("check", first.check),
            ("level", str(rolled.level)),
            ("outcome", "waived" if rolled.waived else str(rolled.outcome)),
            ("examined", str(rolled.examined)),
        ]

    def runtest(self) -> None:
        """Fail, warn, skip or pass, as the check came out."""
        from chatconform.model import Level, Outcome

        outcome = self.rolled.outcome
        if outcome is Outcome.ERROR:
            raise Deviation(f"a bug in the suite\n{self._message()}")
        if outcome in (Outcome.UNPROVEN, Outcome.NOT_APPLICABLE):
            pytest.skip(f"{outcome}: {', '.join(self._reasons())}")
        if outcome is not Outcome.FAIL:
            return
        if self.rolled.waived:
            pytest.xfail(f"waived: {', '.join(self._waivers())}")
        failing = {"must": [Level.MUST], "should": [Level.MUST, Level.SHOULD], "never": []}
        if self.rolled.level in failing[self.config.getoption("--chatconform-fail-on")]:
            raise Deviation(self._message())
        self.warn(ConformanceWarning(self._message()))

    def _reasons(self) -> list[str]:
        reasons = (f"{each.reason}" + (f" ({each.because})" if each.because else "") for each in self.rolled.verdicts)
        return list(dict.fromkeys(reasons))

    def _waivers(self) -> list[str]:
        waivers = (each.waiver for each in self.rolled.verdicts if each.waiver)
        return list(dict.fromkeys(f"{waiver.reason} (until {waiver.until})" for waiver in waivers))

    def _message(self) -> str:
        from chatconform.report.terminal import failure

        return failure(self.rolled, self.text)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write results.json and the reports for what ran; under xdist on the controller alone.

    Several providers files have a folder each, by their paths below the folder that they have in common.
    """
    config = session.config
    files = _files(config)
    if not files or hasattr(config, "workerinput") or config.getoption("collectonly"):
        return
    from chatconform.model import InputError
    from chatconform.report.visible import message

    out = Path(config.invocation_params.dir, config.getoption("--chatconform-out"))
    for path in files:
        folder = out / path.relative_to(commonpath(each.parent for each in files)).with_suffix("")
        try:
            config.stash[_SAID] += _write(config, path, folder if len(files) > 1 else out)
        except InputError as error:
            config.stash[_SAID].append(message(str(error.place), error.problem, error.remedy))
            session.exitstatus = pytest.ExitCode.USAGE_ERROR


def _write(config: pytest.Config, path: Path, folder: Path) -> list[str]:
    """Write the reports on what ran of a providers file; nothing where no provider was tested."""
    from chatconform import reports
    from chatconform.assessment import Selection
    from chatconform.recordings import disk

    ran = [
        nodeid.split("::")[1:] for file, nodeid in config.stash[_RAN] if Path(config.rootpath, file).resolve() == path
    ]
    tested = {names[0] for names in ran if len(names) > 1}
    if not tested:
        return []
    seen = _seen(path, config)
    results = _assess(
        (provider for provider in _load(seen) if provider.id in tested),
        seen.parent,
        config.getoption("--chatconform-fail-on"),
        Selection(only=frozenset((names[0], names[1], names[2]) for names in ran if len(names) == 3)),
    )
    with disk.held(folder):
        return [str(reports.write(results, folder))]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say where the report is."""
    for said in terminalreporter.config.stash[_SAID]:
        terminalreporter.write_line(f"chatconform: {said}")
