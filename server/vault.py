"""The sealed values of an opened store: their keys, what opens them, and what has to be said about them at opening."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from metadata.errors import CalotypeError
from metadata.keys import PATH, MasterKeys, keys_from_outside, lost_key, url_key
from metadata.rotation import ORIGINAL, Rotation, sealed_exist
from metadata.sealing import Sealer

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import SecretStr

    from metadata.documents.contract import Documents
    from metadata.files.engine import FileEngine

    from .settings import Settings


@dataclass(frozen=True, slots=True)
class Vault:
    """What seals and opens.

    Attributes:
        engine: the file engine of the data folder.
        keys: the master keys.
        sealer: seals and opens values.
        rotation: changes the master key.
        allow_missing_key: whether a store opens whose sealed values have lost every key.
    """

    engine: FileEngine
    keys: MasterKeys
    sealer: Sealer
    rotation: Rotation
    allow_missing_key: bool

    def url_key(self) -> bytes:
        """Return the key that signs URLs, making it on first use; errors as `metadata.keys.url_key`."""
        return url_key(self.engine)

    def settle(self) -> tuple[str, ...]:
        """Finish a rotation that was cut off, and return what a person should know, one sentence each.

        Raises:
            InvalidError: values are sealed and there is no key at all, which a mount that is missing looks like, too.
        """
        try:
            self.rotation.finish()
            ring, survey = self.keys.ring(), self.rotation.survey()
        except CalotypeError as error:
            return (f"Sealed values could not be looked at: {error.message}",)
        lost = sum(count for key_id, count in survey.items() if key_id != ORIGINAL and ring.find(key_id) is None)
        if lost and not ring.keys and not self.allow_missing_key:
            raise lost_key()
        values = "value" if lost == 1 else "values"
        sentence = (
            f"The master key of {lost} sealed {values} is not at hand: put {PATH} back or set CALOTYPE_MASTER_KEY, "
            "or enter them again. `calotype key show` says more."
        )
        return (sentence,) if lost else ()


def open_vault(
    settings: Settings,
    engine: FileEngine,
    documents: Documents,
    first_user: Callable[[], str],
    refresh: Callable[[], None],
) -> Vault:
    """Put together what seals and opens.

    Args:
        settings: the keys from outside.
        engine: the file engine of the data folder.
        documents: the records.
        first_user: returns the id of the user to whom records without an owner belong.
        refresh: takes over what was changed in files by hand.

    Raises:
        InvalidError: a key from outside is none.
        UnreadableError: its file cannot be read.
    """
    given = keys_from_outside(_plain(settings.master_key), settings.master_key_file)
    keys = MasterKeys(engine, given, sealed_exist=lambda: sealed_exist(documents))
    sealer = Sealer(keys, _plain(settings.encryption_master_pepper))
    return Vault(
        engine, keys, sealer, Rotation(documents, keys, sealer, first_user, refresh), settings.allow_missing_key
    )


def _plain(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
