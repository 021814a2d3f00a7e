"""Bringing what other programs keep into a store: general parts here, one package for each program's folder."""
