"""Verification tokens, sent to an address and used exactly once, whoever asks and however many processes do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..clock import parse_timestamp
from ..documents.contract import Change, Record
from ..errors import NotFoundError
from ..schemas.signin import VerificationToken
from .base import Repository

if TYPE_CHECKING:
    from collections.abc import Mapping


class VerificationTokensRepository(Repository[VerificationToken]):
    """The verification tokens that wait to be used."""

    model = VerificationToken

    def consume(self, identifier: str, token: str) -> VerificationToken | None:
        """Use a token up and return it; None when there is none, it was used before, or its time is over.

        The removal is judged under the log's lock, so of several that use it at once one gets it.
        """
        used: list[Record] = []

        def edit(record: Record | None) -> None:
            if record is None or (record.get("identifier"), record.get("token")) != (identifier, token):
                raise NotFoundError("There is no such token.")
            used[:] = [record]

        try:
            self._documents.apply([Change(self.kind.name, f"{identifier}/{token}", edit, removes=True)])
        except NotFoundError:
            return None
        found = self._typed(used[0])
        return None if parse_timestamp(found.expires) <= self._clock.now() else found

    def delete_expired(self) -> int:
        """Remove the tokens whose time is over; return how many there were."""
        now = self._clock.now()
        over = [token for token in self.find_all() if parse_timestamp(token.expires) <= now]
        return sum(self.delete(f"{token.identifier}/{token.token}") for token in over)

    def _new_record(self, fields: Mapping[str, object]) -> Record:
        return self.model.build(fields).to_record()
