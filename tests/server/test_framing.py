"""Which heads are refused."""

from __future__ import annotations

import pytest

from server.framing import fault_of, is_host, with_path
from server.limits import Limits

LIMITS = Limits(headers=5, header_bytes=200, target_bytes=50)
HOST = (b"host", b"localhost:8256")


def status(
    *fields: tuple[bytes, bytes], version: str = "1.1", target: bytes = b"/a?b=c", large: bool = True
) -> int | None:
    fault = fault_of(version, target, fields, LIMITS, large=large)
    return None if fault is None else fault.status


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:80",
        "a.example.org.",
        "my_service",
        "127.0.0.1:8256",
        "[::1]",
        "[2001:db8::1]:65535",
        "a:",
    ],
)
def test_hosts(host: str) -> None:
    assert is_host(host)
    assert status((b"host", host.encode())) is None


@pytest.mark.parametrize(
    "host",
    [
        *(
            "",
            " ",
            "a b",
            "a,b",
            "a/b",
            "a@b",
            "a?b",
            "a#b",
            "a\\b",
            "a:b",
            "a:80:80",
            "a:65536",
            "a:123456",
            ":80",
            "-a",
        ),
        *("[::1", "::1", "[::1]x", "[]", "[127.0.0.1]", "[fe80::1%eth0]", "a%2e", "é", "a\x00", "a:٣", "x" * 254),
    ],
)
def test_no_hosts(host: str) -> None:
    assert not is_host(host)
    assert status((b"host", host.encode()), large=False) == 400


def test_exactly_one_host() -> None:
    assert status() == 400
    assert status(version="1.0") == 400
    assert status(HOST, HOST) == 400


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (b"/", None),
        (b"//evil.example/x", None),
        (b"http://localhost:8256/a", None),
        (b"HTTP://LOCALHOST:8256", None),
        (b"http://evil.example/a", 400),
        (b"http://localhost:8256@evil.example/", 400),
        (b"evil.example:443", 400),
        (b"*", 400),
        (b"", 400),
    ],
)
def test_the_target_names_no_other_host(target: bytes, expected: int | None) -> None:
    assert status(HOST, target=target) == expected


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (b"http://x", b"http://x/"),
        (b"HTTPS://x?a=/", b"HTTPS://x/?a=/"),
        (b"http://x/a", b"http://x/a"),
        (b"/a", b"/a"),
        (b"*", b"*"),
    ],
)
def test_a_url_may_leave_out_its_path(target: bytes, expected: bytes) -> None:
    assert with_path(target) == expected


@pytest.mark.parametrize(("version", "expected"), [("1.0", None), ("1.1", None), ("0.9", 400), ("2.0", 400)])
def test_versions(version: str, expected: int | None) -> None:
    assert status(HOST, version=version) == expected


def test_codings() -> None:
    chunked = (b"transfer-encoding", b"chunked")
    assert status(HOST, (b"transfer-encoding", b" Chunked ")) is None
    assert status(HOST, chunked, version="1.0") == 400
    assert status(HOST, chunked, (b"content-length", b"5")) == 400
    assert status(HOST, chunked, chunked) == 400
    assert status(HOST, (b"transfer-encoding", b"gzip, chunked")) == 400


def test_sizes() -> None:
    assert status(HOST, *[(b"x", b"y")] * 4) is None
    assert status(HOST, *[(b"x", b"y")] * 5) == 431
    assert status(HOST, *[(b"x", b"y")] * 5, large=False) == 431
    assert status(HOST, (b"x", b"y" * 180)) is None
    assert status(HOST, (b"x", b"y" * 182)) == 431
    assert status(HOST, target=b"/" + b"a" * 49) is None
    assert status(HOST, target=b"/" + b"a" * 50) == 414
    fault = fault_of("1.1", b"/" * 99, [HOST], LIMITS, large=True)
    assert fault is not None
    assert fault.members == {"limit": 50, "actual": 99}
