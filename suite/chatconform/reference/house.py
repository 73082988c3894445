"""The reference endpoint without its sockets: a received request in, the exchange that answers it out."""

from __future__ import annotations

import hashlib
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final, TypeAlias

from chatconform.model import Exchange, Headers, JsonObject, JsonValue, Origin, Response
from chatconform.reference import rewrite
from chatconform.reference.answers.completion import completion
from chatconform.reference.good import CREATED
from chatconform.reference.received import MODELS, Received
from chatconform.reference.refusals import Door, Refusal
from chatconform.wire.asked import Target
from chatconform.wire.media import header

Answers: TypeAlias = Callable[[Received], Exchange]

_MODELS: Final = ("reference-1", "reference-2")
_OF_CONTRACT: Final = {
    "tooken": ("auto", "auto-fast", "auto-cheap", "reference-1-fast", "reference-1-cheap"),
    "tkhub": ("gpt-4",),
    "costrouter": ("gpt-4o",),
    "toapis": ("claude-sonnet-4-6",),
    "xmsmartlink": ("gpt-4o-mini",),
}
"""Names that the documents' own examples ask for, which the list of models has too."""
_YEAR: Final = 31_536_000
_TRACED: Final = "xmsmartlink"
"""The contract with the header field X-Trace-ID (004_7bc8f496f1811036.txt:60-63)."""


@dataclass(frozen=True, slots=True)
class House:
    """Answers requests well. `clock` returns Unix time in seconds."""

    door: Door
    clock: Callable[[], float] = time.time

    @property
    def contract(self) -> str | None:
        """The document that answers keep to besides OpenAI's contract."""
        return self.door.contract

    def answer(self, received: Received) -> Exchange:
        """Return the exchange of a request with its good answer."""
        refusal = self.door.refusal(received)
        if refusal is not None:
            return self.refused(received, refusal)
        if not received.is_chat:
            return self._listed(received)
        told = completion(received.asked, self.contract, digest(received), int(self.clock()))
        if received.asked.target is not Target.STREAM:
            return self.sent(received, 200, told.answer())
        headers = (("Content-Type", "text/event-stream; charset=utf-8"), ("Cache-Control", "no-cache"))
        blocks = [*(b"data: " + rewrite.as_json(chunk) for chunk in told.chunks()), rewrite.DONE]
        return rewrite.with_events(self._exchange(received, 200, headers, received.body), blocks)

    def refused(self, received: Received, refusal: Refusal) -> Exchange:
        """Return the exchange of a request that is refused."""
        return self.sent(received, refusal.status, refusal.body, refusal.headers)

    def sent(self, received: Received, status: int, body: JsonValue, headers: Headers = ()) -> Exchange:
        """Return the exchange of a request with a JSON answer."""
        labelled = (("Content-Type", "application/json"), ("Content-Length", "0"), *headers)
        return rewrite.with_body(self._exchange(received, status, labelled), rewrite.as_json(body))

    def _listed(self, received: Received) -> Exchange:
        """Return the list of models, or the one that the path names."""
        if received.path != MODELS:
            return self.sent(received, 200, _model(received.path.removeprefix(f"{MODELS}/")))
        rows: list[JsonValue] = [_model(name) for name in self._models()]
        return self.sent(received, 200, {"object": "list", "data": rows})

    def _models(self) -> Sequence[str]:
        return tuple(dict.fromkeys((*_MODELS, *_OF_CONTRACT.get(self.contract or "", ()), *self.door.models)))

    def _exchange(self, received: Received, status: int, headers: Headers, body: JsonObject | None = None) -> Exchange:
        """Return the exchange without an answer's body; the fields that every answer has stand first.

        Its request asks for a stream only where the answer is one: rewriting goes by that.
        """
        now = datetime.fromtimestamp(int(self.clock()), UTC)
        fields = (("Date", format_datetime(now, usegmt=True)), *headers, ("X-Request-ID", f"req_{digest(received)}"))
        trace = header(received.request.headers, "X-Trace-ID") if self.contract == _TRACED else None
        echoed = (("X-Trace-ID", trace),) if trace else ()
        response = Response(status, (*fields, *echoed), http_version="1.1", headers_after=rewrite.FIRST_READ)
        return Exchange(
            id=digest(received),
            provider=self.contract or "reference",
            request=replace(received.request, body=body or {**received.body, "stream": False}),
            response=response,
            origin=Origin.REFERENCE,
            recorded_at=now.isoformat().replace("+00:00", "Z"),
            model=received.asked.model,
        )


def digest(received: Received) -> str:
    """Return 24 hexadecimal digits that tell requests apart, and equal ones by their number."""
    request = received.request
    text = f"{request.method} {received.path} {received.key} {received.seen}\n".encode() + received.raw
    return hashlib.sha256(text).hexdigest()[:24]


def _model(name: str) -> JsonObject:
    made = CREATED - zlib.crc32(name.encode()) % _YEAR
    return {"id": name, "object": "model", "created": made, "owned_by": name.partition("-")[0]}
