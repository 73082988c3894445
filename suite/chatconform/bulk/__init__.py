"""Bulk: recorded traffic of any size, as counts that add up."""
