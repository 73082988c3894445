"""What the reference endpoint answers: texts, tool calls and JSON made from the request, by rules and no model."""
