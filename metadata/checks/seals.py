"""Sealed values that cannot be opened, and the file of the keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import UnreadableError
from ..findings import Finding
from ..keys import PATH
from ..rotation import values_of
from ..schemas.catalog import CATALOG
from ..sealing import NeedsReentry, Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..documents.contract import Documents
    from ..keys import MasterKeys
    from ..sealing import Sealer

_WHY = {
    Reason.NO_KEY: "The master key that sealed it is not at hand.",
    Reason.NO_PEPPER: "The original application sealed it, and its pepper is not set.",
    Reason.REFUSED: "It was altered, or sealed for another place.",
    Reason.MALFORMED: "It is no sealed value.",
}


def of_seals(documents: Documents, keys: MasterKeys, sealer: Sealer) -> Iterator[Finding]:
    """Yield the sealed values that cannot be opened.

    Raises:
        BusyError, FullError: the records could not be gone through.
    """
    try:
        keys.ring()
    except UnreadableError as error:
        yield Finding("key-damaged", PATH, error.message)
        return
    first = documents.first("user")
    for kind in CATALOG.values():
        if not kind.sealed:
            continue
        for stored in documents.scan(kind.name):
            for value in values_of(kind, stored.key, stored.body, "" if first is None else first.key):
                said = sealer.open(kind.name, stored.key, value.field.name, value.envelope, user=value.user)
                if isinstance(said, NeedsReentry):
                    sort = "seal-foreign" if said.reason is Reason.NO_PEPPER else "seal-closed"
                    yield Finding(sort, f"{kind.name} {stored.key} {value.field.name}", _WHY[said.reason])
