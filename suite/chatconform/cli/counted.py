"""How far counting is: a line that is drawn over and over on a terminal, else a line now and then."""

from __future__ import annotations

import time
from typing import Final

from rich.console import Console
from rich.live import Live
from rich.text import Text

from chatconform.bulk.counts import Counts

EVERY: Final = 10.0
"""How many seconds there are at least between two lines where there is no terminal."""
_MB = 1_000_000


class Counted:
    """Shows how far counting is, on a console; use it as a context.

    `size` is how many bytes there are to read, as they are in the files; None where nobody knows.
    """

    def __init__(self, console: Console, size: int | None) -> None:
        """Begin with nothing."""
        self._console = console
        self._size = size
        self._read = self._exchanges = self._unread = 0
        self._begun = self._said = time.monotonic()
        self._live = Live(get_renderable=self._text, console=console, refresh_per_second=4, transient=True)

    def __enter__(self) -> Counted:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def counted(self, read: int, part: Counts) -> None:
        """Say that a part was counted, for which so many bytes of files were read."""
        self._read += read
        self._exchanges += part.exchanges
        self._unread += part.unread
        now = time.monotonic()
        if not self._console.is_terminal and now - self._said >= EVERY:
            self._said = now
            self._console.print(self._text(), soft_wrap=True)

    def _text(self) -> Text:
        return Text(progress(self._exchanges, self._unread, self._read, self._size, time.monotonic() - self._begun))


def progress(exchanges: int, unread: int, read: int, size: int | None, seconds: float) -> str:
    """Say how far counting is, how quick it is, and how long it still takes."""
    per_second = f"{exchanges / seconds:,.0f}/s, {read / _MB / seconds:.1f} MB/s" if seconds else ""
    parts = [f"{exchanges:,} exchanges", f"{read / _MB:,.0f}{f' of {size / _MB:,.0f}' if size else ''} MB", per_second]
    if unread:
        parts.insert(1, f"{unread:,} not read")
    if size and read:
        parts.append(f"{duration(seconds * max(0, size - read) / read)} left")
    return ", ".join(part for part in parts if part)


def duration(seconds: float) -> str:
    """Return a time as people say it, rounded up to whole seconds."""
    minutes, rest = divmod(int(-(-seconds // 1)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
