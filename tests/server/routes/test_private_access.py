"""With private access, another's payload and one that nobody has are the same answer, made by the same steps."""

from __future__ import annotations

import hashlib
import itertools
import sys
from typing import TYPE_CHECKING, Any

import pytest
from starlette.requests import Request

from metadata.errors import NotFoundError
from server.calls import Call, Operation, Service
from server.metrics import Metrics
from server.routes.table import all_operations

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from assets.digest import Digest
    from server.auth import Caller
    from tests.server.conftest import Api

UNKNOWN = hashlib.sha256(b"nobody has this").hexdigest()
MENTIONED = b"of this there is a mention"
PATHS = ("/blobs/{}", "/blobs/{}.png", "/blobs/{}?download=1")
ASKED: tuple[dict[str, str], ...] = (
    {},
    {"Range": "bytes=0-1"},
    {"If-None-Match": "*"},
    {"If-Range": '"x"', "Range": "bytes=0-"},
)


@pytest.fixture
def private(open_api: Callable[..., Api], png: bytes) -> Api:
    """A server with a payload of bob's, and one that bob mentions many times besides."""
    api = open_api(BLOB_ACCESS="private")
    api.upload(png, token=api.bob)
    mentioned = api.upload(MENTIONED, token=api.bob)["sha256"]
    for number in range(30):
        api.character(userId=api.users["bob"], name=f"n{number}", description=f"see {mentioned}")
    return api


def others(png: bytes) -> list[str]:
    return [hashlib.sha256(data).hexdigest() for data in (png, MENTIONED)]


def seen(
    api: Api, method: str, path: str, sha256: str, fields: dict[str, str], token: str | None
) -> tuple[object, ...]:
    answer = api.ask(method, path.format(sha256), headers=fields, token=token)
    headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
    return answer.status_code, headers, answer.text.replace(sha256, "HASH")


def test_status_headers_and_body_are_the_same(private: Api, png: bytes) -> None:
    for method, path, fields in itertools.product(("GET", "HEAD"), PATHS, ASKED):
        for token, status in ((private.alice, 404), (private.reader, 404), (None, 401), ("calo_wrong", 401)):
            nobodys = seen(private, method, path, UNKNOWN, fields, token)
            assert nobodys[0] == status
            for sha256 in others(png):
                assert seen(private, method, path, sha256, fields, token) == nobodys
    assert private.ask("GET", f"/blobs/{others(png)[0]}", token=private.bob).status_code == 200


def steps(api: Api, operation: Operation, sha256: str) -> list[str]:
    """Return every function that is called, of Python's and of C's, to answer alice; threads and time play no part."""
    taken: list[str] = []

    def note(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            taken.append(f"{frame.f_code.co_filename}:{frame.f_code.co_name}")
        elif event == "c_call":
            taken.append(f"{getattr(argument, '__module__', '')}.{argument.__qualname__}")

    scope: dict[str, object] = {
        "type": "http",
        "method": "GET",
        "path": f"/blobs/{sha256}",
        "path_params": {"name": sha256},
        "query_string": b"",
        "headers": [(b"authorization", f"Bearer {api.alice}".encode())],
    }
    call = Call(Request(scope), _service(api))
    sys.setprofile(note)
    try:
        operation._admitted(call)  # noqa: SLF001 - what the worker thread runs
    except NotFoundError:
        return taken
    finally:
        sys.setprofile(None)
    raise AssertionError("alice was given bob's bytes")


def _service(api: Api) -> Service:
    return Service(api.store, Metrics())


def test_the_steps_are_the_same(private: Api, png: bytes) -> None:
    """So the time is: the same calls in the same order, of the file system and the index among them."""
    operation = next(each for each in all_operations() if (each.method, each.path) == ("GET", "/blobs/{name}"))
    for _ in range(3):  # what is done once at first use is done
        nobodys = steps(private, operation, UNKNOWN)
    assert any("execute" in step for step in nobodys)
    for sha256 in others(png):
        assert steps(private, operation, sha256) == nobodys


def test_a_look_through_others_mentions_is_caught(private: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Control: the answer is right, but the steps tell."""

    def careless(call: Call, caller: Caller, digest: Digest) -> bool:
        return any(by.owner == caller.owner for by in call.store.documents.mentions(digest))

    monkeypatch.setattr("server.routes.addresses._sees", careless)
    operation = next(each for each in all_operations() if (each.method, each.path) == ("GET", "/blobs/{name}"))
    for _ in range(3):
        nobodys = steps(private, operation, UNKNOWN)
    assert steps(private, operation, others(b"")[1]) != nobodys
