"""`calotype serve`: a real process, real sockets."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import threading
import time
from typing import TYPE_CHECKING

import httpx2
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import ModuleType

    from .conftest import Invoke

Start = "Callable[..., subprocess.Popen[str]]"


@pytest.fixture
def start(serving: ModuleType, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `calotype serve` on a free port; it is killed when the test ends."""
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: str, **extra: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*serving.COMMAND, "serve", "--port", "0", *arguments],
            env=serving.environment(tmp_path / "data", {"CALOTYPE_MIN_FREE_BYTES": "0", **extra}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def first_lines(process: subprocess.Popen[str], last: str = "serves") -> str:
    """Return what is printed up to the line with this word."""
    text = ""
    assert process.stdout is not None
    for line in process.stdout:
        text += line
        if last in line:
            return text
    raise AssertionError(text + process.communicate()[1])


def address(text: str) -> str:
    found = re.search(r"http://[^\s/]+:\d+", text)
    assert found is not None
    return found[0]


def ended(process: subprocess.Popen[str]) -> int:
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    return process.returncode


def test_the_first_start_prints_a_token_once(start: Callable[..., subprocess.Popen[str]]) -> None:
    process = start()
    text = first_lines(process)
    (token,) = set(re.findall(r"calo_[\w-]{43}", text))
    url = address(text)
    assert f'curl -F file=@picture.png -H "Authorization: Bearer {token}" {url}/api/assets' in text
    assert f"    {url}/#token={token}\n" in text
    answer = httpx2.get(f"{url}/api/assets", headers={"Authorization": f"Bearer {token}"}, trust_env=False)
    assert (answer.status_code, answer.json()["total"]) == (200, 0)
    assert "server" not in answer.headers
    assert ended(process) == 0
    again = start()
    assert "calo_" not in first_lines(again)
    assert ended(again) == 0


def test_json_is_one_document(start: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    document = json.loads(first_lines(start("--json"), "}"))
    assert document["dataDir"] == str(tmp_path / "data")
    assert document["token"].startswith("calo_")
    assert httpx2.get(f"{document['url']}/healthz", trust_env=False).status_code == 200


def test_a_store_without_tokens_gets_a_hint(calo: Invoke, start: Callable[..., subprocess.Popen[str]]) -> None:
    calo("init")
    process = start()
    assert "calo_" not in first_lines(process)
    process.terminate()
    assert "`calotype token create --scope admin`" in process.communicate()[1]


def test_without_sign_in_there_is_no_token(start: Callable[..., subprocess.Popen[str]]) -> None:
    text = first_lines(start(CALOTYPE_AUTH="off"))
    assert "calo_" not in text
    assert httpx2.get(f"{address(text)}/api/assets", trust_env=False).status_code == 200


def test_options_reach_every_worker(start: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    other = tmp_path / "other"
    process = start(
        "--workers", "2", "--cors", "https://a.example", "--cors", "https://b.example", "--data-dir", str(other)
    )
    url = address(first_lines(process))
    for origin in ("https://a.example", "https://b.example"):
        answer = httpx2.get(f"{url}/healthz", headers={"Origin": origin}, trust_env=False, timeout=60)
        assert answer.headers["access-control-allow-origin"] == origin
    assert other.is_dir()
    assert not (tmp_path / "data").exists()
    assert ended(process) == 0


def test_interrupting_is_a_good_end(start: Callable[..., subprocess.Popen[str]]) -> None:
    process = start()
    url = address(first_lines(process))
    assert httpx2.get(f"{url}/healthz", trust_env=False).status_code == 200
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[1].count("Traceback") == 0
    assert process.returncode == 0


def test_an_upload_that_runs_is_finished(start: Callable[..., subprocess.Popen[str]]) -> None:
    process = start()
    text = first_lines(process)
    token = re.search(r"calo_[\w-]{43}", text)
    assert token is not None
    half, rest = threading.Event(), threading.Event()

    def body() -> Iterator[bytes]:
        yield b"first half, "
        half.set()
        assert rest.wait(60)
        yield b"second half"

    answers: list[httpx2.Response] = []
    headers = {"Authorization": f"Bearer {token[0]}"}

    def upload() -> None:
        with httpx2.Client(trust_env=False, timeout=60) as client:
            answers.append(client.post(f"{address(text)}/api/assets", content=body(), headers=headers))

    thread = threading.Thread(target=upload)
    thread.start()
    assert half.wait(60)
    until_taken(address(text))
    process.terminate()
    until_refused(address(text))
    rest.set()
    thread.join()
    process.communicate(timeout=60)
    assert [answer.status_code for answer in answers] == [201]
    assert process.returncode == 0


def until_taken(url: str) -> None:
    """Wait until the server has taken the connections made before: it answers one made later."""
    assert httpx2.get(f"{url}/healthz", trust_env=False).status_code == 200


def until_refused(url: str) -> None:
    """Wait until the server takes no more connections."""
    host, _, port = url.removeprefix("http://").rpartition(":")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            return
        time.sleep(0.02)
    raise AssertionError("the server goes on taking connections")


def test_what_keeps_it_from_serving(calo: Invoke, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        busy = calo("serve", "--port", taken.getsockname()[1])
        assert (busy.status, "--port 0" in busy.err) == (12, True)
    assert calo("serve", "--host", "no such host").status == 2
    assert calo("serve", "--port", "70000").status == 2
    assert not folder.exists(), "nothing is made before the port is had"
    monkeypatch.setenv("CALOTYPE_AUTH", "off")
    exposed = calo("serve", "--host", "0.0.0.0")  # noqa: S104 - refused
    assert (exposed.status, "CALOTYPE_AUTH" in exposed.err) == (2, True)
    monkeypatch.setenv("CALOTYPE_AUTH", "on")
    folder.mkdir()
    (folder / "thesis.txt").touch()
    assert calo("serve", "--port", "0").status == 2
