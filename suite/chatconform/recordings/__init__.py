"""Recordings on disk: exchange format 1, and what other tools printed."""
