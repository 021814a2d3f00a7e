"""uvicorn as a library: addresses, sockets, and workers that do not outlive their supervisor."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from metadata.errors import BusyError, InvalidError
from server.cli.serving import address_of, announce_to_workers, listen
from server.configuration import load_settings

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


@pytest.mark.parametrize(
    ("host", "shown"),
    [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::1", "[::1]"), ("[::1]", "[::1]")],  # noqa: S104 - what a person may configure
)
def test_the_address_can_be_typed(host: str, shown: str) -> None:
    try:
        with listen(host, 0) as listener:
            port = listener.getsockname()[1]
            settings = load_settings({"CALOTYPE_HOST": host, "CALOTYPE_ROOT_PATH": "/pictures"}).settings
            assert address_of(settings, listener) == f"http://{shown}:{port}/pictures"
            socket.create_connection((shown.strip("[]"), port), timeout=10).close()
    except (BusyError, InvalidError):
        if ":" not in host:
            raise
        pytest.skip("no IPv6 here")


def test_a_taken_port_and_a_strange_host() -> None:
    with listen("127.0.0.1", 0) as listener, pytest.raises(BusyError):
        listen("127.0.0.1", listener.getsockname()[1]).__enter__()
    with pytest.raises(InvalidError):
        listen("no.such.host.invalid", 0).__enter__()


def test_workers_read_what_the_command_line_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("CALOTYPE_", "DATA_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CALOTYPE_AUTH", "off")
    options = {"port": 5, "cors_origins": ("https://a.example", "*"), "host": None, "data_dir": "here"}
    loaded = load_settings(os.environ, options)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("CALOTYPE_PORT", "CALOTYPE_CORS_ORIGINS", "DATA_DIR"):
            patch.setenv(name, "")  # so that the end of the context puts them back
        announce_to_workers(loaded)
        found = load_settings(os.environ).settings
    assert found == loaded.settings.model_copy(update={"data_dir": tmp_path / "here"})


def test_workers_go_with_their_supervisor(serving: ModuleType, tmp_path: Path) -> None:
    with serving.Server(tmp_path / "data", workers=2) as server:
        group = server.process.pid
        os.kill(server.process.pid, signal.SIGKILL)
        server.stop()
        host, _, port = server.url.removeprefix("http://").rpartition(":")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                socket.create_connection((host, int(port)), timeout=1).close()
            except OSError:
                break
            time.sleep(0.05)
        else:
            os.killpg(group, signal.SIGKILL)
            pytest.fail("workers go on without a supervisor")


def test_a_signal_that_comes_in_a_destructor_is_not_lost() -> None:
    program = (
        "import os, signal, uvicorn\n"
        "from server.cli.serving import Ending\n"
        "class Dying:\n"
        "    def __del__(self):\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "ending = Ending()\n"
        "server = uvicorn.Server(uvicorn.Config(app=lambda: None))\n"
        "ending.govern(server)\n"
        "before = (ending.asked, server.should_exit)\n"
        "dying = Dying()\n"
        "del dying\n"
        "print(before, ending.asked, server.should_exit)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(False, False) True True"
    assert done.stderr == ""
