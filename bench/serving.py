"""Bytes over HTTP, beside what would serve them otherwise: `python -m bench.serving [--rounds N] [--seconds S]`.

The same files, the same machine, by turns; no server writes an access log. `wrk` asks with one thread. Ratios are
ours to theirs, pair by pair: of requests a second (more is better) and of processor time for a request (less is).
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2

from bench.load import Ratio, Round, by_turns, wrk
from bench.peers import AbsentError, Server, caddy, free_port, nginx, registry, running, sirv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SMALL, MIDDLE, LARGE = 10_000, 200_000, 20_000_000
MANY = 2_000
LITTLE_MEMORY = "8MiB"
PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Case:
    """One line of the table.

    Attributes:
        name: what is asked for.
        must, aim: the ratios that the project asks of itself, 0 for none.
        file: the file.
        connections: at once.
        headers: of each request, from the ETag.
    """

    name: str
    must: float
    aim: float
    file: str
    connections: int = 32
    headers: Callable[[str], Sequence[str]] = lambda _: ()


CASES = (
    Case("GET 10 KB", 1.0, 1.5, "small.png"),
    Case("GET 200 KB", 0.9, 1.2, "middle.png", 16),
    Case("GET 20 MB, 4 connections", 0.9, 1.4, "large.png", 4),
    Case("304", 1.0, 1.4, "small.png", headers=lambda etag: (f"If-None-Match: {etag}",)),
    Case("Range: 64 KB of 200 KB", 0.7, 1.0, "middle.png", 16, lambda _: ("Range: bytes=65536-131071",)),
)


def make_files(folder: Path) -> dict[str, str]:
    """Write the files; return their hashes by name."""
    sizes = {"small.png": SMALL, "middle.png": MIDDLE, "large.png": LARGE}
    sizes |= {f"many-{number}.png": SMALL for number in range(MANY)}
    found = {}
    for name, size in sizes.items():
        content = PNG + os.urandom(size - len(PNG))
        (folder / name).write_bytes(content)
        found[name] = hashlib.sha256(content).hexdigest()
    return found


@contextmanager
def calotype(files: Path, digests: dict[str, str], folder: Path, workers: int, memory: str = "") -> Iterator[Server]:
    """Serve the files with Calotype, which takes them in first."""
    port = free_port()
    environment = {"CALOTYPE_ACCESS_LOG": "off", "CALOTYPE_AUTH": "off", "CALOTYPE_MIN_FREE_BYTES": "0"}
    environment |= {"CALOTYPE_FASTLANE_BYTES": memory} if memory else {}
    command = [sys.executable, "-c", "from server.cli import main; main()", "serve", "--data-dir", str(folder)]
    command += ["--port", str(port), "--workers", str(workers)]
    paths = {name: f"/blobs/{digest}.png" for name, digest in digests.items()}
    options = {"ready": "/readyz", "environment": environment}
    with running("calotype", "", port, command, paths.__getitem__, **options) as server:  # type: ignore[arg-type] # one dictionary for two kinds of option
        with httpx2.Client(base_url=server.url, timeout=60, trust_env=False) as client:
            for name in digests:
                if client.head(paths[name]).status_code != httpx2.codes.OK:
                    client.put(paths[name], content=(files / name).read_bytes()).raise_for_status()
        yield server


def etag(server: Server, file: str) -> str:
    """Return a file's ETag as the server gives it."""
    with httpx2.Client(trust_env=False) as client:
        return client.head(server.url + server.path(file)).raise_for_status().headers.get("etag", "")


def compare(ours: Server, peer: Server, case: Case, options: argparse.Namespace) -> None:
    """Measure one line and print it."""

    def asking(server: Server) -> Callable[[], Round]:
        headers = case.headers(etag(server, case.file))
        path, seconds = server.path(case.file), options.seconds
        return partial(wrk, server, path, connections=case.connections, seconds=seconds, headers=headers)

    one, other = by_turns(asking(ours), asking(peer), options.rounds)
    report(case, peer, one, other)


def report(case: Case, peer: Server, one: list[Round], other: list[Round]) -> None:
    """Print a line of the table."""
    rate = Ratio.of([each.rate for each in one], [each.rate for each in other])
    cpu = Ratio.of([max(each.cpu, 0.01) for each in one], [max(each.cpu, 0.01) for each in other])
    best = max(each.rate for each in one)
    goal = f"{case.must:g} / {case.aim:g}" if case.aim else f"{case.must:g}"
    print(f"| {case.name} | {peer.name} | {rate} | {goal} | {cpu} | {best:,.0f} |", flush=True)


def scattered(servers: Sequence[Server], digests: dict[str, str], scratch: Path) -> list[Path]:
    """Write, for each server, what makes wrk ask for one of many files after the other."""
    found = []
    for server in servers:
        paths = ", ".join(f'"{server.path(name)}"' for name in digests if name.startswith("many-"))
        script = scratch / f"{server.name}-{server.port}.lua"
        script.write_text(
            f"local paths = {{{paths}}}\nlocal at = 0\n"
            "request = function()\n  at = at % #paths + 1\n  return wrk.format(nil, paths[at])\nend\n"
        )
        found.append(script)
    return found


def beyond_memory(ours: Server, peer: Server, scripts: Sequence[Path], options: argparse.Namespace) -> None:
    """Measure files in the page cache that the fast lane has no memory for, each asked for before."""
    with httpx2.Client(timeout=60, trust_env=False) as client:
        for server in (ours, peer):
            for number in range(MANY):
                client.get(server.url + server.path(f"many-{number}.png")).raise_for_status()
    one, other = (
        partial(wrk, server, "/", connections=32, seconds=options.seconds, script=script)
        for server, script in zip((ours, peer), scripts, strict=True)
    )
    case = Case(f"GET 10 KB of {MANY:,} files, not in memory", 0.3, 0.5, "")
    report(case, peer, *by_turns(one, other, options.rounds))


def push(server: Server, content: bytes) -> Server:
    """Put a blob into a registry; return the server with the way to it."""
    digest = hashlib.sha256(content).hexdigest()
    with httpx2.Client(base_url=server.url, trust_env=False, timeout=60) as client:
        place = client.post("/v2/bench/blobs/uploads/").raise_for_status().headers["location"]
        joined = f"{place}{'&' if '?' in place else '?'}digest=sha256:{digest}"
        client.put(joined, content=content, headers={"Content-Type": "application/octet-stream"}).raise_for_status()
    return replace(server, path=lambda _: f"/v2/bench/blobs/sha256:{digest}")


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        files = scratch / "files"
        files.mkdir()
        digests = make_files(files)
        print("| | against | requests a second | must / aim | processor time | ours, best |")
        print("|---|---|--:|--:|--:|--:|")
        for workers in (1, 2):
            with calotype(files, digests, scratch / "data", workers) as ours, ExitStack() as held:
                try:
                    peer = held.enter_context(nginx(files, scratch / f"nginx-{workers}", workers))
                except AbsentError as error:
                    print(f"nginx is left out: {error}.")
                    continue
                for case in CASES if workers == 1 else CASES[:1]:
                    named = f"{case.name}, {workers} worker{'s' * (workers > 1)}"
                    compare(ours, peer, replace(case, name=named), options)
                print(f"Memory after that: {ours.memory() / 1e6:.0f} MB; {peer.version}.")
        others(files, digests, scratch, options)


def others(files: Path, digests: dict[str, str], scratch: Path, options: argparse.Namespace) -> None:
    """Measure against the other peers, and beyond what memory there is."""
    with calotype(files, digests, scratch / "data", 1) as ours:
        for must, start in ((6.0, sirv), (4.0, caddy), (50.0, None)):
            try:
                place = scratch / (start.__name__ if start else "registry")
                with start(files, place) if start else registry(place) as running_one:
                    peer = running_one if start else push(running_one, (files / "small.png").read_bytes())
                    compare(ours, peer, Case(f"GET 10 KB ({peer.version})", must, 0, "small.png"), options)
            except AbsentError as error:
                print(f"A peer is left out: {error}.")
    with calotype(files, digests, scratch / "data", 1, LITTLE_MEMORY) as ours, ExitStack() as held:
        try:
            peer = held.enter_context(nginx(files, scratch / "nginx-many"))
        except AbsentError:
            return
        beyond_memory(ours, peer, scattered((ours, peer), digests, scratch), options)


if __name__ == "__main__":
    main()
