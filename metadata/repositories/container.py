"""All repositories over one store, and the one place in this library with state of the whole process.

`get_json_store()` and `get_repositories()` serve programs that want one store wherever they are, as the original's did;
everything else here is given what it works with.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import InvalidError
from ..keys import MasterKeys, keys_from_outside
from ..rotation import sealed_exist
from ..sealing import Sealer
from ..store import JsonStore
from .access_tokens import AccessTokensRepository
from .accounts import AccountsRepository
from .api_keys import ApiKeysRepository
from .backing import documents_of
from .characters import CharactersRepository
from .chat_settings import ChatSettingsRepository
from .chats import ChatsRepository
from .connection_profiles import ConnectionProfilesRepository
from .facts import FactsRepository
from .image_profiles import ImageProfilesRepository
from .images import ImagesRepository
from .messages import MessagesRepository
from .personas import PersonasRepository
from .sessions import SessionsRepository
from .tags import TagsRepository
from .users import UsersRepository
from .verification_tokens import VerificationTokensRepository

if TYPE_CHECKING:
    from ..clock import Clock
    from ..documents.contract import Documents
    from ..ids import Ids


class Repositories:
    """Every repository, over the same documents.

    Args:
        documents: where the records live, or the store of a data folder.
        sealer: seals API keys; None takes the folder's master key, which only a store of files has.
        clock: sets the timestamps.
        ids: makes the ids.

    Attributes:
        characters, personas, chats, messages, tags, users, connections, images, image_profiles, accounts, sessions,
        verification_tokens, access_tokens, api_keys, chat_settings, facts: the repositories.
    """

    def __init__(
        self,
        documents: Documents | JsonStore,
        *,
        sealer: Sealer | None = None,
        clock: Clock | None = None,
        ids: Ids | None = None,
    ) -> None:
        self.documents = documents_of(documents)
        sealer = sealer or sealer_of(documents)
        self.characters = CharactersRepository(self.documents, clock=clock, ids=ids)
        self.personas = PersonasRepository(self.documents, clock=clock, ids=ids)
        self.chats = ChatsRepository(self.documents, clock=clock, ids=ids)
        self.messages = MessagesRepository(self.documents, clock=clock, ids=ids)
        self.tags = TagsRepository(self.documents, clock=clock, ids=ids)
        self.users = UsersRepository(self.documents, clock=clock, ids=ids)
        self.connections = ConnectionProfilesRepository(self.documents, clock=clock, ids=ids)
        self.images = ImagesRepository(self.documents, clock=clock, ids=ids)
        self.image_profiles = ImageProfilesRepository(self.documents, clock=clock, ids=ids)
        self.accounts = AccountsRepository(self.documents, clock=clock, ids=ids)
        self.sessions = SessionsRepository(self.documents, clock=clock, ids=ids)
        self.verification_tokens = VerificationTokensRepository(self.documents, clock=clock, ids=ids)
        self.access_tokens = AccessTokensRepository(self.documents, clock=clock, ids=ids)
        self.api_keys = ApiKeysRepository(self.documents, sealer, clock=clock, ids=ids)
        self.chat_settings = ChatSettingsRepository(self.documents, clock=clock, ids=ids)
        self.facts = FactsRepository(self.documents, clock=clock, ids=ids)

    def close(self) -> None:
        """Let go of files and locks; the repositories are not used afterwards."""
        self.documents.close()


def sealer_of(source: Documents | JsonStore) -> Sealer:
    """Return what seals for a store: the master keys of the environment, then those of its folder.

    Raises:
        InvalidError: the environment's key is none; or the documents are in no folder, so that a sealer must be given.
        UnreadableError: the file that the environment names cannot be read.
    """
    if not isinstance(source, JsonStore):
        raise InvalidError("Documents without a folder have no master key; give a sealer.")
    documents = documents_of(source)
    file = os.environ.get("CALOTYPE_MASTER_KEY_FILE")
    given = keys_from_outside(os.environ.get("CALOTYPE_MASTER_KEY"), Path(file) if file else None)
    keys = MasterKeys(source.engine, given, sealed_exist=lambda: sealed_exist(documents))
    return Sealer(keys, os.environ.get("ENCRYPTION_MASTER_PEPPER"))


def get_json_store() -> JsonStore:
    """Return the process's store, opened on first use on DATA_DIR (or `./data`)."""
    return _process.store()


def get_repositories() -> Repositories:
    """Return the process's repositories over `get_json_store()`, made on first use.

    Raises:
        InvalidError: the folder is somebody else's, or of a newer format; or the environment's master key is none.
        UnreadableError: it cannot be read or written.
    """
    return _process.repositories()


def reset_repositories() -> None:
    """Close the process's repositories and its store; the next `get_repositories()` opens them anew."""
    _process.reset()


def reset_json_store() -> None:
    """Close the process's store, and with it the repositories over it; the next `get_json_store()` opens it anew."""
    _process.reset()


class _Process:
    """The store and the repositories that the functions above share."""

    def __init__(self) -> None:
        self._mutex = threading.RLock()
        self._store: JsonStore | None = None
        self._repositories: Repositories | None = None

    def store(self) -> JsonStore:
        with self._mutex:
            if self._store is None:
                self._store = JsonStore()
            return self._store

    def repositories(self) -> Repositories:
        with self._mutex:
            if self._repositories is None:
                self._repositories = Repositories(self.store())
            return self._repositories

    def reset(self) -> None:
        with self._mutex:
            if self._repositories is not None:
                self._repositories.close()
            elif self._store is not None:
                self._store.engine.close()
            self._repositories = self._store = None


_process = _Process()
