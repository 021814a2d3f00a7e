"""The library's door: what `import calotype` gives, and whose packages it stands on."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

import calotype

if TYPE_CHECKING:
    from pathlib import Path


def python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CALOTYPE_", "DATA_"))}
    return subprocess.run(
        [sys.executable, "-c", code], env={**kept, **environment}, capture_output=True, text=True, check=False
    )


def test_the_example_of_the_specification(tmp_path: Path) -> None:
    (tmp_path / "alice.png").write_bytes(
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x05\x00\x00\x00\x07\x08\x02" + bytes(9)
    )
    with calotype.open(tmp_path / "mydata") as store:
        asset = store.assets.put(tmp_path / "alice.png", tags=["fantasy"])
        assert (asset.type, asset.width, asset.height) == ("image", 5, 7)
        assert [tag.name for tag in store.tags.find_all()] == ["fantasy"]
        assert store.references(asset.sha256) == []
        assert store.users.first() is not None
        assert store.documents.get("asset", asset.id) is not None
    raw = tmp_path / "mydata" / "binaries" / asset.sha256 / "raw"
    assert raw.read_bytes() == (tmp_path / "alice.png").read_bytes()


def test_every_repository_of_the_container_is_a_member(tmp_path: Path) -> None:
    with calotype.open(tmp_path / "data") as store:
        container = store.inside.records
        assert [name for name in vars(container) if name not in {"documents", "facts"}] == [
            name
            for name, value in vars(container).items()
            if getattr(store, name, None) is value and name != "documents"
        ]


def test_characters_chats_and_messages_without_a_server(tmp_path: Path) -> None:
    with calotype.open(tmp_path / "data") as store:
        picture = store.assets.put(b"a picture", tags=["fantasy"])
        alice = store.characters.create(
            name="Alice", description="d", personality="p", scenario="s", first_message="Hello!"
        )
        assert store.characters.find_by_id(alice.id) == alice
        assert store.characters.find_by_id("00000000-0000-4000-8000-000000000000") is None
        assert store.characters.set_avatar(alice.id, sha256=picture.sha256).default_image_id == picture.id
        assert store.references(picture.sha256) == [calotype.Reference("character", alice.id, "defaultImageId")]
        assert store.characters.find_by_tag("fantasy") == []
        store.characters.add_tag(alice.id, "FANTASY")
        (tag,) = store.tags.find_all()
        for named in ("fantasy", tag.id):
            assert [found.id for found in store.characters.find_by_tag(named)] == [alice.id]
        with pytest.raises(calotype.ConflictError):
            store.assets.delete(picture.id)
        connection = store.connections.create(name="local", provider="OLLAMA", model_name="m")
        chat = store.chats.create(title="Tea", character_id=alice.id, connection_profile_id=connection.id)
        store.messages.append(chat.id, {"role": "ASSISTANT", "content": "Hello!"})
        assert store.chats.get(chat.id).message_count == 1


def test_without_an_argument_it_is_data_dir(tmp_path: Path) -> None:
    done = python(
        "import calotype\nwith calotype.open() as store: print(store.settings.data_dir, store.settings.durability)",
        DATA_DIR=str(tmp_path / "named"),
        CALOTYPE_DURABILITY="none",
    )
    assert (done.stdout.split(), done.stderr) == ([str(tmp_path / "named"), "none"], "")
    assert (tmp_path / "named" / ".calotype").is_file()


def test_an_argument_wins_and_must_be_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALOTYPE_DURABILITY", "none")
    with calotype.open(str(tmp_path / "data"), durability="batch") as store:
        assert store.settings.durability.value == "batch"
    with pytest.raises(calotype.InvalidError, match="colour"):
        calotype.open(tmp_path / "data", colour="red")
    with pytest.raises(calotype.NotFoundError):
        calotype.open(tmp_path / "absent", expect_store=True)


def test_two_stores_and_many_threads(tmp_path: Path) -> None:
    with calotype.open(tmp_path / "one", durability="none") as one, calotype.open(tmp_path / "two") as two:
        two.assets.put(b"two")

        def work(number: int) -> None:
            for turn in range(10):
                one.assets.put(f"{number} {turn}".encode(), filename=f"{turn}.txt")

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (one.assets.list().total, two.assets.list().total) == (40, 1)


def test_an_application_can_be_mounted(tmp_path: Path) -> None:
    with calotype.open(tmp_path / "data") as store:
        application = calotype.asgi(store)
        assert callable(application)
        assert store.assets.list().total == 0, "mounting does not close the store"


def test_connecting_sends_nothing() -> None:
    with calotype.connect("http://127.0.0.1:1", token="calo_x") as remote:  # noqa: S106 - nobody's token
        with pytest.raises(calotype.BusyError, match="calotype serve"):
            remote.assets.list()
        with pytest.raises(calotype.BusyError):
            remote.references("0" * 64)


def test_everything_exported_is_there() -> None:
    assert [name for name in calotype.__all__ if not hasattr(calotype, name)] == []
    assert sorted(calotype.__all__) == sorted(set(calotype.__all__))
    kinds = {
        each.kind
        for each in vars(calotype).values()
        if isinstance(each, type) and issubclass(each, calotype.CalotypeError)
    }
    assert len(kinds) == 13


@pytest.mark.parametrize("name", ["assets", "metadata", "server"])
@pytest.mark.parametrize("shape", ["{}.py", "{}/__init__.py"])
def test_a_package_that_hides_ours_is_named(tmp_path: Path, repository: Path, name: str, shape: str) -> None:
    hiding = tmp_path / shape.format(name)
    hiding.parent.mkdir(exist_ok=True)
    hiding.touch()
    done = python(f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(repository)!r}]; import calotype")
    last = done.stderr.splitlines()[-1]
    assert done.returncode == 1
    assert last.startswith(f"ImportError: calotype needs its own package {name!r}")
    assert str(tmp_path / name) in last
