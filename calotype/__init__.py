"""The library's door."""
