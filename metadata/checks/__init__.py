"""Checks of the records: files, index, references and seals, as findings."""
