"""What a live run is doing: a table that is drawn over and over on a terminal, and nothing where nobody watches."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from chatconform.model import Exchange
from chatconform.report.visible import line
from chatconform.scenarios.ask import Ask, Plan


@dataclass(slots=True)
class _State:
    """How far one provider is. Times are seconds of the monotonic clock."""

    planned: int
    tokens_planned: int
    begun: float
    done: int = 0
    tokens: int = 0
    running: dict[str, float] = field(default_factory=dict)
    waiting: str = ""
    ended: float | None = None

    @property
    def elapsed(self) -> float:
        return (time.monotonic() if self.ended is None else self.ended) - self.begun

    @property
    def at(self) -> str:
        """What is being done at the moment."""
        if self.ended is not None:
            return "done"
        return ", ".join(self.running) or self.waiting


class Progress:
    """Shows a capture on a console; use it as a context. It is the `Watch` of a capture."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._states: dict[str, _State] = {}
        self._live = Live(get_renderable=self._table, console=console, refresh_per_second=8, transient=True)

    def __enter__(self) -> Progress:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def planned(self, plan: Plan, have: int) -> None:
        """Begin with a provider, of whose exchanges some are there already."""
        self._states[plan.provider.id] = _State(plan.requests, plan.output_tokens, time.monotonic(), done=have)

    def started(self, provider: str, ask: Ask) -> None:
        """A request goes out."""
        state = self._states[provider]
        state.running[ask.id], state.waiting = time.monotonic(), ""

    def finished(self, provider: str, exchange: Exchange) -> None:
        """An exchange has ended, one way or the other."""
        state = self._states[provider]
        state.running.pop(exchange.id.partition("@")[0], None)
        state.done += "@" not in exchange.id and not exchange.end.startswith("limit:")
        state.tokens += _output_tokens(exchange)

    def skipped(self, provider: str, ask: Ask) -> None:
        """A request is not needed, for the one that it would have taken apart was not refused."""
        self._states[provider].running.pop(ask.id, None)

    def waiting(self, provider: str, seconds: float, why: str) -> None:
        """Nothing is sent for a while."""
        self._states[provider].waiting = f"waiting {seconds:.0f} s: {line(why, 60)}"

    def done(self, provider: str) -> None:
        """A provider is through."""
        self._states[provider].ended = time.monotonic()

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False, show_header=False)
        for provider, state in self._states.items():
            table.add_row(
                Text(provider, style="bold"),
                f"{state.done}/{state.planned}",
                f"{state.tokens}/{state.tokens_planned} tokens",
                f"{state.elapsed:.0f} s",
                Text(state.at, style="bright_black", overflow="ellipsis", no_wrap=True),
            )
        return table


def _output_tokens(exchange: Exchange) -> int:
    """Return what an answer says that it cost, in tokens; 0 where it does not say, or may be too large to look at."""
    from chatconform.capture.transport import LARGE
    from chatconform.recordings import redact
    from chatconform.wire import transcript as transcripts

    response = exchange.response
    if response is None or response.status >= 400 or len(response.body) > LARGE or redact.codings(response):
        return 0
    usages = [seen.value for seen in transcripts.read(exchange).facts.usages]
    counts = [usage.get("completion_tokens") for usage in usages if isinstance(usage, dict)]
    return max((count for count in counts if isinstance(count, int)), default=0)
