"""Bytes into facts: event streams, JSON, media types, transcripts."""
