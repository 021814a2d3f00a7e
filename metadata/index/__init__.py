"""The projection of the files into SQLite: derived, rebuilt from them at any time."""
