"""Made-up traffic for the benchmarks: half answers, half streams, as gateways send them."""

import json
from random import Random

from chatconform.model import Exchange, Headers, Origin, Request, Response

JSON: Headers = (("Content-Type", "application/json"),)
EVENTS: Headers = (("Content-Type", "text/event-stream; charset=utf-8"),)
WORDS = ["The", " answer", " is", " forty", "-two", ",", " as", " everybody", " knows", ".", "\n\n", ' "so"', " 世界"]
TOOKEN = "auto"
MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is the answer?"}]


def answer(random: Random, number: int) -> Exchange:
    """Return an answer in one piece, of one to four sentences."""
    tokens = random.randint(20, 90)
    value = {
        "id": f"chatcmpl-{random.getrandbits(96):024x}",
        "object": "chat.completion",
        "created": 1_790_000_000 + number,
        "model": "reference-1",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "".join(random.choices(WORDS, k=tokens)), "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 24,
            "completion_tokens": tokens,
            "total_tokens": 24 + tokens,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
        "system_fingerprint": "fp_44709d6fcb",
        "platform": {
            "routed_model": "reference-1",
            "route_reason": "cheapest",
            "credits_consumed": 0.475,
            "cost_saved_credits": 13.5,
        },
    }
    return _exchange(f"answer-{number}", {"model": TOOKEN, "messages": MESSAGES}, JSON, json.dumps(value).encode())


def stream(random: Random, number: int, chunks: int, *, obfuscated: bool = False) -> Exchange:
    """Return a stream of so many chunks that carry text, framed as OpenAI frames it."""
    head = {
        "id": f"chatcmpl-{random.getrandbits(96):024x}",
        "object": "chat.completion.chunk",
        "created": 1_790_000_000 + number,
        "model": "reference-1",
        "service_tier": "default",
        "system_fingerprint": "fp_44709d6fcb",
    }

    def chunk(delta: dict[str, object], finish: str | None = None) -> bytes:
        value: dict[str, object] = {**head, "choices": [_choice(delta, finish)]}
        if obfuscated:
            value["obfuscation"] = "".join(random.choices("abcdefghijkmnopqrstuvwxyzABCDEFGH0123456789", k=7))
        return b"data: " + json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode() + b"\n\n"

    body = [chunk({"role": "assistant", "content": "", "refusal": None})]
    body += [chunk({"content": random.choice(WORDS)}) for _ in range(chunks)]
    body += [chunk({}, "stop"), b"data: [DONE]\n\n"]
    asked = {"model": TOOKEN, "messages": MESSAGES, "stream": True}
    return _exchange(f"stream-{number}", asked, EVENTS, b"".join(body))


def _choice(delta: dict[str, object], finish: str | None) -> dict[str, object]:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}


def _exchange(name: str, asked: dict[str, object], headers: Headers, body: bytes) -> Exchange:
    request = Request("POST", "http://127.0.0.1/v1/chat/completions", (), asked)  # type: ignore[arg-type]
    return Exchange(name, "tooken", request, Response(200, headers, body, "1.1"), origin=Origin.REFERENCE)


def mixed(count: int, lengths: tuple[int, ...] = (20, 60, 200), *, obfuscated: bool = False) -> list[Exchange]:
    """Return `count` exchanges, every other one a stream, of the given lengths in turn."""
    random = Random(7)
    return [
        answer(random, number)
        if number % 2
        else stream(random, number, lengths[number // 2 % len(lengths)], obfuscated=obfuscated)
        for number in range(count)
    ]


def payloads(exchanges: list[Exchange]) -> list[bytes]:
    """Return every JSON text of the exchanges: the bodies, and the data of the events."""
    texts: list[bytes] = []
    for exchange in exchanges:
        assert exchange.response is not None
        body = exchange.response.body
        lines = [line[6:] for line in body.split(b"\n") if line.startswith(b"data: {")]
        texts += lines or [body]
    return texts


def stream_of(chunks: int, count: int) -> list[Exchange]:
    """Return so many streams of one length."""
    random = Random(11)
    return [stream(random, number, chunks) for number in range(count)]
