"""Contracts: JSON Schemas whose constraints carry clauses, and how they are examined."""
