"""Copies of a store that can be trusted: taken under load, verified after writing, restored whole or not at all."""
