"""The reference: good exchanges, named faults that break them, and lawful variations that do not."""
