"""Variations of texts that speak of templates, tags and calls, and leak none of them."""

from __future__ import annotations

from typing import Final

from chatconform.model import Exchange
from chatconform.reference import rewrite
from chatconform.reference.rewrite import Path
from chatconform.reference.variations.variation import variation

_CONTENT: Final[Path] = ("choices", 0, "message", "content")
_DELTA: Final[Path] = ("choices", 0, "delta", "content")
_CALL: Final = '{"name": "weather", "arguments": {"city": "Zürich"}}'


def _asked(exchange: Exchange, question: str) -> Exchange:
    return rewrite.asked(exchange, messages=[{"role": "user", "content": question}])


def _told(exchange: Exchange, text: str) -> Exchange:
    """Say a text in an answer, or with the first piece of a stream."""
    if rewrite.is_stream(exchange):
        return rewrite.member(exchange, 1, _DELTA, text)
    return rewrite.member(exchange, 0, _CONTENT, text)


@variation("content.tokens_inline", ("answer", "stream"))
def tokens_inline(exchange: Exchange) -> Exchange:
    """The text says by which tokens models end a turn: in code, in quotation marks and in plain words."""
    return _told(exchange, 'Some end with `Hello.<|im_end|>`, some with "Hello.<|end|>", or write <|eot_id|> there. ')


@variation("content.tokens_in_code", ("answer", "stream"))
def tokens_in_code(exchange: Exchange) -> Exchange:
    """Code in the text, fenced and indented, has the tokens of a template."""
    fenced = '```python\nprompt = f"{text}<|im_end|>\\n<|im_start|>assistant\\n"\n```\nOr:\n'
    return _told(exchange, f'{fenced}\n    end = "."\n    "Hello.<|endoftext|>"\n')


@variation("content.template_shown", ("answer",))
def template_shown(exchange: Exchange) -> Exchange:
    """A template is asked for by its name, and the text is one."""
    asked = _asked(exchange, "Write a greeting in ChatML.")
    return _told(asked, "<|im_start|>user\nHello.<|im_end|>\n<|im_start|>assistant\nHi.<|im_end|>")


@variation("content.template_below", ("answer", "stream"))
def template_below(exchange: Exchange) -> Exchange:
    """The text shows a conversation as a template writes it, from its beginning to its end."""
    shown = "So the model reads:\n<|im_start|>user\nHello.<|im_end|>\n<|im_start|>assistant\nHi.<|im_end|>"
    return _told(exchange, f"{shown}\nthat is all. ")


@variation("content.template_ends", ("answer",))
def template_ends(exchange: Exchange) -> Exchange:
    """The text ends with the template that it shows."""
    return _told(exchange, "So the model reads:\n<s>[INST] Hello. [/INST]")


@variation("content.token_by_name", ("answer",))
def token_by_name(exchange: Exchange) -> Exchange:
    """The request names a token without its brackets, and the text ends with it."""
    return _told(_asked(exchange, "How is im_end written?"), "<|im_end|>")


@variation("content.tag_in_prose", ("answer", "stream"))
def tag_in_prose(exchange: Exchange) -> Exchange:
    """The text says that a tag closes the thoughts of a model."""
    return _told(exchange, "Its thoughts end at </think>, and its answer begins.\nWith `Hm.</think>Yes` too. ")


@variation("content.struck_out", ("answer",))
def struck_out(exchange: Exchange) -> Exchange:
    """The text is markup that strikes words out."""
    return _told(exchange, "<s>Bern</s> <s>[INST]</s> Zürich <s>Basel</s>")


@variation("content.analysis", ("answer",))
def analysis(exchange: Exchange) -> Exchange:
    """The text begins with the word analysis."""
    return _told(exchange, "analysis of three cities: Zürich, and the assistant's final choice.")


@variation("content.markup_asked", ("stream.uncalled",))
def markup_asked(exchange: Exchange) -> Exchange:
    """The request asks for calls between tags in the text, and the text has one."""
    return _told(
        _asked(exchange, "Write calls between <tool_call> and </tool_call>."), f"<tool_call>{_CALL}</tool_call>"
    )


@variation("content.markup_inline", ("stream.uncalled",))
def markup_inline(exchange: Exchange) -> Exchange:
    """The text has a call between tags, in code amid a line and on an indented line."""
    return _told(exchange, f"A call is `<tool_call>{_CALL}</tool_call>`, or:\n\n    <tool_call>{_CALL}</tool_call>\n\n")


@variation("content.call_as_json", ("answer.function_none", "stream.uncalled"))
def call_as_json(exchange: Exchange) -> Exchange:
    """The request asks how a call looks as JSON, and the text shows it."""
    asked = _asked(exchange, "Show me the JSON of a call of weather.")
    objects = rewrite.messages(asked)
    last = -2 if rewrite.is_stream(asked) else -1
    spoken = _told(asked, _CALL)
    for number in range(2, len(objects) + last + 1):
        spoken = rewrite.member(spoken, number, _DELTA, "\n")
    return spoken


@variation("content.json_of_its_own", ("answer.function_none",))
def json_of_its_own(exchange: Exchange) -> Exchange:
    """The text is JSON whose name is that of a function, and no call."""
    return _told(exchange, '{"name": "weather", "text": "It is sunny.", "parameters": {"city": "Zürich"}}')
