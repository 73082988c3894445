"""The level of every check under OpenAI's contract, agreed by hand: another level is a reviewed diff."""

from __future__ import annotations

from chatconform.checks import described
from chatconform.model import Level

AGREED: dict[Level | None, str] = {
    Level.MUST: """
        choices.count.n choices.finish_reason.consistent choices.finish_reason.present
        choices.finish_reason.tool_calls choices.index.contiguous
        functions.arguments.incremental functions.arguments.json functions.choice.named functions.choice.none
        functions.finish_reason.value functions.name.declared functions.name.nonempty functions.name.once
        http.answer.completion http.answer.single http.body.complete http.body.present http.body.utf8
        http.content_encoding.decodes http.media_type.json http.status.error
        json.body.object json.body.valid json.constants.absent json.payload.object json.payload.valid
        logprobs.content.present
        pairs.cap.kept pairs.finish_reason.cut
        parameters.cap.kept parameters.stop.absent
        sse.data.nonempty sse.done.exact sse.done.last sse.event.separated sse.field.data sse.stream.events
        sse.tail.chunk
        stream.content.incremental stream.error stream.payload.chunk stream.role.present
        structured.content.json structured.content.unfenced structured.content.whole structured.schema.strict
        tools.arguments.incremental tools.arguments.json tools.arguments.nonempty tools.calls.listed
        tools.calls.single tools.choice.allowed tools.choice.named tools.choice.none tools.choice.required
        tools.id.before_name tools.id.once tools.id.streamed tools.index.contiguous tools.index.distinct
        tools.name.declared tools.name.nonempty tools.name.once tools.name.streamed tools.name.whole
        tools.type.streamed
        usage.stream.complete usage.stream.requested
    """,
    Level.SHOULD: """
        auth.key.checked auth.key.required auth.status.unauthorized
        choices.finish_reason.called choices.finish_reason.last choices.finish_reason.once
        envelope.created.present envelope.created.seconds
        errors.body.json errors.code.quota errors.malformed.refused errors.model.refused errors.refusal.crash
        errors.retry_after.value errors.status.malformed errors.status.method errors.status.model
        functions.arguments.object functions.finish_reason.called
        http.charset.utf8 http.media_type.event_stream
        json.bom.absent json.keys.unique json.surrogates.paired
        logprobs.content.joined logprobs.top_logprobs.count
        message.content.characters message.content.markers message.content.nonempty message.content.thoughts
        models.id.unique
        pairs.completion_tokens.longer pairs.finish_reason.same pairs.id.distinct pairs.prompt_tokens.longer
        pairs.prompt_tokens.same pairs.stop.reached pairs.stream.begun pairs.tool_calls.same
        parameters.developer.accepted parameters.logprobs.alone parameters.max_completion_tokens.accepted
        parameters.parts.accepted parameters.standard.accepted parameters.text_format.accepted
        parameters.tool_result.accepted
        sse.block.data sse.bom.absent sse.delivery.progressive sse.done.closed sse.done.once sse.done.present
        sse.id.blank sse.tail.done
        stream.choices.nonempty stream.choices.order stream.created.constant stream.id.constant
        stream.model.present stream.role.first stream.role.once
        structured.schema.followed
        tools.arguments.object tools.id.unique tools.markup.absent
        usage.cached_tokens.bounded usage.cap.precedence usage.object.present usage.prompt_tokens.positive
        usage.reasoning_tokens.bounded usage.stream.once usage.total.sum
    """,
    Level.MAY: """
        auth.status.forbidden errors.object.nonempty errors.refusal.outside
        models.list.served models.path.slash pairs.model.same
        parameters.parallel_tool_calls.accepted parameters.reasoning.accepted
        tools.delta.nonempty tools.name.before_arguments
    """,
    None: """
        extensions.model.resolved extensions.routed_model.echo extensions.trace_id.accepted
    """,
}
"""The ids of the checks, by level. None: the check stands only under a document that promises it."""
LEVELS = {check: level for level, checks in AGREED.items() for check in checks.split()}


def test_every_check_has_the_level_that_was_agreed() -> None:
    differing = [
        f"{name}: agreed {LEVELS[name]}, registered {check.level}"
        for name, check in described().items()
        if name in LEVELS and LEVELS[name] is not check.level
    ]
    assert [] == differing


def test_a_level_was_agreed_for_every_check() -> None:
    assert [] == [f"{name}: registered {check.level}" for name, check in described().items() if name not in LEVELS]
