"""What the original sealed, opened with its pepper and sealed anew with the master key of the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metadata.sealing import PARTS, Reason, Revealed

if TYPE_CHECKING:
    from metadata.documents.contract import Record
    from metadata.schemas.catalog import Kind
    from metadata.sealing import Sealer

_WHY = {
    Reason.NO_PEPPER: "the original's ENCRYPTION_MASTER_PEPPER was not given (--pepper-file)",
    Reason.REFUSED: "the pepper that was given is not the one it was sealed with, or it was altered",
    Reason.MALFORMED: "it is no sealed value of the original's",
    Reason.NO_KEY: "the key that it was sealed with is not at hand",
}


class Resealing:
    """Opens what the original sealed for one of its users and seals it for one of ours.

    Args:
        sealer: has the original's pepper, if it was given.
        dry_run: only open.
    """

    def __init__(self, sealer: Sealer, *, dry_run: bool) -> None:
        self._sealer = sealer
        self._dry_run = dry_run

    def resealed(self, kind: Kind, body: Record, there: str, here: str) -> tuple[Record, list[str]]:
        """Return the record with everything sealed anew that could be opened, and a sentence for each that could not.

        What cannot be opened stays as it is: another run with the pepper opens it.

        Args:
            kind: the record's kind.
            body: the record, with its id here.
            there: the id of its user in the original.
            here: the id of its user here.
        """
        notes = []
        for field in kind.sealed:
            envelope = body if field.member is None else body.get(field.member)
            if not isinstance(envelope, dict):
                continue
            outcome = self._sealer.open(kind.name, str(body["id"]), field.name, envelope, user=there)
            if not isinstance(outcome, Revealed):
                notes.append(f"{field.name} needs re-entry: {_WHY[outcome.reason]}.")
            elif not self._dry_run:
                new = self._sealer.seal(kind.name, str(body["id"]), field.name, outcome.text, user=here)
                body = {**body, **new} if field.member is None else {**body, field.member: {**envelope, **new}}
        return body, notes


def without_envelope(kind: Kind, body: Record) -> Record:
    """Return a record without an envelope of its own: sealed anew it is another each time and says the same."""
    own = any(field.member is None for field in kind.sealed)
    return {name: value for name, value in body.items() if name not in PARTS} if own else body
