"""The JSON of answers: one completion, or the chunks of a stream. Members that OpenAI's own answers have are there."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

from chatconform.model import JsonObject, JsonValue
from chatconform.reference.answers import tokens
from chatconform.reference.answers.calls import Call
from chatconform.reference.answers.reply import Reply, replies
from chatconform.wire.asked import Asked

FINGERPRINT: Final = "fp_reference"
_ROUTES: Final = {"auto": "reference-1", "auto-fast": "reference-1-fast", "auto-cheap": "reference-1-cheap"}
"""The models that Tooken's aliases are resolved to (000_3800249b69e3bcad.txt:17)."""
_CREDITS: Final = 0.25
_SILENCE: Final = base64.b64encode(bytes(64)).decode()
_SHOWS_REASONING: Final = "tkhub"
"""The contract whose messages have a reasoning_content (001_3d2513934720930c.txt)."""


@dataclass(frozen=True, slots=True)
class Completion:
    """What answers one request: the replies and the envelope around them. `digest` is 24 hexadecimal digits."""

    asked: Asked
    contract: str | None
    digest: str
    created: int
    replies: tuple[Reply, ...]

    @property
    def model(self) -> str:
        """The model that answers: the one asked for, or the one that Tooken's alias is resolved to."""
        name = self.asked.model or ""
        return _ROUTES.get(name, name) if self.contract == "tooken" else name

    def answer(self) -> JsonObject:
        """Return the completion in one piece."""
        choices: list[JsonValue] = [self._choice(number, reply) for number, reply in enumerate(self.replies)]
        whole = {**self._envelope("chat.completion"), "choices": choices, "usage": self._usage(), **self._beside()}
        return {**whole, "platform": self._platform()} if self.contract == "tooken" else whole

    def chunks(self) -> Iterator[JsonObject]:
        """Yield the chunks: the roles, one for each token, the finish_reasons, and the usage where it is wanted."""
        envelope = {**self._envelope("chat.completion.chunk"), **self._beside()}
        unreported: JsonObject = {"usage": None} if self.asked.wants_usage else {}
        streams = [self._deltas(number, reply) for number, reply in enumerate(self.replies)]
        for row in zip_longest(*streams):
            for choice in row:
                if choice is not None:
                    yield {**envelope, "choices": [choice], **unreported}
        if self.asked.wants_usage:
            yield {**envelope, "choices": [], "usage": self._usage()}

    def _envelope(self, kind: str) -> JsonObject:
        return {"id": f"chatcmpl-{self.digest}", "object": kind, "created": self.created, "model": self.model}

    def _beside(self) -> JsonObject:
        tier = self.asked.body.get("service_tier")
        used = tier if isinstance(tier, str) and tier != "auto" else "default"
        return {"service_tier": used, "system_fingerprint": FINGERPRINT}

    def _platform(self) -> JsonObject:
        budget = self.asked.body.get("budget_limit")
        limit = max(0.0, budget) if isinstance(budget, int | float) else _CREDITS
        return {
            "routed_model": self.model,
            "route_reason": "alias" if self.asked.model in _ROUTES else "named",
            "credits_consumed": min(_CREDITS, limit),
            "cost_saved_credits": 1.5,
        }

    def _usage(self) -> JsonObject:
        prompt, completion = tokens.of_prompt(self.asked.body), sum(reply.tokens for reply in self.replies)
        reasoning = sum(reply.reasoning_tokens for reply in self.replies)
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {
                "cached_tokens": 0, "text_tokens": prompt, "audio_tokens": 0, "image_tokens": 0,
            },
            "completion_tokens_details": {
                "reasoning_tokens": reasoning, "text_tokens": completion - reasoning, "audio_tokens": 0,
                "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
            },
        }  # fmt: skip

    def _choice(self, number: int, reply: Reply) -> JsonObject:
        spoken: JsonObject = {"role": "assistant", "content": reply.content, "refusal": None, "annotations": []}
        if reply.reasoning and self.contract == _SHOWS_REASONING:
            spoken["reasoning_content"] = reply.reasoning
        if reply.calls:
            spoken |= self._calls(number, reply)
        elif self._is_audible:
            spoken["audio"] = self._audio(number, reply.content or "")
        logprobs = self._logprobs(tokens.split(reply.content or "")) if reply.content else None
        return {"index": number, "message": spoken, "logprobs": logprobs, "finish_reason": reply.finish}

    @property
    def _is_audible(self) -> bool:
        wanted = self.asked.body.get("modalities")
        return isinstance(wanted, list) and "audio" in wanted

    def _audio(self, number: int, transcript: str) -> JsonObject:
        return {
            "id": f"audio_{self.digest}{number}", "data": _SILENCE, "expires_at": self.created + 3600,
            "transcript": transcript,
        }  # fmt: skip

    def _calls(self, number: int, reply: Reply) -> JsonObject:
        if reply.calls[0].tool.kind == "legacy":
            return {"function_call": _function(reply.calls[0])}
        return {"tool_calls": [self._call(number, at, call) for at, call in enumerate(reply.calls)]}

    def _call(self, number: int, at: int, call: Call) -> JsonObject:
        """Return a call, whole."""
        begun = self._begun(number, at, call)
        return {**begun, call.tool.kind: _input(call) if call.tool.kind == "custom" else _function(call)}

    def _begun(self, number: int, at: int, call: Call) -> JsonObject:
        return {"id": f"call_{_digest(f'{self.digest}.{number}.{at}', 24)}", "type": call.tool.kind}

    def _logprobs(self, pieces: Iterable[str]) -> JsonValue:
        if not self.asked.logprobs:
            return None
        most = self.asked.top_logprobs or 0
        return {"content": [_token(piece, most) for piece in pieces], "refusal": None}

    def _deltas(self, number: int, reply: Reply) -> Iterator[JsonObject]:
        """Yield the choices of one reply's chunks."""
        first: JsonObject = {"role": "assistant", "content": None if reply.calls else "", "refusal": None}
        yield _delta(number, first)
        if self.contract == _SHOWS_REASONING:
            yield from (_delta(number, {"reasoning_content": piece}) for piece in tokens.split(reply.reasoning))
        for piece in tokens.split(reply.content or ""):
            yield _delta(number, {"content": piece}, self._logprobs([piece]))
        for at, call in enumerate(reply.calls):
            yield from (_delta(number, delta) for delta in self._call_deltas(number, at, call))
        if self._is_audible and not reply.calls:
            yield _delta(number, {"audio": self._audio(number, reply.content or "")})
        yield {**_delta(number, {}), "finish_reason": reply.finish}

    def _call_deltas(self, number: int, at: int, call: Call) -> Iterator[JsonObject]:
        """Yield the deltas of a call: its beginning, without arguments, and then the arguments in pieces."""
        if call.tool.kind == "legacy":
            yield {"function_call": {"name": call.tool.name, "arguments": ""}}
            for piece in _pieces(call.arguments):
                yield {"function_call": {"arguments": piece}}
            return
        named, field = call.tool.kind, "input" if call.tool.kind == "custom" else "arguments"
        begun = self._begun(number, at, call)
        yield {"tool_calls": [{"index": at, **begun, named: {"name": call.tool.name, field: ""}}]}
        for piece in _pieces(call.arguments):
            yield {"tool_calls": [{"index": at, named: {field: piece}}]}


def completion(asked: Asked, contract: str | None, digest: str, created: int) -> Completion:
    """Return what answers a request. `created` is Unix time in seconds."""
    return Completion(asked, contract, digest, created, replies(asked))


def _delta(number: int, delta: JsonObject, logprobs: JsonValue = None) -> JsonObject:
    return {"index": number, "delta": delta, "logprobs": logprobs, "finish_reason": None}


def _function(call: Call) -> JsonObject:
    return {"name": call.tool.name, "arguments": call.arguments}


def _input(call: Call) -> JsonObject:
    return {"name": call.tool.name, "input": call.arguments}


def _pieces(arguments: str) -> list[str]:
    """Return arguments in two pieces, cut at their middle token; in one where they have one token."""
    split = tokens.split(arguments)
    middle = len(split) // 2
    return [piece for piece in ("".join(split[:middle]), "".join(split[middle:])) if piece]


def _digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def _token(text: str, most: int) -> JsonObject:
    """Return a token with its log probability, and as many of the likeliest as asked for, itself the first."""
    chance = -0.01 - int(_digest(text, 4), 16) / 100_000
    ranked: list[JsonValue] = [_ranked(text, chance)]
    ranked += [_ranked(f" {chr(ord('a') + rank)}", chance - rank) for rank in range(1, most)]
    return {**_ranked(text, chance), "top_logprobs": ranked[:most]}


def _ranked(text: str, chance: float) -> JsonObject:
    return {"token": text, "logprob": round(chance, 5), "bytes": list[JsonValue](text.encode())}
