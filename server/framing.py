"""Which requests are refused by their head alone: those another reader could take for others, and the too large.

The parser (llhttp) has refused bare line feeds, folded lines, blanks before a colon, a length beside chunks and the
like already; what is here it lets through. Sources: RFC 9112, sections 3.2, 6.1 and 6.3; RFC 9110, section 7.2.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .limits import Limits

_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252})")
_PORT = re.compile(r"[0-9]{0,5}")
_MOST_PORT = 65_535
_VERSIONS = frozenset({"1.0", "1.1"})
_ABSOLUTE = re.compile(rb"https?://([^/?#]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a request or a connection is refused, before anything else has looked at it.

    Attributes:
        status: of the answer.
        detail: for a person.
        members: of the problem document.
    """

    status: int
    detail: str
    members: Mapping[str, object] = field(default_factory=dict)

    @property
    def headers(self) -> dict[str, str]:
        """Fields the answer needs besides those of every answer."""
        return {"Retry-After": "1"} if self.status in {429, 503} else {}


NOT_HTTP = Fault(
    400,
    "This is not HTTP/1.1 as the server reads it: a bad first line or header, or more bytes than Content-Length says.",
)
LATE = Fault(408, "The request came too slowly to wait for its end. Send it again over a new connection.")


def fault_of(
    version: str, target: bytes, fields: Sequence[tuple[bytes, bytes]], limits: Limits, *, large: bool
) -> Fault | None:
    """Return why a request is refused by its head; None when it is not.

    Args:
        version: of HTTP.
        target: as sent.
        fields: names in lower case, and values.
        limits: the sizes.
        large: whether the head may be larger than its limit; a small one need not be measured.
    """
    if version not in _VERSIONS:
        return Fault(400, f"HTTP/{version[:8]} is not spoken here; HTTP/1.1 is.")
    fault = too_large(target, fields, limits) if large or len(fields) > limits.headers else None
    return fault or _host_fault(target, fields) or _coding_fault(version, fields)


def too_large(target: bytes, fields: Sequence[tuple[bytes, bytes]], limits: Limits) -> Fault | None:
    """Return the fault of a head, or of what has come of one, that is too large."""
    if len(target) > limits.target_bytes:
        return Fault(
            414,
            f"The address is over {limits.target_bytes} bytes; send what is long in a body.",
            {"limit": limits.target_bytes, "actual": len(target)},
        )
    if len(fields) > limits.headers:
        return Fault(
            431,
            f"The request has more than {limits.headers} header fields.",
            {"limit": limits.headers, "actual": len(fields)},
        )
    if sum(len(name) + len(value) for name, value in fields) > limits.header_bytes:
        return large_head(limits)
    return None


def large_head(limits: Limits) -> Fault:
    """Return the fault of a head with too many bytes."""
    return Fault(
        431, f"The request's header fields are over {limits.header_bytes} bytes.", {"limit": limits.header_bytes}
    )


def is_host(value: str) -> bool:
    """Tell whether a Host field is well formed: a name, an IPv4 address or an IPv6 address in brackets, and a port."""
    if value.startswith("["):
        name, bracket, rest = value[1:].partition("]")
        return bool(bracket) and _is_v6(name) and (not rest or (rest[0] == ":" and _is_port(rest[1:])))
    name, colon, port = value.partition(":")
    return _NAME.fullmatch(name) is not None and (not colon or _is_port(port))


def with_path(target: bytes) -> bytes:
    """Return a URL with the path that it may leave out (RFC 9110, section 4.2.3); what is none as it is."""
    found = _ABSOLUTE.match(target)
    if found is None or target[found.end() : found.end() + 1] == b"/":
        return target
    return target[: found.end()] + b"/" + target[found.end() :]


def _host_fault(target: bytes, fields: Sequence[tuple[bytes, bytes]]) -> Fault | None:
    hosts = [value for name, value in fields if name == b"host"]
    if len(hosts) != 1:
        return Fault(400, "The request has to have exactly one Host header.", {"field": "Host"})
    if not is_host(hosts[0].decode("latin-1")):
        return Fault(400, "The Host header is no host: a name or an address, and a port.", {"field": "Host"})
    if target.startswith(b"/"):
        return None
    absolute = _ABSOLUTE.match(target)
    if absolute is None or absolute[1].lower() != hosts[0].lower():
        return Fault(400, "The request's address has to be a path, or a URL with the host of the Host header.")
    return None


def _coding_fault(version: str, fields: Sequence[tuple[bytes, bytes]]) -> Fault | None:
    codings = [value for name, value in fields if name == b"transfer-encoding"]
    if not codings:
        return None
    if version == "1.0" or any(name == b"content-length" for name, _ in fields):
        return Fault(
            400,
            "A body has one length: chunks in HTTP/1.1 alone, and never beside Content-Length.",
            {"field": "Transfer-Encoding"},
        )
    if len(codings) > 1 or codings[0].strip().lower() != b"chunked":
        return Fault(
            400,
            "The only Transfer-Encoding known here is chunked.",
            {"field": "Transfer-Encoding"},
        )
    return None


def _is_v6(name: str) -> bool:
    try:
        ipaddress.IPv6Address(name)
    except ValueError:
        return False
    return "%" not in name


def _is_port(text: str) -> bool:
    return _PORT.fullmatch(text) is not None and int(text or "0") <= _MOST_PORT
