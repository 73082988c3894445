"""Named faults at work: each breaks the endpoint's own answers, where these are like the good exchange it is of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from chatconform.model import Exchange, Headers
from chatconform.reference import reshaping, rewrite
from chatconform.reference.faults import all_faults
from chatconform.reference.faults.fault import Fault
from chatconform.reference.good import GOOD
from chatconform.reference.house import Answers
from chatconform.reference.received import Received
from chatconform.wire import asked as requests
from chatconform.wire.asked import Asked, Target

MISFITS: Final = (KeyError, IndexError, TypeError, ValueError, AttributeError, AssertionError, StopIteration)
"""What a fault raises where the places that it rewrites are not there."""
_LIMITED: Final = 429
_DECISIVE: Final = ("required", "none", "named", "allowed_tools")
"""Of these a good exchange's tool_choice has to be the request's; auto is what is meant without one."""
_MARKS: Final = {"calls": b'"tool_calls":[{', "called": b'"function_call":{'}
"""What tells by the body what an answer holds."""
_ABOUT: Final = {
    "parameters.stop.": "stop",
    "parameters.cap.": "cap",
    "usage.cap.": "caps",
    "extensions.trace_id.": "trace",
    "structured.": "format",
}
"""What a request has to ask for where a fault is about that; for the others it is by the way."""


def breaking(answers: Answers, fault: Fault) -> Answers:
    """Return what answers requests where a fault is at work."""

    def answer(received: Received) -> Exchange:
        return broken(fault, received, answers(received))

    return answer


def broken(fault: Fault, received: Received, exchange: Exchange) -> Exchange:
    """Return an answer after a fault; unchanged where it is not like what the fault breaks, or nothing fits."""
    if not fits(fault, received, exchange):
        return exchange
    told = reshaping.reshaped(exchange, GOOD[fault.of])
    try:
        changed = fault.breaks(told)
    except MISFITS:
        return exchange
    return reshaping.restored(changed, exchange, GOOD[fault.of]) if _is_of_the_wire(told, changed) else exchange


def spoils_framing(fault: Fault) -> bool:
    """Whether a fault leaves a body that no later one can rewrite the JSON of without mending it."""
    return not reshaping.is_well_framed(fault.breaks(GOOD[fault.of]))


@cache
def wire_faults() -> Mapping[str, Fault]:
    """Return the named faults that a socket can show, by id: what is wrong with a recording is not among them."""
    return {name: fault for name, fault in all_faults().items() if _shows(fault)}


def _shows(fault: Fault) -> bool:
    good = GOOD[fault.of]
    return not fault.id.startswith("sse.delivery.") and _is_of_the_wire(good, fault.breaks(good))


def _is_of_the_wire(good: Exchange, changed: Exchange) -> bool:
    """Whether a fault changed what is sent, and not the request, the recorder or the suite's own limits."""
    response = changed.response
    if response is None or response.headers is None or changed.request != good.request:
        return False
    is_other = (response.status, response.headers, response.body, changed.end) != _sent(good)
    return is_other and changed.origin is good.origin and not changed.end.startswith("limit:")


def _sent(exchange: Exchange) -> tuple[int, Headers | None, bytes, str]:
    response = rewrite.response_of(exchange)
    return response.status, response.headers, response.body, exchange.end


def fits(fault: Fault, received: Received, exchange: Exchange) -> bool:
    """Whether an answer is like the good exchange of a fault: target, tools, logprobs, n, what the fault is about."""
    good = GOOD[fault.of]
    asked = requests.read(good.request, looks_streamed=False)
    about = {trait for group, trait in _ABOUT.items() if fault.id.startswith(group)}
    needed = {trait for trait in _traits(asked, good) if trait.partition(" ")[0] not in {*_ABOUT.values()} - about}
    return needed <= set(_traits(received.asked, exchange))


def _traits(asked: Asked, exchange: Exchange) -> Iterator[str]:
    """Yield what a request asks and an answer holds, in words."""
    status = 0 if exchange.response is None else exchange.response.status
    if status >= 400:
        yield from ("error", *(["limit"] if status == _LIMITED else ["malformed"] if asked.is_malformed else []))
        return
    is_stream = asked.target is Target.STREAM and rewrite.is_stream(exchange)
    yield f"target {Target.ANSWER if asked.target is Target.STREAM and not is_stream else asked.target}"
    if asked.tool_choice in _DECISIVE:
        yield f"choice {asked.tool_choice}"
    wanted = {
        "tools": asked.has_tools, "functions": "functions" in asked.body, "logprobs": asked.logprobs,
        "n": asked.n > 1, "stop": asked.stops,
        "cap": asked.cap is not None, "caps": asked.max_tokens and asked.max_completion_tokens,
        "trace": asked.trace_id, f"format {asked.json_format}": asked.json_format,
    }  # fmt: skip
    yield from (name for name, is_wanted in wanted.items() if is_wanted)
    body = b"" if exchange.response is None else exchange.response.body
    called = [name for name, mark in _MARKS.items() if mark in body]
    yield from called or (["uncalled"] if asked.has_tools else [])
