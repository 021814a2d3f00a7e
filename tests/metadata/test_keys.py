"""Key files: made once whatever happens, read strictly, never shown, never replaced while something needs them."""

from __future__ import annotations

import base64
import errno
import multiprocessing
import os
import stat
from typing import TYPE_CHECKING

import pytest

from metadata.errors import CalotypeError, InvalidError, UnreadableError
from metadata.files.engine import FileEngine
from metadata.files.filesystem import FileSystem
from metadata.keys import PATH, URL_KEY_PATH, MasterKeys, given_keys, keys_from_outside, url_key
from metadata.sealing import MasterKey

if TYPE_CHECKING:
    from pathlib import Path

ONE, TWO = MasterKey(b"1" * 32), MasterKey(b"2" * 32)


def text_of(key: MasterKey) -> str:
    return base64.b64encode(key.secret).decode()


def keys_in(root: Path, *given: MasterKey, sealed: bool = False, fs: FileSystem | None = None) -> MasterKeys:
    return MasterKeys(FileEngine.open(root, fs=fs), given, sealed_exist=lambda: sealed)


def test_the_first_key_is_made_on_first_use_and_stays(tmp_path: Path) -> None:
    keys = keys_in(tmp_path)
    assert keys.ring().keys == ()
    assert not (tmp_path / PATH).exists()
    (key,) = keys.ensure().keys
    assert keys_in(tmp_path).ensure().keys == (key,)
    assert stat.S_IMODE((tmp_path / PATH).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / PATH).parent.stat().st_mode) == 0o700


def test_the_file_says_what_it_is_and_needs_nothing_else(tmp_path: Path) -> None:
    (key,) = keys_in(tmp_path).ensure().keys
    text = (tmp_path / PATH).read_text()
    assert text.startswith("# The master key")
    assert f"{key.id} {text_of(key)}\n" in text


def test_without_a_key_a_store_that_sealed_makes_no_new_one(tmp_path: Path) -> None:
    keys = keys_in(tmp_path, sealed=True)
    with pytest.raises(InvalidError, match="no master key"):
        keys.ensure()
    assert not (tmp_path / PATH).exists()
    key = keys.replace_lost()
    assert keys.ensure().keys == (key,)
    with pytest.raises(InvalidError, match="rotate"):
        keys.replace_lost()


def test_keys_from_outside_come_first_and_are_not_written(tmp_path: Path) -> None:
    keys = keys_in(tmp_path, ONE)
    assert keys.ensure().keys == (ONE,)
    keys.begin_rotation()
    keys.end_rotation()
    assert not (tmp_path / PATH).exists()
    (own,) = keys_in(tmp_path).ensure().keys
    assert keys.ring().keys == (ONE, own)
    keys.begin_rotation()
    keys.end_rotation()
    assert keys.ring().keys == (ONE, own)


def test_a_rotation_has_two_keys_until_it_ends(tmp_path: Path) -> None:
    keys = keys_in(tmp_path)
    (old,) = keys.ensure().keys
    new, also = keys.begin_rotation().keys
    assert also == old
    assert keys.begin_rotation().keys == (new, old), "begun again it goes on with the same key"
    assert keys_in(tmp_path).ring().keys == (new, old)
    keys.end_rotation()
    assert keys_in(tmp_path).ring().keys == (new,)


@pytest.mark.parametrize(
    "text",
    [
        text_of(ONE),
        ONE.secret.hex(),
        f"{ONE.id} {text_of(ONE)}",
        f"\n# a comment\n  {text_of(ONE)}  \n{text_of(ONE)}\n",
        ONE.secret.hex().upper(),
    ],
)
def test_a_key_is_read_however_people_write_it(tmp_path: Path, text: str) -> None:
    assert given_keys(text, "CALOTYPE_MASTER_KEY") == (ONE,)
    (tmp_path / PATH).parent.mkdir()
    (tmp_path / PATH).write_text(text)
    assert keys_in(tmp_path).ring().keys == (ONE,)


def test_several_keys_are_taken_in_order() -> None:
    assert given_keys(f"{text_of(TWO)},{text_of(ONE)}", "CALOTYPE_MASTER_KEY") == (TWO, ONE)
    assert given_keys(f"{text_of(TWO)} {ONE.secret.hex()}", "CALOTYPE_MASTER_KEY") == (TWO, ONE)


def test_keys_from_outside_are_a_text_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"# mounted by the orchestrator\n{text_of(ONE)}\n")
    assert keys_from_outside(None, None) == ()
    assert keys_from_outside("", None) == ()
    assert keys_from_outside(text_of(TWO), file) == (TWO, ONE)
    assert keys_from_outside(None, file) == (ONE,)
    for unfit in (tmp_path / "absent", tmp_path):
        with pytest.raises(CalotypeError, match=unfit.name):
            keys_from_outside(None, unfit)
    for data in (b"\xff\xfe" * 16, b"", b"x" * 44):
        file.write_bytes(data)
        with pytest.raises(InvalidError, match="CALOTYPE_MASTER_KEY_FILE") as caught:
            keys_from_outside(None, file)
        assert caught.value.details["setting"] == "CALOTYPE_MASTER_KEY_FILE"


@pytest.mark.parametrize(
    "text",
    ["", "# nothing\n", "password1", text_of(ONE)[:-5], f"{TWO.id} {text_of(ONE)}", ONE.id, "é" * 44, "a" * 64 + "0"],
)
def test_what_is_no_key_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidError) as caught:
        given_keys(text, "CALOTYPE_MASTER_KEY")
    assert not text or text not in str(caught.value)
    (tmp_path / PATH).parent.mkdir()
    (tmp_path / PATH).write_text(text)
    for attempt in (keys_in(tmp_path).ring, keys_in(tmp_path).ensure, keys_in(tmp_path).replace_lost):
        with pytest.raises(UnreadableError, match="no sound key") as found:
            attempt()
        assert not text or text not in str(found.value)
    assert (tmp_path / PATH).read_text() == text


def test_a_damaged_byte_of_the_file_never_gives_another_key(tmp_path: Path) -> None:
    keys = keys_in(tmp_path)
    (key,) = keys.ensure().keys
    sound = (tmp_path / PATH).read_bytes()
    start = sound.index(key.id.encode())
    for place in range(start, len(sound) - 1):
        (tmp_path / PATH).write_bytes(sound[:place] + bytes([sound[place] ^ 4]) + sound[place + 1 :])
        with pytest.raises(UnreadableError):
            keys.ensure()


def test_a_file_that_was_copied_back_is_closed_to_others(tmp_path: Path) -> None:
    keys = keys_in(tmp_path)
    keys.ensure()
    (tmp_path / PATH).chmod(0o644)
    keys.ring()
    assert stat.S_IMODE((tmp_path / PATH).stat().st_mode) == 0o600


class FailingAt(FileSystem):
    """Counts the calls that change something and fails at one of them, as a power cut would: nothing follows."""

    def __init__(self, fatal: int) -> None:
        self.fatal = fatal
        self.calls = 0

    def _step(self) -> None:
        self.calls += 1
        if self.calls >= self.fatal:
            raise OSError(errno.EIO, "the machine is gone")

    def open(self, path: Path, flags: int, mode: int = 0o666) -> int:
        if flags & (os.O_CREAT | os.O_WRONLY | os.O_RDWR):
            self._step()
        return super().open(path, flags, mode)

    def write(self, descriptor: int, data: bytes | memoryview) -> int:
        self._step()
        return super().write(descriptor, data[:7])

    def fsync(self, descriptor: int) -> None:
        self._step()
        super().fsync(descriptor)

    def rename(self, source: Path, target: Path) -> None:
        self._step()
        super().rename(source, target)

    def unlink(self, path: Path) -> None:
        self._step()
        super().unlink(path)


def test_cut_off_at_any_step_there_is_no_key_or_a_whole_one(tmp_path: Path) -> None:
    for fatal in range(1, 200):
        root = tmp_path / str(fatal)
        fs = FailingAt(fatal)
        try:
            made = keys_in(root, fs=fs).ensure().keys
        except CalotypeError:
            made = ()
        found = keys_in(root).ring().keys
        assert found == made or not made, "a key that was handed out is there"
        assert len(keys_in(root).ensure().keys) == 1
        if made:
            assert fatal > 10
            return
    pytest.fail("it never came to an end")


def test_cut_off_at_any_step_a_rotation_loses_no_key(tmp_path: Path) -> None:
    for fatal in range(1, 200):
        root = tmp_path / str(fatal)
        (old,) = keys_in(root).ensure().keys
        fs = FailingAt(fatal)
        try:
            ring = keys_in(root, fs=fs).begin_rotation()
        except CalotypeError:
            found = keys_in(root).ring().keys
            assert found[-1] == old
            continue
        assert keys_in(root).ring() == ring
        assert fatal > 10
        return
    pytest.fail("it never came to an end")


def _make(root: Path, start: multiprocessing.synchronize.Barrier, found: multiprocessing.Queue[str]) -> None:
    start.wait(60)
    found.put(keys_in(root).ensure().keys[0].id)


@pytest.mark.heavy
def test_many_processes_at_once_make_one_key(tmp_path: Path, scale: int) -> None:
    context = multiprocessing.get_context("spawn")
    for number in range(2 * scale):
        barrier, found = context.Barrier(4), context.Queue()
        workers = [context.Process(target=_make, args=(tmp_path / str(number), barrier, found)) for _ in range(4)]
        for worker in workers:
            worker.start()
        ids = {found.get(timeout=90) for _ in workers}
        for worker in workers:
            worker.join(60)
        assert len(ids) == 1


def test_the_key_of_urls_is_made_once_and_is_another(tmp_path: Path) -> None:
    engine = FileEngine.open(tmp_path)
    key = url_key(engine)
    assert len(key) == 32
    assert url_key(FileEngine.open(tmp_path)) == key
    assert keys_in(tmp_path).ensure().keys[0].secret != key
    assert stat.S_IMODE((tmp_path / URL_KEY_PATH).stat().st_mode) == 0o600
    (tmp_path / URL_KEY_PATH).write_text("nonsense")
    with pytest.raises(UnreadableError, match="no sound key"):
        url_key(engine)
