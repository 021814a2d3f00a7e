"""`calotype link`."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

import calotype
from server.signing import UrlSigner

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    from .conftest import Invoke


def opens(folder: Path, url: str) -> bool:
    parts, query = urlsplit(url), parse_qs(urlsplit(url).query)
    with calotype.open(folder) as store:
        signer = UrlSigner(store.inside.vault.url_key(), store.inside.clock)
        return signer.check(parts.path, query["expires"][0], query["signature"][0])


def test_the_address_stands_alone_and_opens(calo: Invoke, folder: Path, picture: Path) -> None:
    calo("put", picture)
    sha256 = hashlib.sha256(picture.read_bytes()).hexdigest()
    done = calo("link", sha256)
    assert (done.status, done.err) == (0, "")
    (url,) = done.out.splitlines()
    assert url.startswith(f"http://127.0.0.1:8256/blobs/{sha256}.png?expires=")
    assert opens(folder, url)


def test_it_begins_with_the_public_address(
    calo: Invoke, folder: Path, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calo("put", picture)
    sha256 = hashlib.sha256(picture.read_bytes()).hexdigest()
    monkeypatch.setenv("CALOTYPE_PUBLIC_URL", "https://pictures.example.org")
    found = calo("link", sha256, "--for", "30d", "--json").json()
    assert found["url"].startswith(f"https://pictures.example.org/blobs/{sha256}.png?")
    assert found["expiresAt"].endswith("Z")
    assert opens(folder, found["url"])
    monkeypatch.delenv("CALOTYPE_PUBLIC_URL")
    monkeypatch.setenv("CALOTYPE_HOST", "::1")
    assert calo("link", sha256).out.startswith("http://[::1]:8256/")


def test_a_server_signs_for_its_own_address(
    calo: Invoke, folder: Path, picture: Path, serving: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving.Server(folder, extra={"CALOTYPE_BLOB_ACCESS": "private"}) as server:
        monkeypatch.setenv("CALOTYPE_TOKEN", server.token)
        calo("put", picture, "--url", server.url)
        sha256 = hashlib.sha256(picture.read_bytes()).hexdigest()
        done = calo("link", sha256, "--url", server.url)
        assert (done.status, done.err) == (0, "")
        assert done.out.startswith(f"{server.url}/blobs/{sha256}.png?expires=")
        assert httpx2.get(done.out.strip(), trust_env=False).content == picture.read_bytes()
        assert httpx2.get(done.out.partition("?")[0], trust_env=False).status_code == 401
        monkeypatch.setenv("CALOTYPE_URL", server.url)
        assert calo("link", sha256, "--json").json()["url"].startswith(f"{server.url}/blobs/{sha256}.png?")
        assert calo("link", "0" * 64).status == 3
        assert calo("link", sha256, "--url", server.url, "--data-dir", folder).status == 2


@pytest.mark.parametrize(
    ("arguments", "status"),
    [(["0" * 64], 3), (["nonsense"], 2), (["{sha}", "--for", "31d"], 2), (["{sha}", "--for", "soon"], 2)],
)
def test_what_cannot_be_is_refused(calo: Invoke, picture: Path, arguments: list[str], status: int) -> None:
    calo("put", picture)
    sha256 = hashlib.sha256(picture.read_bytes()).hexdigest()
    assert calo("link", *[word.replace("{sha}", sha256) for word in arguments]).status == status


def test_no_store_is_an_error(calo: Invoke, folder: Path) -> None:
    assert calo("link", "0" * 64).status == 3
    assert not folder.exists()
