"""Raw bytes to a server and back, and what every answer has to carry."""

from __future__ import annotations

import contextlib
import json
import socket
from dataclasses import dataclass

ANSWER_S = 50
"""Far beyond every deadline of the server's; waited for only where it does not answer."""

EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; status 0 where the connection ended without an answer, -1 where nothing happened at all."""

    status: int
    fields: dict[str, str]
    body: bytes


def exchange(port: int, data: bytes, *, half: bool = False, within: float = ANSWER_S) -> Answer:
    """Send bytes and return the first answer, read until its end."""
    with socket.create_connection(("127.0.0.1", port), timeout=within) as connection:
        with contextlib.suppress(OSError):  # refused before it was all sent; the answer can still be read
            connection.sendall(data)
            if half:
                connection.shutdown(socket.SHUT_WR)
        return read(connection)


def read(connection: socket.socket) -> Answer:
    """Read one answer."""
    received = bytearray()
    while not _whole(received):
        try:
            chunk = connection.recv(65536)
        except ConnectionResetError:
            break
        except TimeoutError:
            return Answer(-1, {}, b"")
        if not chunk:
            break
        received += chunk
    head, _, body = bytes(received).partition(b"\r\n\r\n")
    if not head:
        return Answer(0, {}, b"")
    first, *lines = head.decode("latin-1").split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Answer(int(first.split()[1]), fields, body[: int(fields.get("content-length", len(body)))])


def faults(answer: Answer) -> list[str]:
    """Return what an answer lacks of what every answer has to carry."""
    found = [
        f"{name}: {answer.fields.get(name)}" for name, value in EVERYWHERE.items() if answer.fields.get(name) != value
    ]
    found += [
        f"no {name}" for name in ("x-request-id", "cross-origin-resource-policy", "date") if name not in answer.fields
    ]
    if "server" in answer.fields:
        found.append("Server")
    if answer.fields.get("content-type", "").startswith(("application/json", "application/problem+json")):
        if answer.fields.get("content-security-policy") != "default-src 'none'; frame-ancestors 'none'":
            found.append("Content-Security-Policy")
        if "etag" not in answer.fields and answer.fields.get("cache-control") != "no-store":
            found.append("Cache-Control")
    if answer.status >= 400 and not _is_problem(answer):
        found.append(f"no problem document: {answer.body[:80]!r}")
    return found


def _is_problem(answer: Answer) -> bool:
    if answer.fields.get("content-type") != "application/problem+json":
        return False
    problem = json.loads(answer.body)
    return bool(problem["status"] == answer.status and problem["type"] and problem["title"] and problem["detail"])


def _whole(received: bytearray) -> bool:
    head, end, body = bytes(received).partition(b"\r\n\r\n")
    if not end:
        return False
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return len(body) >= int(line.partition(b":")[2])
    return head[9:12] in {b"204", b"304"}
