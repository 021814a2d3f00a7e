"""What narrows a question for many records: its filters, as SQL.

A reference is found in the table of references, which repeats the owner and the time of creation: a question for one
tag in the default order is a range of its index. Field names are checked against the catalog before they reach SQL.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from ..errors import InvalidError
from ..schemas.catalog import TAG_TYPES
from .children import log_of
from .gone import aliases, visible
from .ranking import Narrowing
from .tables import column_of, columns_of, field_name, stores_body, table_of
from .values import column_value

if TYPE_CHECKING:
    import sqlite3

    from ..schemas.catalog import Kind

Scalar = str | int | float | bool


class Asked(Protocol):
    """What of a query narrows it; see `Query`."""

    @property
    def filter(self) -> Mapping[str, Scalar | Sequence[str]]:
        """Field and value."""

    @property
    def owner(self) -> str | None:
        """Whose records."""

    @property
    def tag_type(self) -> str | None:
        """What kind of thing a tag must be."""

    @property
    def meta(self) -> Mapping[str, str]:
        """Member of `_meta` and its value."""


class Clauses:
    """The FROM and WHERE of a query, with the values they bind.

    Args:
        kind: what is asked for.
        query: the question.
        hiding: the index, if it hides anything; see `gone`.
    """

    def __init__(self, kind: Kind, query: Asked, hiding: sqlite3.Connection | None = None) -> None:
        self._hiding = hiding
        self._kind = kind
        self._query = query
        self._parts: list[str] = []
        self._values: list[object] = []
        self.references: list[tuple[str, str]] = []
        fields = {field_name(ref) for ref in kind.refs if ref.path != (kind.owner,)}
        for name, wanted in query.filter.items():
            if name in fields and name != kind.parent:
                several = wanted if isinstance(wanted, Sequence) and not isinstance(wanted, str) else [str(wanted)]
                self.references += [(name, value) for value in several]
            else:
                self._filter(name, wanted, fields)
        for name, text in query.meta.items():
            self._meta(name, text)

    @property
    def unfiltered(self) -> bool:
        """Whether nothing but the asking owner narrows the question."""
        return not self._parts and not self.references

    @property
    def hides(self) -> bool:
        """Whether rows have to be left out."""
        return self._hiding is not None

    @property
    def may_lead(self) -> bool:
        """Whether the table of references may lead; while it is being cleaned, two of its rows may mean one record."""
        return bool(self.references) and not self.hides

    def plain(self) -> tuple[str, str, list[object]]:
        """Return FROM, WHERE and values of a question for rows `t`."""
        parts, values = list(self._parts), list(self._values)
        for name, value in self.references:
            condition, bound = self._reference("r", name, value)
            parts.append(f"t.key IN (SELECT r.src_key FROM refs r WHERE {condition})")
            values += bound
        if self._query.owner is not None and self._kind.owner is not None:
            parts.append("t.owner = ?")
            values.append(self._query.owner)
        if self.hides:
            parts.append(visible(self._kind))
        return f"{table_of(self._kind)} t", " AND ".join(parts) or "1", values

    def led(self, *, rows: bool = True) -> tuple[str, str, list[object]]:
        """Return the same led by the first reference, whose table is in order of creation.

        Args:
            rows: the rows `t` are needed for more than their filters.
        """
        (name, value), *others = self.references
        condition, values = self._reference("l", name, value)
        parts = [condition]
        for name, value in others:
            condition, bound = self._reference("r", name, value)
            parts.append(f"EXISTS(SELECT 1 FROM refs r WHERE r.src_key = l.src_key AND {condition})")
            values += bound
        joined = f" CROSS JOIN {table_of(self._kind)} t ON t.key = l.src_key" if rows or self._parts else ""
        return f"refs l{joined}", " AND ".join([*parts, *self._parts]), [*values, *self._values]

    def narrowing(self) -> Narrowing:
        """Return what a search has to ask of rows beside the text, which knows the owner itself."""
        if self.unfiltered and not self.hides:
            return Narrowing()
        _, where, values = self.plain()
        return Narrowing(where, tuple(values))

    def _filter(self, name: str, wanted: Scalar | Sequence[str], references: set[str]) -> None:
        if name == self._kind.parent:
            self._parts.append("t.path = ?")
            self._values.append(log_of_parent(self._kind, wanted))
        elif name in columns_of(self._kind) or name == self._kind.owner:
            column = "t.owner" if name == self._kind.owner else f"t.{column_of(name)}"
            self._parts.append(f"{column} = ?")
            self._values.append(column_value(wanted))
        else:
            known = ", ".join(sorted({*columns_of(self._kind), *references}))
            raise InvalidError(f"{name!r} is not a filter here; there are: {known}.", field=name)

    def _meta(self, name: str, text: str) -> None:
        if not stores_body(self._kind):
            raise InvalidError("These records cannot be filtered by meta.", field=f"meta.{name}")
        self._parts.append(
            "EXISTS(SELECT 1 FROM json_each(t.body, '$._meta') m WHERE m.key = ? AND"
            " CASE WHEN m.type IN ('true', 'false', 'null') THEN m.type ELSE CAST(m.atom AS TEXT) END = ?)"
        )
        self._values.extend([column_value(name), column_value(text)])

    def _reference(self, alias: str, name: str, value: str) -> tuple[str, list[object]]:
        key, which = column_value(value), "= ?"
        if self._hiding is not None:
            key, which = json.dumps(aliases(self._hiding, str(key))), "IN (SELECT value FROM json_each(?))"
        condition = f"{alias}.dst_key {which} AND {alias}.src_kind = ? AND {alias}.field = ?"
        values: list[object] = [key, self._kind.name, name]
        if self._query.owner is not None:
            condition += f" AND {alias}.owner = ?"
            values.append(self._query.owner)
        if name == "tags" and self._query.tag_type is not None:
            wanted = TAG_TYPES.get(self._query.tag_type)
            if wanted is None:
                raise InvalidError(f"tagType is one of {', '.join(TAG_TYPES)}.", field="tagType")
            same = f'SELECT 1 FROM "k_{wanted}" w WHERE w.key = {alias}.dst_key'
            condition += f" AND ({alias}.dst_kind = ? OR {alias}.dst_kind = '' AND EXISTS({same}))"
            values.append(wanted)
        return condition, values


def log_of_parent(kind: Kind, parent: object) -> str:
    """Return the path of a parent's log, as text that SQLite takes whatever was asked for."""
    return log_of(kind, str(column_value(str(parent))))
