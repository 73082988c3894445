"""A witness: has a client library read an answer, and says what came of it. Runs under the interpreter of the clients.

`python -I witness.py` prints the versions of the clients that are installed, a JSON object. With a name it imports that
client, says so (`failed`: why it cannot be, or null), and answers each line of its standard input with a line, a JSON
object each. In: `way` (a way of reading, such as
openai-python-stream), `base_url`, `body` (a chat completion to ask for; null asks for the models), `idle_s` (seconds
without a byte after which the client gives up). Out: `raised` (the type and the first words of an exception, or null),
`hung` (whether it was a timeout), and `answer` (what the client hands over, or null). It connects to nothing but
127.0.0.1. It imports nothing of chatconform, which is not installed there.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import json
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any

KEY = "sk-not-a-key"
WORDS = 400
"""Characters of an exception that are told."""
_ELSEWHERE = {
    "socket.connect": 1, "socket.sendto": 1, "socket.sendmsg": 1,
    "socket.getaddrinfo": 0, "socket.gethostbyname": 0, "socket.gethostbyaddr": 0,
}  # fmt: skip
"""Which argument of what is about to happen is the address."""


def refuse_elsewhere(event: str, arguments: tuple[Any, ...]) -> None:
    """Raise where something is about to leave this machine."""
    if event in _ELSEWHERE:
        address = arguments[_ELSEWHERE[event]]
        host = address[0] if isinstance(address, tuple) else address
        if host not in (None, "127.0.0.1", b"127.0.0.1"):
            raise PermissionError(f"a witness talks to 127.0.0.1 alone, not to {host!r}")


def library(name: str) -> Any:  # noqa: ANN401
    """Return a client library, which nothing here could be checked against."""
    return importlib.import_module(name)


def fitting(function: Callable[..., Any], body: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call for the members of a body; those that it does not name go into `extra_body`."""
    known = set(inspect.signature(function).parameters)
    extra = {name: value for name, value in body.items() if name not in known}
    return {**{name: body[name] for name in body if name in known}, **({"extra_body": extra} if extra else {})}


class Openai:
    """openai-python, in a plain call or loop, or through its helper for streams."""

    def __init__(self) -> None:
        """Import the library."""
        self.library = library("openai")
        self.client = self.library.OpenAI(base_url="http://127.0.0.1", api_key=KEY, max_retries=0)

    def ask(self, way: str, base_url: str, body: dict[str, Any] | None, idle_s: float) -> dict[str, Any]:
        """Return what the client hands over."""
        client = self.client.with_options(base_url=base_url, timeout=idle_s)
        if body is None:
            return {"models": [model.id for model in client.models.list()]}
        completions = client.chat.completions
        if way == "openai-python-stream":
            plain = {name: value for name, value in body.items() if name != "stream"}
            with completions.stream(**fitting(completions.stream, plain)) as stream:
                for _ in stream:
                    pass
                return completed(stream.get_final_completion())
        answer = completions.create(**fitting(completions.create, body))
        return streamed(answer) if body.get("stream") else completed(answer)


class Litellm:
    """litellm, with an OpenAI-compatible endpoint behind it; its own function joins the chunks of a stream."""

    def __init__(self) -> None:
        """Import the library, which must not fetch its list of prices."""
        self.library = library("litellm")
        self.library.telemetry = False
        self.library.suppress_debug_info = True

    def ask(self, way: str, base_url: str, body: dict[str, Any] | None, idle_s: float) -> dict[str, Any]:
        """Return what the client hands over."""
        del way
        if body is None:
            raise NotImplementedError("models")
        members = {**body, "model": f"openai/{body.get('model')}"}
        answer = self.library.completion(
            **members, api_base=base_url, api_key=KEY, timeout=idle_s, max_retries=0, num_retries=0
        )
        if not body.get("stream"):
            return completed(answer)
        chunks = list(answer)
        joined = self.library.stream_chunk_builder(chunks, messages=body.get("messages")) if chunks else None
        reported = [counted(usage) for chunk in chunks if (usage := getattr(chunk, "usage", None))]
        return {**(completed(joined) if joined else {"choices": []}), "usage": reported[-1] if reported else None}


class Langchain:
    """langchain-openai: ChatOpenAI, invoked or streamed. It hands over the first choice alone."""

    def __init__(self) -> None:
        """Import the library."""
        self.library = library("langchain_openai")
        openai = library("openai")
        self.lines = {"http_client": openai.DefaultHttpxClient(), "http_async_client": openai.DefaultAsyncHttpxClient()}

    def ask(self, way: str, base_url: str, body: dict[str, Any] | None, idle_s: float) -> dict[str, Any]:
        """Return what the client hands over."""
        del way
        if body is None:
            raise NotImplementedError("models")
        usual = {"model", "messages", "stream", "stream_options"}
        members = {name: value for name, value in body.items() if name not in usual}
        chat = self.library.ChatOpenAI(
            model=str(body.get("model")), base_url=base_url, api_key=KEY, timeout=idle_s, max_retries=0,
            stream_usage=bool((body.get("stream_options") or {}).get("include_usage")), **self.lines,
        )  # fmt: skip
        if not body.get("stream"):
            return self.message(chat.invoke(body.get("messages"), **members))
        joined = None
        for piece in chat.stream(body.get("messages"), **members):
            joined = piece if joined is None else joined + piece
        return self.message(joined)

    @staticmethod
    def message(message: Any) -> dict[str, Any]:  # noqa: ANN401
        """Return what a message of LangChain says."""
        if message is None:
            return {"other": "None"}
        calls = [
            {"id": call.get("id"), "name": call.get("name"), "arguments": call.get("args")}
            for call in (*message.tool_calls, *message.invalid_tool_calls)
        ]
        counts = message.usage_metadata
        choice = {
            "index": 0, "role": {"ai": "assistant", "AIMessageChunk": "assistant"}.get(message.type, message.type),
            "text": message.content, "finish_reason": message.response_metadata.get("finish_reason"), "calls": calls,
        }  # fmt: skip
        function = message.additional_kwargs.get("function_call")
        return {
            "choices": [{**choice, "function_call": function and called(function)}],
            "usage": counts and {"prompt": counts["input_tokens"], "completion": counts["output_tokens"]},
        }


CLIENTS: dict[str, Callable[[], Openai | Litellm | Langchain]] = {
    "openai": Openai, "langchain-openai": Langchain, "litellm": Litellm,
}  # fmt: skip


def called(function: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return the name and the arguments of a called function."""
    of = function if isinstance(function, dict) else vars(function)
    return {"name": of.get("name"), "arguments": of.get("arguments")}


def counted(usage: Any) -> dict[str, Any] | None:  # noqa: ANN401
    """Return the two counts that are billed."""
    return usage and {
        "prompt": getattr(usage, "prompt_tokens", None), "completion": getattr(usage, "completion_tokens", None),
    }  # fmt: skip


def completed(answer: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return what an answer in one piece says, read as the documentation of the clients reads it."""
    if isinstance(answer, str):
        return {"other": "str"}
    _ = answer.choices[0].message.content
    choices = []
    for position, choice in enumerate(answer.choices):
        message = choice.message
        calls = [{"id": call.id, **called(getattr(call, "custom", None) or call.function)}
                 for call in message.tool_calls or ()]  # fmt: skip
        for call, made in zip(message.tool_calls or (), calls, strict=True):
            if getattr(call, "custom", None):
                made["arguments"] = call.custom.input
        function = getattr(message, "function_call", None)
        choices.append({
            "index": position if choice.index is None else choice.index, "role": message.role, "text": message.content,
            "finish_reason": choice.finish_reason, "calls": calls, "function_call": function and called(function),
        })  # fmt: skip
    return {"choices": choices, "usage": counted(getattr(answer, "usage", None))}


def streamed(chunks: Iterable[Any]) -> dict[str, Any]:
    """Return what the chunks of a stream come to in a loop as it is usually written."""
    choices: dict[Any, dict[str, Any]] = {}
    usage = None
    for chunk in chunks:
        usage = counted(getattr(chunk, "usage", None)) or usage
        for choice in getattr(chunk, "choices", None) or ():
            index = choice.index or 0
            told = choices.setdefault(index, {
                "index": index, "role": None, "text": "", "finish_reason": None, "calls": {},
                "function_call": None,
            })  # fmt: skip
            told["finish_reason"] = choice.finish_reason or told["finish_reason"]
            if getattr(choice, "delta", None) is not None:
                add(told, choice.delta)
    told_all = [{**told, "calls": list(told["calls"].values())} for told in choices.values()]
    return {"choices": told_all, "usage": usage}


def add(told: dict[str, Any], delta: Any) -> None:  # noqa: ANN401
    """Add a delta to its choice: text, names, ids and arguments are joined."""
    told["role"] = told["role"] or getattr(delta, "role", None)
    if getattr(delta, "content", None):
        told["text"] += delta.content
    for call in getattr(delta, "tool_calls", None) or ():
        made = told["calls"].setdefault(call.index, {"id": "", "name": "", "arguments": ""})
        made["id"] = made["id"] + call.id if made["id"] and call.id else call.id or made["id"]
        join(made, call.function)
    function = getattr(delta, "function_call", None)
    if function:
        told["function_call"] = told["function_call"] or {"name": "", "arguments": ""}
        join(told["function_call"], function)


def join(made: dict[str, Any], function: Any) -> None:  # noqa: ANN401
    """Add what a delta says of the name and the arguments of a call."""
    made["name"] += getattr(function, "name", None) or ""
    made["arguments"] += getattr(function, "arguments", None) or ""


def is_timeout(error: BaseException | None) -> bool:
    """Whether an exception, or what it came from, says that time ran out."""
    while error is not None:
        if "Timeout" in type(error).__name__:
            return True
        error = error.__cause__ or error.__context__
    return False


def testimony(client: Openai | Litellm | Langchain, line: str) -> dict[str, Any]:
    """Return what a client does with one answer."""
    try:
        answer = client.ask(**json.loads(line))
    except NotImplementedError:
        return {"raised": None, "hung": False, "answer": None}
    except Exception as error:  # noqa: BLE001  whatever a client raises is what is asked for
        raised = {"type": type(error).__name__, "says": str(error)[:WORDS]}
        return {"raised": raised, "hung": is_timeout(error), "answer": None}
    return {"raised": None, "hung": False, "answer": answer}


def installed() -> dict[str, str]:
    """Return the versions of the clients that this interpreter has."""
    found = {each.metadata["Name"]: each.version for each in importlib.metadata.distributions()}
    return {name: found[name] for name in CLIENTS if name in found}


def main() -> None:
    """Answer line after line. What the libraries print goes to standard error."""
    if len(sys.argv) == 1:
        print(json.dumps(installed()))
        return
    lines = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.addaudithook(refuse_elsewhere)
    try:
        client = CLIENTS[sys.argv[1]]()
    except Exception as error:  # noqa: BLE001  whatever an import raises
        print(json.dumps({"failed": f"{type(error).__name__}: {error}"[:WORDS]}), file=lines, flush=True)
        return
    print(json.dumps({"failed": None}), file=lines, flush=True)
    for line in sys.stdin:
        print(json.dumps(testimony(client, line), default=repr), file=lines, flush=True)


if __name__ == "__main__":
    main()
