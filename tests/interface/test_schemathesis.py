"""Schemathesis asks a running server whatever its OpenAPI document allows and forbids.

It finds no answer of 500 and above, none whose status, type, header fields or content the document does not name, none
without credentials, and nothing taken that the document forbids. CONTRIBUTING says how to run it for longer.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
)
GENERATED = re.compile(r"Test cases:\s+([\d,]+) generated")
TEXTS = {"name": "Alice", "description": "d", "personality": "p", "scenario": "s", "firstMessage": "hello"}
PROFILE = {"name": "main", "provider": "OPENAI", "modelName": "m"}
GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"


class Running:
    """A server in a process of its own over a folder of its own, and an administrator's token."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.environ = os.environ | {"DATA_DIR": str(folder / "data"), "CALOTYPE_PORT": str(self.port)}
        self.environ |= {"CALOTYPE_DURABILITY": "none", "CALOTYPE_MIN_FREE_BYTES": "0"}
        self.program = str(Path(sys.executable).with_name("calotype"))
        command = [self.program, "token", "create", "--scope", "admin", "--name", "fuzz"]
        subprocess.run([self.program, "init"], env=self.environ, check=True, capture_output=True)
        made = subprocess.run(command, env=self.environ, check=True, capture_output=True, text=True)
        self.token = made.stdout.strip()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "serve.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([self.program, "serve"], env=self.environ, stdout=log, stderr=log)

    def ready(self) -> None:
        """Wait until it answers."""
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                if httpx2.get(f"{self.url}/readyz").status_code == 200:
                    return
            except httpx2.TransportError:
                time.sleep(0.1)
        raise AssertionError(self.log.read_text())

    def post(self, path: str, body: Any = None, **more: Any) -> dict[str, Any]:
        """Make a record."""
        sent = more if body is None else {"json": body}
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = httpx2.post(f"{self.url}/api/{path}", headers=headers, **sent)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def fill(self) -> dict[str, str]:
        """Make one record of each kind and return their ids, by collection and by what paths call them."""
        asset = self.post("assets", content=GIF)
        ids = {
            "assets": asset["id"],
            "assetId": asset["id"],
            "blobs": asset["sha256"],
            "docs": "start.js",
            "page": "page.js",
        }
        bodies: list[tuple[str, str, dict[str, Any]]] = [
            ("characters", "characterId", TEXTS),
            ("personas", "personaId", {"name": "Me", "description": "d"}),
            ("tags", "tagId", {"name": "t"}),
            ("connection-profiles", "", PROFILE),
            ("image-profiles", "", PROFILE),
            ("api-keys", "", {"label": "k", "provider": "x", "key": "sk"}),
            ("users", "", {"email": "a@example.org"}),
            ("accounts", "", {"type": "oauth", "provider": "x", "providerAccountId": "1"}),
            ("sessions", "", {"sessionToken": "x", "expires": "2999-01-01T00:00:00Z"}),
            ("tokens", "", {"scope": "read"}),
        ]
        for collection, name, body in bodies:
            ids[collection] = ids[name or collection] = self.post(collection, body)["id"]
        chat = {"title": "t", "characterId": ids["characters"], "connectionProfileId": ids["connection-profiles"]}
        ids["chats"] = self.post("chats", chat)["id"]
        ids["messageId"] = self.post(f"chats/{ids['chats']}/messages", {"role": "USER", "content": "hi"})["id"]
        ids["swipeId"] = ids["messageId"]
        ids["participantId"] = ids["characterId"]  # who is in a chat of the first shape has the character's id
        return ids


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """A server that answers."""
    server = Running(tmp_path)
    try:
        server.ready()
        yield server
    finally:
        server.process.terminate()
        server.process.wait(30)


@pytest.mark.heavy
@pytest.mark.timeout(4_000)
def test_no_answer_is_an_error_of_ours_or_undocumented(
    running: Running,
    tmp_path: Path,
    scale: int,
    counts: Callable[[int, int, int], int],
    promise: Callable[[str, int, int], None],
) -> None:
    seconds = counts(15, 90, 3_000)
    known = tmp_path / "known.json"
    known.write_text(json.dumps(running.fill()), encoding="utf-8")
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        *("--config-file", str(Path(__file__).with_name("schemathesis.toml"))),
        *("run", f"{running.url}/openapi.json", "-H", f"Authorization: Bearer {running.token}"),
        *("--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing"),
        *(
            "--max-examples",
            str(10 * scale),
            "--max-time",
            str(seconds),
            "--seed",
            "1",
            "--no-color",
        ),
        *("--generation-database", "none", "--suppress-health-check", "all", "--warnings", "off"),
    ]
    hooks = {"SCHEMATHESIS_HOOKS": "known_ids", "KNOWN_IDS": str(known), "PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run(
        command,
        env=os.environ | hooks,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds + 500,
    )
    generated = GENERATED.search(done.stdout)
    promise(
        "requests by Schemathesis", int(generated[1].replace(",", "")) if generated else 0, int(done.returncode != 0)
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "Traceback" not in running.log.read_text(encoding="utf-8")
    assert running.process.poll() is None
