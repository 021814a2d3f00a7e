"""API keys of providers: sealed when they come, opened by one explicit call, never in an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import InvalidError
from ..schemas.profiles import ApiKey
from ..sealing import KEY_ID, MEMBERS, NeedsReentry, Outcome, Reason, Revealed, Sealer
from .backing import first_of
from .base import Repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ..clock import Clock
    from ..documents.contract import Documents, Record, Stored
    from ..errors import CalotypeError
    from ..ids import Ids
    from ..store import JsonStore

FIELD = "key"
"""The name of the sealed value: what callers give, and part of what it is bound to."""


class ApiKeysRepository(Repository[ApiKey]):
    """The API keys of all users; one without an owner is the first user's.

    Args:
        documents: where they live, or the store of a data folder.
        sealer: seals and opens.
        clock: sets the timestamps.
        ids: makes the ids.
    """

    model = ApiKey

    def __init__(
        self, documents: Documents | JsonStore, sealer: Sealer, *, clock: Clock | None = None, ids: Ids | None = None
    ) -> None:
        super().__init__(documents, clock=clock, ids=ids)
        self._sealer = sealer

    def create(self, **fields: object) -> ApiKey:
        """Store a key given as `key` in clear, sealed; otherwise as any record.

        Raises:
            InvalidError: as any `create`; or the key is missing, or there is no master key.
        """
        with self._documents.guard():  # a rotation of the master key between sealing and storing would lose it
            return super().create(**fields)

    def create_many(self, items: Iterable[Mapping[str, object]]) -> list[ApiKey | CalotypeError]:
        """Store keys, each for itself, as `create` does."""
        with self._documents.guard():
            return super().create_many(items)

    def set_key(self, record_id: str, key: str, *, if_match: str | None = None, owner: str | None = None) -> ApiKey:
        """Put another value in place of a key's.

        Raises:
            NotFoundError, StaleError: as `edit`.
            InvalidError: it is empty, or there is no master key.
        """

        def change(current: ApiKey) -> ApiKey:
            return current.replaced(**self._sealed(current.to_record(), key))

        return self.edit(record_id, change, if_match=if_match, owner=owner)

    def reveal(self, record_id: str, *, owner: str | None = None) -> Outcome:
        """Open a key: its plain value, or why it has to be entered again.

        Raises:
            NotFoundError: there is no such key.
        """
        with self._documents.guard():
            return self._open(self.get(record_id, owner=owner).to_record())

    def needs_reentry(self, key: ApiKey) -> Reason | None:
        """Tell why a key has to be entered again, None when it can be opened."""
        outcome = self._open(key.to_record())
        return outcome.reason if isinstance(outcome, NeedsReentry) else None

    def _new_record(self, fields: Mapping[str, object]) -> Record:
        _refuse_envelope(fields)
        given = {name: value for name, value in fields.items() if name != FIELD}
        record = super()._new_record({**given, "ciphertext": "", "iv": "", "auth_tag": ""})
        return {**record, **self._sealed(record, fields.get(FIELD))}

    def _replaced(self, current: ApiKey, fields: Mapping[str, object]) -> ApiKey:
        _refuse_envelope(fields)
        after = super()._replaced(current, {name: value for name, value in fields.items() if name != FIELD})
        return after.replaced(**self._sealed(after.to_record(), fields[FIELD])) if FIELD in fields else after

    def _edited(self, record: Record, change: Callable[[ApiKey], ApiKey]) -> Record:
        """Seal anew what the original sealed, and what now belongs to another user: the user is bound into it."""
        after = super()._edited(record, change)
        same = all(after.get(name) == record.get(name) for name in MEMBERS)
        if same and (KEY_ID not in record or self._user(record) != self._user(after)):
            outcome = self._open(record)
            if isinstance(outcome, Revealed):
                return {**after, **self._sealed(after, outcome.text)}
            if self._user(record) != self._user(after):
                raise InvalidError("This key cannot be opened, so it has to be entered again.", field=FIELD)
        return after

    def _open(self, record: Record) -> Outcome:
        return self._sealer.open(self.kind.name, str(record["id"]), FIELD, record, user=self._user(record))

    def _sealed(self, record: Record, key: object) -> dict[str, str]:
        if not isinstance(key, str) or not key:
            raise InvalidError("Give the provider's key as text.", field=FIELD)
        return self._sealer.seal(self.kind.name, str(record["id"]), FIELD, key, user=self._user(record))

    def _user(self, record: Mapping[str, object]) -> str:
        """Return the user that a key belongs to."""
        named = record.get("_userId")
        if isinstance(named, str):
            return named
        first = first_of(self._documents)
        return "" if first is None else first.key

    def _visible(self, stored: Stored, owner: str | None) -> bool:
        return owner is None or self._user(stored.body) == owner


def _refuse_envelope(fields: Mapping[str, object]) -> None:
    for name in ("ciphertext", "iv", "authTag", "auth_tag", "key_id", KEY_ID):
        if name in fields:
            raise InvalidError(f"{name} is made here; give the key itself as {FIELD!r}.", field=name)
