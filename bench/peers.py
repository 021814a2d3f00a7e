"""What a user would run instead: servers on a free port of this machine, each with its version and its processes.

A peer that is not installed is left out, with a line that says so; bench/README.md says how to install each.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_TICKS = os.sysconf("SC_CLK_TCK")
_STARTS_WITHIN_S = 60
BIN = Path(__file__).parents[1] / ".venv" / "bin"


@dataclass(frozen=True)
class Server:
    """A server that runs.

    Attributes:
        name: for the table.
        version: as it calls itself.
        port: on 127.0.0.1.
        pid: of its first process.
        path: from a file's name to where the server has it.
    """

    name: str
    version: str
    port: int
    pid: int
    path: Callable[[str], str]

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def processor_s(self) -> float:
        """Return the processor time that it and its children have taken, in seconds."""
        return sum(_processor_s(pid) for pid in _family(self.pid))

    def memory(self) -> int:
        """Return the bytes of memory that belong to it and its children alone."""
        return sum(_anonymous(pid) for pid in _family(self.pid))


class AbsentError(Exception):
    """A peer is not installed."""


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def program(name: str) -> str:
    """Return the path of a program.

    Raises:
        AbsentError: it is not installed.
    """
    found = shutil.which(name) or shutil.which(name, path=f"{BIN}:/usr/sbin:{os.environ.get('BENCH_NODE_BIN', '')}")
    if found is None:
        raise AbsentError(f"{name} is not installed")
    return found


@contextmanager
def running(
    name: str,
    version: str,
    port: int,
    command: Sequence[str],
    path: Callable[[str], str] = lambda file: f"/{file}",
    *,
    ready: str = "/",
    environment: dict[str, str] | None = None,
) -> Iterator[Server]:
    """Run a server until the end of the context.

    Args:
        name: see `Server`, as the three that follow.
        version: see there.
        port: see there.
        path: see there.
        command: what runs it.
        ready: a path that it answers, however, once it is ready.
        environment: more variables.
    """
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, **(environment or {})}
    )
    try:
        server = Server(name, version, port, process.pid, path)
        _wait(server, ready, process)
        yield server
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def nginx(files: Path, scratch: Path, workers: int = 1) -> Iterator[Server]:
    """Serve a folder with nginx as its manual says for speed; PUT below `/put/` stores a file."""
    binary, port = program("nginx"), free_port()
    scratch.mkdir(parents=True, exist_ok=True)
    (scratch / "put").mkdir(exist_ok=True)
    config = scratch / "nginx.conf"
    as_root = "user root; " if os.geteuid() == 0 else ""  # else its workers may not read the folder
    temporary = " ".join(f"{kind}_temp_path {scratch}/{kind};" for kind in ("proxy", "fastcgi", "uwsgi", "scgi"))
    config.write_text(
        f"{as_root}daemon off; worker_processes {workers}; pid {scratch}/pid; error_log {scratch}/error.log;\n"
        "events { worker_connections 1024; }\n"
        "http { include /etc/nginx/mime.types; access_log off; sendfile on; keepalive_requests 1000000000;\n"
        f"client_max_body_size 0; client_body_temp_path {scratch}/put; {temporary}\n"
        "open_file_cache max=20000 inactive=600s; open_file_cache_valid 600s;\n"
        f"server {{ listen 127.0.0.1:{port}; root {files};\n"
        'add_header Cache-Control "public, max-age=31536000, immutable";\n'
        f"location /put/ {{ root {scratch}; dav_methods PUT; }} }} }}\n"
    )
    version = _says([binary, "-v"]).removeprefix("nginx version: ")
    with running("nginx", version, port, [binary, "-c", str(config), "-p", str(scratch)]) as server:
        yield server


@contextmanager
def sirv(files: Path, _scratch: Path) -> Iterator[Server]:
    """Serve a folder with node's sirv, files kept in memory as it does by default."""
    binary, port = program("sirv"), free_port()
    command = [binary, str(files), "--port", str(port), "--host", "127.0.0.1", "--quiet", "--immutable"]
    with running("sirv", _says([binary, "--version"]), port, command) as server:
        yield server


@contextmanager
def caddy(files: Path, scratch: Path) -> Iterator[Server]:
    """Serve a folder with caddy's file server."""
    binary, port = program("caddy"), free_port()
    scratch.mkdir(parents=True, exist_ok=True)
    config = scratch / "Caddyfile"
    config.write_text(
        f"{{\n admin off\n auto_https off\n}}\nhttp://127.0.0.1:{port} {{\n root * {files}\n file_server\n}}\n"
    )
    command = [binary, "run", "--config", str(config), "--adapter", "caddyfile"]
    version = _says([binary, "version"]).split()[0]
    with running("caddy", version, port, command, environment={"XDG_DATA_HOME": str(scratch)}) as server:
        yield server


@contextmanager
def registry(scratch: Path) -> Iterator[Server]:
    """Run Debian's docker-registry, a store of blobs by their SHA-256; `path` is of a blob's hash."""
    binary, port = program("docker-registry"), free_port()
    scratch.mkdir(parents=True, exist_ok=True)
    config = scratch / "config.yml"
    config.write_text(
        "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
        f"storage: {{filesystem: {{rootdirectory: {scratch}/blobs}}, delete: {{enabled: true}}}}\n"
        f"http: {{addr: '127.0.0.1:{port}'}}\n"
    )
    version = _says([binary, "--version"]).split()[-1]
    with running(
        "docker-registry",
        version,
        port,
        [binary, "serve", str(config)],
        lambda digest: f"/v2/bench/blobs/sha256:{digest}",
        ready="/v2/",
    ) as server:
        yield server


def _wait(server: Server, ready: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _STARTS_WITHIN_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AbsentError(f"{server.name} ended at once, with status {process.returncode}")
        with suppress(httpx2.TransportError):
            httpx2.get(server.url + ready, trust_env=False, timeout=5)
            return
        time.sleep(0.05)
    raise AbsentError(f"{server.name} did not answer")


def _says(command: Sequence[str]) -> str:
    told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return (told.stdout + told.stderr).strip().splitlines()[0] if told.stdout or told.stderr else "?"


def _family(pid: int) -> list[int]:
    found = [pid]
    with suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split():
            found += _family(int(child))
    return found


def _processor_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _anonymous(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    return 0
