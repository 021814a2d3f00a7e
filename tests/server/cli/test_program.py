"""The program as a process: its entry, its exit codes, and what a person sees when something goes wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    import pytest

    from .conftest import Invoke

COMMANDS = (
    "init", "serve", "put", "get", "ls", "show", "rm", "link", "config", "compact", "reindex", "version", "token",
    "key", "user", "variants",
)  # fmt: skip


def python(code: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DATA_DIR": str(folder)}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_help_lists_every_command(calo: Invoke) -> None:
    shown = calo("--help")
    assert shown.status == 0
    assert set(COMMANDS) <= {line.split()[0] for line in shown.out.splitlines() if line.strip()}
    assert not any(line.endswith("...") for line in shown.out.splitlines()[1:]), "a summary that does not fit"
    assert calo().out == shown.out


def test_wrong_words_are_a_sentence(calo: Invoke) -> None:
    done = calo("zzz")
    assert (done.status, done.out, done.err) == (2, "", "No such command 'zzz'. `calotype --help` says more.\n")
    assert (calo("token").status, calo("put").status) == (2, 2)
    problem = json.loads(calo("ls", "--json", "--nope").err)
    assert (problem["type"], "--nope" in problem["detail"]) == ("urn:calotype:problem:invalid", True)


def test_errors_are_problems_for_programs(calo: Invoke) -> None:
    done = calo("ls", "--json")
    assert (done.status, done.out) == (3, "")
    assert json.loads(done.err)["type"] == "urn:calotype:problem:not-found"


def test_a_file_may_be_called_like_an_option(calo: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "--json").write_text("x")
    done = calo("put", "--", "--json")
    assert done.out.endswith("1 file: 1 new, 0 duplicates, 0 failed; 0 bytes saved\n")


def test_the_exit_code_leaves_the_process(serving: ModuleType, tmp_path: Path) -> None:
    done = serving.run(tmp_path / "data", "ls")
    assert (done.returncode, done.stdout) == (3, b"")
    assert serving.run(tmp_path / "data", "init").returncode == 0
    assert serving.run(tmp_path / "data", "ls").returncode == 0


BROKEN = """
import sys
from server.cli import about, program
def broken(*arguments: object) -> None:
    raise ValueError("a fault of ours")
about.effective = broken
sys.exit(program.run(sys.argv[1:]))
"""


def test_the_unexpected_is_short_unless_debugged(tmp_path: Path) -> None:
    done = python(BROKEN, tmp_path, "config")
    assert done.returncode == 1
    assert done.stderr == (
        "Something unexpected went wrong: ValueError: a fault of ours. Repeat it with --debug to see where.\n"
    )
    assert json.loads(python(BROKEN, tmp_path, "config", "--json").stderr)["title"] == "Internal error"
    debugged = python(BROKEN, tmp_path, "config", "--debug")
    assert (debugged.returncode, "Traceback" in debugged.stderr) == (1, True)


def test_elsewhere_it_stops_with_a_sentence(tmp_path: Path) -> None:
    done = python("import sys; sys.platform = 'win32'; from server.cli import main; main()", tmp_path)
    assert (done.returncode, done.stdout) == (10, "")
    assert "Docker" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_reader_that_leaves_is_no_traceback(serving: ModuleType, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    serving.run(folder, "init")
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [*serving.COMMAND, "config"],
            env=serving.environment(folder),
            stdout=writing,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(writing)
    assert b"Traceback" not in done.stderr
    assert done.returncode != 0


def test_what_a_terminal_cannot_show_is_escaped(serving: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "☂.txt").write_text("x")
    done = serving.run(
        tmp_path / "data", "put", str(tmp_path / "☂.txt"), extra={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    )
    assert done.returncode == 0, done.stderr
    assert b"\\u2602.txt" in done.stdout


def test_what_the_system_refuses_is_a_sentence(serving: ModuleType, tmp_path: Path) -> None:
    done = serving.run(tmp_path / ("x" * 300), "init")
    assert (done.returncode, b"name too long" in done.stderr, b"Traceback" in done.stderr) == (11, True, False)
    if not Path("/dev/full").exists():
        return  # macOS has none
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*serving.COMMAND, "version"],
            env=serving.environment(tmp_path),
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (done.returncode, done.stderr.count(b"\n")) == (13, 1), done.stderr
