"""Batches judged side by side, in processes of their own. No batch is lost: one that ends its worker is judged anew.

A worker that was killed, as by a system that is out of memory, takes no other's work with it: what was under way is
judged again, a batch at a time, in smaller and smaller parts, until the line that ends a worker stands alone. That
line is counted as one that could not be judged, and named.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from typing import Final

from chatconform.bulk.batches import BATCH, PIECE, Batch, Piece, unreadable
from chatconform.bulk.counting import Counting, Terms
from chatconform.bulk.counts import Counts
from chatconform.model import InputError, Place
from chatconform.recordings.sources import Unreadable

MAX_DEATHS: Final = 50
"""How many workers may end before their time, until the run does."""
_DEATHS = (BrokenProcessPool, MemoryError)
_AHEAD = 2
"""How many batches there are for each worker, the one that it judges included."""


def judged(batches: Iterable[Batch], terms: Terms, jobs: int) -> Iterator[tuple[Batch, Counts]]:
    """Yield batches with what they come to, in any order; a single one, or all for one job, are judged here.

    Raises `InputError` for a contract that there is not, and where workers keep dying.
    """
    counting = Counting(terms)
    left = iter(batches)
    begin = deque(islice(left, min(jobs, 2)))
    if len(begin) < 2:
        yield from _here(_after(begin, left), counting)
    else:
        yield from _Workers(terms, jobs).judged(_after(begin, left))


def size(jobs: int) -> int:
    """Return how many bytes batches are to have: little is kept where they are judged, and much is handed over."""
    return PIECE if jobs == 1 else BATCH


def _after(begin: deque[Batch], left: Iterator[Batch]) -> Iterator[Batch]:
    """Yield the batches of both, and keep none of them."""
    while begin:
        yield begin.popleft()
    yield from left


def _here(batches: Iterable[Batch], counting: Counting) -> Iterator[tuple[Batch, Counts]]:
    """Judge batches in this process. What they come to is put together, which takes time, once for `BATCH` bytes."""
    gc.freeze()
    pending = 0
    for batch in batches:
        _take(counting, batch.pieces)
        pending += sum(len(piece.data) for piece in batch.pieces)
        counted = counting.drain() if pending >= BATCH else Counts()
        pending = pending if pending < BATCH else 0
        yield batch, counted + batch.unread
    yield Batch((), Counts(), 0), counting.drain()


def _take(counting: Counting, pieces: Iterable[Piece]) -> None:
    for piece in pieces:
        if piece.is_file:
            counting.file(piece.data, piece.source)
        else:
            for number, line in enumerate(piece.lines, piece.first):
                counting.line(line, piece.source, number)


_counting: Counting | None = None
"""What a worker counts with, from its first batch to its last."""


def _begin(terms: Terms) -> None:
    global _counting  # noqa: PLW0603  a worker has one, and no other way to keep it
    _counting = Counting(terms)
    gc.freeze()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this worker when the process that started it is gone, for then nobody gives it work or ends it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(pieces: tuple[Piece, ...]) -> Counts:
    assert _counting is not None
    _take(_counting, pieces)
    return _counting.drain()


class _Workers:
    """Processes that judge batches."""

    def __init__(self, terms: Terms, jobs: int) -> None:
        self._terms, self._jobs = terms, jobs
        self._deaths = 0

    def judged(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, Counts]]:
        """Yield every batch with its counts."""
        left = iter(batches)
        unfinished: list[Batch] = []
        while True:
            yield from self._side_by_side(left, unfinished)
            if not unfinished:
                return
            while unfinished:
                batch = unfinished.pop(0)
                yield batch, sum(map(self._alone, batch.pieces), batch.unread)

    def _side_by_side(self, batches: Iterator[Batch], unfinished: list[Batch]) -> Iterator[tuple[Batch, Counts]]:
        """Judge batches until there are no more, or a worker dies; then those under way are unfinished."""
        waiting: dict[Future[Counts], Batch] = {}
        with self._pool(self._jobs) as pool:
            try:
                for batch in batches:
                    unfinished.append(batch)
                    waiting[_submit(pool, batch.pieces)] = unfinished.pop()
                    if len(waiting) >= _AHEAD * self._jobs:
                        yield from _finished(waiting)
                while waiting:
                    yield from _finished(waiting)
            except _DEATHS:
                self._died()
                unfinished[:0] = waiting.values()

    def _alone(self, piece: Piece) -> Counts:
        """Judge a piece while nothing else is under way, in halves where it ends its worker."""
        try:
            with self._pool(1) as pool:
                return _submit(pool, (piece,)).result()
        except _DEATHS:
            self._died()
        halves = piece.halves()
        if halves is not None:
            return sum(map(self._alone, halves), Counts())
        place = Place(piece.source, None if piece.is_file else piece.first)
        problem = "is not judged: the process that judged it was killed, or ran out of memory"
        return unreadable(Unreadable(place, problem, "judge it by itself, where there is more memory"), lines=1)

    def _died(self) -> None:
        self._deaths += 1
        if self._deaths > MAX_DEATHS:
            problem = f"{self._deaths} worker processes were killed, or ran out of memory"
            raise InputError(Place("--jobs"), problem, "judge with fewer jobs, or where there is more memory")

    @contextmanager
    def _pool(self, jobs: int) -> Iterator[ProcessPoolExecutor]:
        """Start processes, and end them: at once where what they are doing is of no use any more."""
        others = set(multiprocessing.active_children())
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(jobs, context, _begin, (self._terms,))
        try:
            yield pool
        except BaseException:
            for child in set(multiprocessing.active_children()) - others:
                child.terminate()
            raise
        finally:
            pool.shutdown(cancel_futures=True)


def _submit(pool: ProcessPoolExecutor, pieces: tuple[Piece, ...]) -> Future[Counts]:
    """Hand pieces to a worker. One that is started by this does not hear of Ctrl-C, which is for this process."""
    with _deaf():
        return pool.submit(_work, pieces)


@contextmanager
def _deaf() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _finished(waiting: dict[Future[Counts], Batch]) -> Iterator[tuple[Batch, Counts]]:
    """Yield batches that are through, one at least. Raises `BrokenProcessPool` and leaves those that are not."""
    done, _ = wait(waiting, return_when=FIRST_COMPLETED)
    for future in done:
        counts = future.result()
        batch = waiting.pop(future)
        yield batch, counts + batch.unread
