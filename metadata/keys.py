"""Keys in files of the data folder: the master keys that seal, and the key that signs URLs.

`secrets/master.key` (0600) holds one key a line, `<id> <base64>`; the first one seals, the others open what a rotation
has not reached yet. Blank lines and lines that begin with `#` mean nothing. Keys that come from outside
(`CALOTYPE_MASTER_KEY`, `CALOTYPE_MASTER_KEY_FILE`) stand before those of the file; they are base64 or hex of 32 bytes,
several of them separated by blanks or commas. A key is written durably before anything is sealed with it.

The locks of these files are taken last of all: while one is held, no other is.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
import stat
from typing import TYPE_CHECKING

from .errors import CalotypeError, InvalidError, NotFoundError, UnreadableError
from .files import atomic
from .files.trouble import told
from .sealing import KEY_BYTES, MasterKey, Ring

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from .files.engine import FileEngine

PATH = "secrets/master.key"
URL_KEY_PATH = "secrets/url-signing.key"

_HEAD = (
    "# The master key that seals API keys and other secrets of this store.\n"
    "# Keep a copy in a safe place, apart from the backups: without it what is sealed has to be entered again.\n"
)
_HEX = re.compile(r"[0-9a-fA-F]{64}")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class MasterKeys:
    """The master keys of a store; every call sees what other processes did to the file.

    Args:
        engine: the file engine of the data folder.
        given: keys from outside; they are used and never written down.
        sealed_exist: tells whether a value in the store is sealed with a master key.
    """

    def __init__(
        self, engine: FileEngine, given: Sequence[MasterKey] = (), *, sealed_exist: Callable[[], bool]
    ) -> None:
        self._engine = engine
        self._given = tuple(given)
        self._sealed_exist = sealed_exist

    @property
    def given(self) -> tuple[MasterKey, ...]:
        """The keys from outside."""
        return self._given

    def ring(self) -> Ring:
        """Return the keys at hand, none when there are none.

        Raises:
            UnreadableError: the file is there and cannot be read, or holds something else.
        """
        return Ring(tuple(dict.fromkeys((*self._given, *self.written()))))

    def ensure(self) -> Ring:
        """Return the keys at hand; a store that has none and has sealed nothing yet gets its first one.

        Raises:
            InvalidError: values are sealed and there is no key: a new one could not open them.
            UnreadableError, FullError, BusyError: the file cannot be read, written or locked.
        """
        ring = self.ring()
        if ring.keys:
            return ring
        # Asked before the lock is taken: looking into the documents takes locks of its own.
        gone = self._sealed_exist()
        with self._engine.locks.lock_of(PATH).hold():
            ring = self.ring()
            if ring.keys:
                return ring
            if gone:
                raise lost_key()
            self._write([MasterKey.new()])
        return self.ring()

    def replace_lost(self) -> MasterKey:
        """Make a new key in place of one that is gone for good; what it sealed has to be entered again.

        Raises:
            InvalidError: there is a key.
            UnreadableError, FullError, BusyError: the file cannot be read, written or locked.
        """
        with self._engine.locks.lock_of(PATH).hold():
            if self.ring().keys:
                raise InvalidError("There is a master key; `calotype key rotate` replaces it and keeps what is sealed.")
            key = MasterKey.new()
            self._write([key])
            return key

    def begin_rotation(self) -> Ring:
        """Put a new key before the one in the file, unless a rotation is under way already; return all keys.

        The caller holds the gate exclusively. Keys from outside are not changed: their first one is the new one.
        """
        with self._engine.locks.lock_of(PATH).hold():
            written = self.written()
            if not self._given and len(written) == 1:
                self._write([MasterKey.new(), *written])
        return self.ring()

    def end_rotation(self) -> None:
        """Leave the first key alone in the file; nothing is sealed with the others any more.

        The caller holds the gate exclusively. While keys come from outside the file stays as it is.
        """
        with self._engine.locks.lock_of(PATH).hold():
            written = self.written()
            if not self._given and len(written) > 1:
                self._write(written[:1])

    def written(self) -> tuple[MasterKey, ...]:
        """Return the keys in the file; none when there is no file.

        It is read anew each time: another process may have rotated, and a kept key would be one more copy of it.

        Raises:
            UnreadableError: the file cannot be read, or holds something else.
        """
        try:
            _close(self._engine, PATH)
            return _parsed(self._engine.read_bytes(PATH).decode())
        except NotFoundError:
            return ()
        except ValueError as error:
            raise _damaged(PATH, "Put a sound copy in its place.") from error

    def _write(self, keys: Sequence[MasterKey]) -> None:
        lines = [f"{key.id} {base64.b64encode(key.secret).decode()}\n" for key in keys]
        _keep(self._engine, PATH, (_HEAD + "".join(lines)).encode())


def keys_from_outside(text: str | None, file: Path | None) -> tuple[MasterKey, ...]:
    """Return the keys of `CALOTYPE_MASTER_KEY`, and after them those of the file that `CALOTYPE_MASTER_KEY_FILE` names.

    Raises:
        InvalidError: one of them is no key, or there is no such file.
        UnreadableError: the file cannot be read.
    """
    keys = given_keys(text, "CALOTYPE_MASTER_KEY") if text else ()
    if file is None:
        return keys
    setting = f"CALOTYPE_MASTER_KEY_FILE ({file})"
    try:
        with told(file, "read"):
            return keys + given_keys(file.read_text(), setting)
    except UnreadableError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise InvalidError(f"{setting} names no file.", setting="CALOTYPE_MASTER_KEY_FILE") from error
        raise
    except UnicodeDecodeError:
        # Not chained: that error holds the bytes.
        raise InvalidError(f"{setting} holds no text.", setting="CALOTYPE_MASTER_KEY_FILE") from None


def given_keys(text: str, setting: str) -> tuple[MasterKey, ...]:
    """Return the keys that a setting holds.

    Args:
        text: base64 or hex of 32 bytes each, separated by blanks or commas; comments as in the key file.
        setting: the variable's name, for the message; the text is never in it.

    Raises:
        InvalidError: one of them is no key.
    """
    try:
        keys = _parsed(text.replace(",", " "))
    except ValueError as error:
        raise InvalidError(
            f"{setting} holds no master key: it takes base64 or hex of {KEY_BYTES} bytes. "
            "This makes one: head -c 32 /dev/urandom | base64",
            setting=setting.partition(" ")[0],
        ) from error
    return keys


def lost_key() -> InvalidError:
    """Return the error of a store whose sealed values have lost their key."""
    return InvalidError(
        f"This store has sealed values and no master key. Put {PATH} back, or set CALOTYPE_MASTER_KEY or "
        "CALOTYPE_MASTER_KEY_FILE. If it is lost for good, `calotype key new --yes` makes another one, and what was "
        "sealed has to be entered again; CALOTYPE_ALLOW_MISSING_KEY=1 opens the store until then.",
        setting="CALOTYPE_MASTER_KEY",
    )


def url_key(engine: FileEngine) -> bytes:
    """Return the key that signs URLs, making it on first use.

    Raises:
        UnreadableError, FullError, BusyError: its file cannot be read, written or locked.
    """
    with engine.locks.lock_of(URL_KEY_PATH).hold():
        try:
            _close(engine, URL_KEY_PATH)
            return _parsed(engine.read_bytes(URL_KEY_PATH).decode())[0].secret
        except NotFoundError:
            secret = secrets.token_bytes(KEY_BYTES)
            _keep(engine, URL_KEY_PATH, base64.b64encode(secret) + b"\n")
            return secret
        except ValueError as error:
            raise _damaged(URL_KEY_PATH, "Remove it to get a new one; URLs signed before are then refused.") from error


def _keep(engine: FileEngine, path: str, data: bytes) -> None:
    """Write a key, synced whatever the durability of records is: what it seals must not outlive it."""
    with told(path, "written"):
        file = engine.paths.resolve(path)
        atomic.make_dirs(engine.fs, file.parent, mode=engine.folder_mode_of(path))
        atomic.write_whole(engine.fs, file, data, mode=engine.mode_of(path))


def _close(engine: FileEngine, path: str) -> None:
    """Take everybody else's rights to a key's file, which copying it back may have given them."""
    file = engine.paths.resolve(path)
    with told(path, "closed to others"):
        try:
            mode = engine.fs.stat(file).st_mode
        except FileNotFoundError:
            return
        if mode & _OTHERS:
            engine.fs.chmod(file, stat.S_IRUSR | stat.S_IWUSR)


def _damaged(path: str, advice: str) -> UnreadableError:
    return UnreadableError(f"{path} holds no sound key. {advice}", path=path)


def _parsed(text: str) -> tuple[MasterKey, ...]:
    """Return the keys of a text.

    Raises:
        ValueError: it holds none, or something else; no part of the text is in the message.
    """
    keys: list[MasterKey] = []
    for line in text.splitlines():
        words = [] if line.lstrip().startswith("#") else line.split()
        expected = words.pop(0) if words and len(words[0]) == _ID_LENGTH else None
        keys += [_key(word) for word in words]
        if expected is not None and (not words or keys[-len(words)].id != expected):
            raise ValueError("a key is not the one that its id names")
    if not keys:
        raise ValueError("there is no key")
    return tuple(dict.fromkeys(keys))


_ID_LENGTH = len(MasterKey(bytes(KEY_BYTES)).id)


def _key(word: str) -> MasterKey:
    try:
        return MasterKey(bytes.fromhex(word) if _HEX.fullmatch(word) else base64.b64decode(word, validate=True))
    except (binascii.Error, CalotypeError):
        # Not chained: the cause's text may show a part of the word.
        raise ValueError("a word is no key") from None
