"""Content-addressed bytes: what a payload is called, where it lies, and what it is."""
