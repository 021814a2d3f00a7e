"""Typed access to the records, written once for every backend."""
