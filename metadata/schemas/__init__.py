"""The entities: what every record holds, where it lives and what it refers to. No I/O.

Import from the modules; `catalog` is the table of all kinds, derived from the classes once.
"""
