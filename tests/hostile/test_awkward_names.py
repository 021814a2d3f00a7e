"""No name, wherever a request puts it, makes the server open anything outside the data folder."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import math
import os
import re
import sys
import sysconfig
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import server
from server.app import create_app
from server.configuration import load_settings
from server.metrics import Metrics
from server.routes.table import all_operations
from server.wiring import open_store
from tests.promises import SOAK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from starlette.types import ASGIApp, Message

    from server.calls import Operation

    Request = tuple[str, bytes, dict[str, str], bytes]
    """Path, query, header fields and body."""

SECRET = "the letter outside"  # noqa: S105 - what must not be read
EVERYDAY = 2500
_VARIABLE = re.compile(r"{(\w+)}")
_BY_PATH = frozenset(
    {
        *(
            "open",
            "os.listdir",
            "os.scandir",
            "os.mkdir",
            "os.remove",
            "os.rename",
            "os.rmdir",
            "os.link",
            "os.symlink",
        ),
        *(
            "os.truncate",
            "os.chmod",
            "os.chown",
            "os.utime",
            "os.chdir",
            "os.mkfifo",
            "shutil.rmtree",
            "shutil.copyfile",
        ),
        *("sqlite3.connect", "glob.glob", "os.setxattr", "os.getxattr", "os.listxattr"),
    }
)
_NEVER = frozenset({"os.exec", "os.system", "os.posix_spawn", "subprocess.Popen", "socket.connect", "os.startfile"})
_CODE = tuple(
    os.path.realpath(path) + os.sep
    for path in (*sysconfig.get_paths().values(), *server.__path__, str(Path(server.__path__[0]).parent / "assets"))
)


class Watch:
    """Notes what the process opens while it is told to.

    Python cannot take an audit hook away again, so one of these lives as long as the process.
    """

    def __init__(self) -> None:
        self.inside = ""
        self.found: list[str] = []
        sys.addaudithook(self._hook)

    @contextlib.contextmanager
    def outside(self, folder: Path) -> Iterator[list[str]]:
        """Give the list of what is opened outside a folder, that of the interpreter and its libraries left out."""
        self.found = []
        self.inside = os.path.realpath(folder)
        try:
            yield self.found
        finally:
            self.inside = ""

    def _hook(self, event: str, arguments: tuple[object, ...]) -> None:
        if not self.inside:
            return
        if event == "socket.connect" and "127.0.0.1" in str(arguments[1]):
            return  # a thread that another test of this process left still asks its own server
        if event in _NEVER:
            self.found.append(f"{event} {arguments}")
        elif event in _BY_PATH:
            for argument in arguments[: 2 if event in {"os.rename", "os.link", "os.symlink"} else 1]:
                self._note(event, argument)

    def _note(self, event: str, argument: object) -> None:
        if not isinstance(argument, str | bytes | os.PathLike):
            return  # a descriptor, opened by a name that was looked at then
        path = os.path.abspath(os.fsdecode(argument).removeprefix("file:").partition("?mode=")[0])  # noqa: PTH100 - a name may be none for Path
        if path == self.inside or path.startswith(self.inside + os.sep):
            return
        if event == "open" and path.startswith(_CODE) and path.endswith((".py", ".pyc", ".so", ".html", ".js", ".css")):
            return  # what is imported at first use, and the pages that are part of the program
        self.found.append(f"{event} {path}")


@pytest.fixture(scope="session")
def watch() -> Watch:
    """The one watch of this process."""
    return Watch()


def requests(operation: Operation, name: str) -> list[Request]:
    """Return requests of an operation with a name in every place: path, query, headers, body."""
    hash_of_nothing = "0" * 64
    plain = _VARIABLE.sub(hash_of_nothing, operation.path)
    found: list[Request] = []
    variables = _VARIABLE.findall(operation.path)
    for variable in variables:
        path = operation.path.replace(f"{{{variable}}}", name)
        found.append((_VARIABLE.sub(hash_of_nothing, path), b"", {}, b""))
    encoded = name.encode("utf-8", "surrogatepass").hex()
    quoted = re.sub("(..)", r"%\1", encoded)
    if operation.parameters:
        query = "&".join(f"{parameter.name}={quoted}" for parameter in operation.parameters)
        found.append((plain, query.encode(), {}, b"x"))
    if operation.media:
        members = ("name", "title", "sha256", "assetId", "avatarUrl", "image", "key", "email")
        body = json.dumps(dict.fromkeys(members, name)).encode()
        found.append((plain, b"", {"content-type": operation.media[0]}, body))
    elif operation.stream is not None and operation.method not in {"GET", "HEAD"}:
        disposition = f"attachment; filename*=UTF-8''{quoted}"
        found.append(
            (plain, b"", {"content-disposition": disposition, "if-match": '"x"'}, name.encode("utf-8", "replace"))
        )
    return found


class Asker:
    """Hands requests to an application without a network, as an administrator."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._fields = [(b"host", b"localhost"), (b"authorization", f"Bearer {token}".encode())]

    async def ask(self, method: str, path: str, query: bytes, fields: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """Return an answer's status and body."""
        named = [(name.encode(), value.encode("latin-1")) for name, value in fields.items()]
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode("utf-8", "replace"),
            "query_string": query,
            "root_path": "",
            "headers": [*self._fields, (b"content-length", b"%d" % len(body)), *named],
            "client": ("203.0.113.9", 5),
            "server": ("localhost", 80),
            "state": {},
        }
        sent: list[Message] = []

        async def receive() -> Message:
            return (
                {"type": "http.request", "body": body, "more_body": False} if not sent else {"type": "http.disconnect"}
            )

        async def send(message: Message) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        return int(sent[0]["status"]), b"".join(message.get("body", b"") for message in sent[1:])


def everything(operations: list[Operation], names: list[str]) -> Iterator[tuple[Operation, Request]]:
    """Return requests: each name to each operation, in each place."""
    for operation, name in itertools.product(operations, names):
        for request in requests(operation, name):
            yield operation, request


def plan(operations: list[Operation], names: list[str], most: int) -> Iterator[tuple[Operation, Request]]:
    """Return requests: each name to each path, by its methods and in its places in turn; every n-th if over `most`."""
    by_path: dict[str, list[Operation]] = {}
    for operation in operations:
        by_path.setdefault(operation.path, []).append(operation)
    every = list(itertools.product(enumerate(names), by_path.values()))
    step = max(1, len(every) // most)
    while math.gcd(step, len(by_path)) > 1:  # else some paths would never have their turn
        step -= 1
    for (number, name), methods in every[::step]:
        operation = methods[number % len(methods)]
        places = requests(operation, name)
        if places:
            yield operation, places[number // len(methods) % len(places)]


async def go_through(asker: Asker, planned: Iterator[tuple[Operation, Request]]) -> tuple[Counter[str], list[str]]:
    """Send requests; return how many each path had, and what was wrong."""
    paths, wrong = Counter[str](), []
    for operation, (path, query, fields, body) in planned:
        paths[operation.path] += 1
        status, answer = await asker.ask(operation.method, path, query, fields, body)
        if status >= 500 or SECRET.encode() in answer:
            wrong.append(f"{operation.method} {path!r} {query!r}: {status}")
    return paths, wrong


@pytest.mark.heavy
@pytest.mark.timeout(1_800)
def test_nothing_outside_the_folder_is_opened(
    tmp_path: Path, watch: Watch, awkward: ModuleType, scale: int, promise: Callable[[str, int, int], None]
) -> None:
    """Every day each name on some paths, in `make verify` on every path, in `make soak` by every method and place."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/letter.txt").write_text(SECRET)
    names = awkward.names()
    assert len(set(names)) == len(names) == awkward.COUNT
    settings = load_settings({"DATA_DIR": str(tmp_path / "data"), "CALOTYPE_DURABILITY": "none"}).settings
    with open_store(settings) as store:
        token = store.records.access_tokens.issue(store.owner.id, "admin", "admin")[1]
        asker = Asker(create_app(store, metrics=Metrics()), token)
        operations = all_operations()
        most = EVERYDAY if scale == 1 else len(operations) * len(names)
        planned = plan(operations, names, most) if scale < SOAK else everything(operations, names)
        with watch.outside(tmp_path / "data") as outside:
            paths, wrong = asyncio.run(go_through(asker, planned))
    promise("requests with these names", paths.total(), len(wrong))
    promise("awkward names under an audit hook", len(names), len(set(outside)))
    assert wrong == []
    assert {operation.path for operation in operations if "{" in operation.path} <= paths.keys()
    assert sorted(set(outside)) == []


def test_a_careless_program_is_caught(tmp_path: Path, watch: Watch, awkward: ModuleType) -> None:
    """Control: each name is opened below the folder, as it is."""
    (tmp_path / "data").mkdir()
    with watch.outside(tmp_path / "data") as outside:
        for name in awkward.names():
            with contextlib.suppress(OSError, ValueError), open(f"{tmp_path}/data/{name}", "rb"):  # noqa: PTH123 - a careless one
                continue
    assert len(outside) > awkward.COUNT // 10
