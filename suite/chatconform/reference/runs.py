"""Faults of whole runs: a good recording, what is done to it, and what that changes in what comparing says.

Most are misbehaviours of the reference, which the whole recording is made with; the others rewrite a good one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Final, TypeAlias

from chatconform.model import OPENAI, Exchange, Reason, SuiteError
from chatconform.reference import rewrite
from chatconform.reference.faults.fault import Change, Ids
from chatconform.reference.misbehaviour import all_misbehaviours
from chatconform.reference.rehearsal import Run, rehearsal
from chatconform.wire.asked import Target
from chatconform.wire.asked import read as read_request

BreaksRun: TypeAlias = Callable[[Run], Run]

_ERROR: Final = b'{"error":{"message":"Not today.","type":"server_error","param":null,"code":null}}'
_PAGE: Final = b"<!doctype html><title>Models</title>"
_HELD_BACK: Final = 2_500_000
"""Microseconds: when the whole of a buffered stream arrives."""


@dataclass(frozen=True, slots=True)
class RunFault:
    """A good run, the contract that it is of, what is done to it, what is then wrong, and what comparing then says.

    `change` states the outcome of each rule over the whole run, with its reason where there is one; of rules that
    `about` does not match it states nothing.
    """

    id: str
    of: str
    says: str
    makes: Callable[[], Run]
    breaks: BreaksRun
    change: Change
    about: str = "*"

    @property
    def contract(self) -> str | None:
        """The document that the run is held against, besides OpenAI's contract."""
        return None if self.of == OPENAI else self.of


_FAULTS: dict[str, RunFault] = {}


def written() -> Mapping[str, RunFault]:
    """Return every fault of a run that was written by hand, by id."""
    return MappingProxyType(_FAULTS)


def _change(
    fails: Ids = (),
    *,
    unproven: Mapping[str, Ids] | None = None,
    other_branch: Ids = (),
    refused: Ids = (),
    gone: Ids = (),
) -> Change:
    reasons = {Reason.OTHER_BRANCH: other_branch, Reason.REFUSED_TYPED: refused}
    return Change(fails, (), unproven or {}, {str(reason): ids for reason, ids in reasons.items() if ids}, gone)


def _misbehaves(name: str, change: Change, of: str = OPENAI) -> None:
    """Register what a misbehaviour of the reference changes."""
    identifier = f"run.{name}" if of == OPENAI else f"run.{of}.{name}"
    says = all_misbehaviours()[name].says
    contract = None if of == OPENAI else of
    _add(RunFault(identifier, of, says, partial(rehearsal, contract), lambda _: rehearsal(contract, name), change))


def _add(fault: RunFault) -> None:
    if fault.id in _FAULTS or not fault.says:
        raise SuiteError(f"fault {fault.id!r}: taken, or without a sentence")
    _FAULTS[fault.id] = fault


def _rewrites(identifier: str, change: Change) -> Callable[[BreaksRun], BreaksRun]:
    """Register a function that rewrites a good run under OpenAI's contract; its docstring says what is then wrong."""

    def register(breaks: BreaksRun) -> BreaksRun:
        says = " ".join(inspect.cleandoc(breaks.__doc__ or "").split())
        _add(RunFault(identifier, OPENAI, says, partial(rehearsal, None), breaks, change))
        return breaks

    return register


_PREREQUISITE: Final = str(Reason.PREREQUISITE)
_REPLACED: Final = _change(("errors.model.refused",), other_branch=("errors.status.model",))
_FIRST: Final[Mapping[str, Change]] = {
    "auth.missing.accepted": _change(("auth.key.required",)),
    "auth.wrong.accepted": _change(("auth.key.checked",)),
    "auth.wrong.error": _change(("auth.status.unauthorized",)),
    "auth.wrong.not_found": _change(("auth.status.unauthorized",)),
    "auth.wrong.forbidden": _change(("auth.status.forbidden",)),
    "body.malformed.accepted": _change(("errors.malformed.refused",)),
    "messages.missing.accepted": _change(("errors.malformed.refused",)),
    "methods.get.error": _change(("errors.status.method",)),
    "models.unknown.accepted": _REPLACED,
    "models.unknown.replaced": _REPLACED,
    "models.unknown.outage": _change(
        ("errors.status.model",), unproven={_PREREQUISITE: ("errors.model.refused",)}
    ),
    "model.missing.accepted": _change(
        ("errors.model.refused", "errors.refusal.outside"), other_branch=("errors.status.model",)
    ),
    "models.list.other": _change(("models.list.served",)),
    "ranges.outside.accepted": _change(("errors.refusal.outside",)),
    "ranges.outside.error": _change(("errors.refusal.crash",)),
    "types.wrong.accepted": _change(("errors.refusal.outside",)),
    "types.wrong.error": _change(("errors.refusal.crash",)),
    "content.parts.refused": _change(("parameters.parts.accepted",)),
    "roles.developer.refused": _change(("parameters.developer.accepted",)),
    "tools.result.refused": _change(
        ("parameters.tool_result.accepted",),
        refused=("request.messages_tool_call_id.type", "request.messages_tool_calls.type"),
    ),
    "parameters.logprobs.refused": _change(("parameters.logprobs.alone",)),
    "parameters.response_format.refused": _change(("parameters.text_format.accepted",)),
    "parameters.max_completion_tokens.refused": _change(
        ("parameters.max_completion_tokens.accepted",),
        unproven={_PREREQUISITE: ("request.max_completion_tokens.minimum",)},
        refused=("request.max_completion_tokens.type",),
    ),
    "parameters.parallel_tool_calls.refused": _change(
        ("parameters.parallel_tool_calls.accepted",), refused=("request.parallel_tool_calls.type",)
    ),
    "parameters.standard.refused": _change(
        (
            "parameters.parallel_tool_calls.accepted", "parameters.standard.accepted",
            "parameters.text_format.accepted",
            "request.safety_identifier.max_length",
        ),
        refused=(
            "pairs.stop.reached", "request.frequency_penalty.*", "request.logit_bias.*", "request.logprobs.*",
            "request.metadata.*", "request.modalities*", "request.n.*", "request.parallel_tool_calls.*",
            "request.presence_penalty.*", "request.prompt_cache_key.*", "request.response_format.type",
            "request.response_format_type.present", "request.response_format_type.type",
            "request.safety_identifier.type", "request.seed.*", "request.stop.*", "request.stop_item.*",
            "request.store.*", "request.stream_options*", "request.user.*",
        ),
        unproven={
            _PREREQUISITE: (
                "parameters.logprobs.alone", "request.function_call.*", "request.functions.*",
                "request.response_format_type.values", "request.top_logprobs.*",
            )
        },
    ),
    "ranges.ends.refused": _change(
        (
            "request.frequency_penalty.m*", "request.presence_penalty.m*", "request.temperature.m*", "request.top_p.m*",
            "request.top_logprobs.m*",
        ),
        refused=("request.temperature.type", "request.top_p.type"),
    ),
    "ranges.ends.error": _change(
        ("errors.refusal.crash",),
        unproven={
            _PREREQUISITE: (
                "request.frequency_penalty.m*", "request.presence_penalty.m*", "request.temperature.*",
                "request.top_p.*", "request.top_logprobs.m*",
            )
        },
    ),
    "cap.ignored": _change(
        ("errors.refusal.outside", "pairs.cap.kept"),
        other_branch=("pairs.completion_tokens.longer",),
        unproven={_PREREQUISITE: ("pairs.finish_reason.cut",)},
    ),
    "cap.silent": _change(("pairs.finish_reason.cut",)),
    "stop.early": _change(("errors.refusal.outside", "pairs.stop.reached")),
    "finish.stream.differs": _change(("pairs.finish_reason.same",)),
    "tools.stream.dropped": _change(("pairs.tool_calls.same",)),
    "model.stream.differs": _change(("pairs.model.same",)),
    "id.constant": _change(("pairs.id.distinct",)),
    "usage.completion.constant": _change(("pairs.completion_tokens.longer",)),
    "usage.prompt.constant": _change(("pairs.prompt_tokens.longer",)),
    "usage.prompt.random": _change(("pairs.prompt_tokens.same",)),
    "usage.stream.differs": _change(("pairs.prompt_tokens.same",)),
}  # fmt: skip
"""What misbehaviours change in the run of a provider without a document."""
_SECOND: Final[Mapping[str, Change]] = {
    "messages.reasoning.refused": _change(
        ("parameters.reasoning.accepted", "request.messages_reasoning_content.type")
    ),
    "parameters.max_completion_tokens.refused": _change(
        ("parameters.max_completion_tokens.accepted", "request.max_completion_tokens.type")
    ),
    "ranges.ends.refused": _change(
        (
            "request.frequency_penalty.m*", "request.presence_penalty.m*", "request.temperature.m*", "request.top_p.m*",
        ),
        unproven={_PREREQUISITE: ("request.temperature.type", "request.top_p.type")},
    ),
}  # fmt: skip
"""What misbehaviours change in the run of a provider whose document has ranges: TKHub's."""

for _name, _stated in _FIRST.items():
    _misbehaves(_name, _stated)
for _name, _stated in _SECOND.items():
    _misbehaves(_name, _stated, "tkhub")


def _each(run: Run, changes: Callable[[Exchange], Exchange]) -> Run:
    return tuple(map(changes, run))


def _is_stream(exchange: Exchange) -> bool:
    return read_request(exchange.request, looks_streamed=False).target is Target.STREAM


@_rewrites(
    "run.stream.mute",
    _change(
        ("pairs.stream.begun",),
        unproven={
            str(Reason.NETWORK): (
                "pairs.finish_reason.same", "pairs.tool_calls.same", "pairs.model.same", "parameters.logprobs.alone",
                "request.stream.type", "request.stream_options*", "request.function*",
            )
        },
        gone=("sse.delivery.progressive",),
    ),
)  # fmt: skip
def mute(run: Run) -> Run:
    """No stream ever begins: there is no status line until the suite's own clock ends the exchange."""
    return _each(run, lambda each: replace(each, response=None, end="timeout") if _is_stream(each) else each)


@_rewrites("run.stream.buffered", _change(("sse.delivery.progressive",)))
def buffered(run: Run) -> Run:
    """Every stream comes in one piece, two and a half seconds after the request."""
    return _each(run, lambda each: _in_one_piece(each) if _is_stream(each) else each)


def _in_one_piece(exchange: Exchange) -> Exchange:
    response = rewrite.response_of(exchange)
    return replace(exchange, response=replace(response, reads=((_HELD_BACK, len(response.body)),)))


@_rewrites("run.models.slash", _change(("models.path.slash",)))
def slash(run: Run) -> Run:
    """The path of the list of models with a slash at its end leads to a page of the vendor's."""
    return _each(run, _slashed)


def _slashed(exchange: Exchange) -> Exchange:
    if not exchange.request.url.endswith("/models/"):
        return exchange
    return rewrite.with_header(rewrite.with_body(exchange, _PAGE), "Content-Type", "text/html")


def _everywhere(status: int, exchange: Exchange) -> Exchange:
    failed = rewrite.with_header(rewrite.with_body(exchange, _ERROR), "Content-Type", "application/json")
    return rewrite.with_status(failed, status)


@_rewrites(
    "run.outage",
    _change(unproven={_PREREQUISITE: ("*",)}, gone=("errors.refusal.crash", "pairs.id.distinct", "sse.delivery.*",
                                                   "parameters.text_format.accepted")),
)  # fmt: skip
def outage(run: Run) -> Run:
    """Whatever is asked, a 502 comes: nothing is proven."""
    return _each(run, partial(_everywhere, 502))


@_rewrites(
    "run.limited",
    _change(unproven={str(Reason.RATE_LIMITED): ("*",)}, gone=("errors.refusal.crash", "pairs.id.distinct",
                                                              "sse.delivery.*", "parameters.text_format.accepted")),
)  # fmt: skip
def limited(run: Run) -> Run:
    """Whatever is asked, a 429 comes: nothing is proven."""
    return _each(run, partial(_everywhere, 429))


@_rewrites(
    "run.refused",
    _change(
        unproven={
            _PREREQUISITE: (
                "auth.*", "errors.*", "models.path.slash", "parameters.*", "request.*",
            )
        },
        refused=("models.list.served", "pairs.*"),
        gone=("pairs.id.distinct", "sse.delivery.progressive", "parameters.text_format.accepted"),
    ),
)  # fmt: skip
def refused(run: Run) -> Run:
    """Whatever is asked is refused with a typed 400, as where the account is closed."""
    return _each(run, partial(_everywhere, 400))
