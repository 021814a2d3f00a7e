"""The script in docs/clients.md crosses origins: the server grants what a browser asks for it, and nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import ModuleType

ORIGIN = "http://localhost:5173"
CALL = re.compile(r'ask\(\s*"([A-Z]+)",\s*["`]([^"`]+)["`]')
SCRIPT = re.compile(r"^```js\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STORE = """```sh
export DATA_DIR="$PWD/mydata"
calotype init
echo no picture > alice.png
```

"""
SERVER = "```sh server\ncalotype serve {option}\n```\n\n"
TRIES = """```js
const tried = async (path, options) => {
  try {
    return (await fetch("http://127.0.0.1:8256" + path, options)).headers.get("Referrer-Policy") ?? "read";
  } catch (error) {
    return error.message.split(": ").at(-1);
  }
};
console.log(await tried("/healthz"));
console.log(await tried("/api/tags", { headers: { Authorization: "Bearer x" } }));
console.log(await tried("/api/tags", { headers: { "X-Custom": "1" } }));
console.log(await tried("/api/tags", { method: "PURGE" }));
```

"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, serving: ModuleType) -> Iterator[Any]:
    """A server that knows the page's origin, as docs/clients.md starts it."""
    folder = tmp_path_factory.mktemp("origins") / "data"
    with serving.Server(folder, extra={"CALOTYPE_CORS_ORIGINS": ORIGIN}) as running:
        yield running


def listed(answer: httpx2.Response, name: str) -> set[str]:
    return {word.strip().lower() for word in answer.headers.get(name, "").split(",")}


def preflight(server: Any, origin: str, method: str, path: str) -> httpx2.Response:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,content-type,if-match",
    }
    return httpx2.request("OPTIONS", f"{server.url}{path}", headers=asked, trust_env=False)


def test_every_call_of_the_script_is_granted_and_only_to_its_origin(server: Any, repository: Path) -> None:
    (script,) = SCRIPT.findall((repository / "docs" / "clients.md").read_text())
    calls = CALL.findall(script)
    assert {method for method, _ in calls} == {"GET", "POST", "PUT", "PATCH"}
    for method, path in calls:
        granted = preflight(server, ORIGIN, method, re.sub(r"\$\{[^}]+\}", "x", path))
        assert granted.status_code == 204
        assert granted.headers["access-control-allow-origin"] == ORIGIN
        assert method.lower() in listed(granted, "access-control-allow-methods")
        assert {"authorization", "content-type", "if-match"} <= listed(granted, "access-control-allow-headers")
        assert "origin" in listed(granted, "vary")
        refused = preflight(server, "http://localhost:5174", method, path)
        assert (refused.status_code, refused.headers.get("access-control-allow-origin")) == (403, None)


def test_the_answers_may_be_read_errors_too(server: Any) -> None:
    signed_in = {**server.headers, "Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"}
    made = httpx2.post(f"{server.url}/api/tags", headers=signed_in, json={"name": "x"}, trust_env=False)
    again = httpx2.post(f"{server.url}/api/tags", headers=signed_in, json={"name": "X"}, trust_env=False)
    nobody = httpx2.post(f"{server.url}/api/tags", headers={"Origin": ORIGIN}, json={"name": "y"}, trust_env=False)
    assert [answer.status_code for answer in (made, again, nobody)] == [201, 409, 401]
    for answer in (made, again, nobody):
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert {"etag", "location"} <= listed(answer, "access-control-expose-headers")


def test_the_rules_that_the_script_runs_under_are_a_browsers(walk: Callable[[str], list[str]]) -> None:
    unknown, known = SERVER.format(option=""), SERVER.format(option=f"--cors {ORIGIN}")
    printed = walk(STORE + unknown + TRIES + known + TRIES)
    assert printed[2].splitlines() == ["Access-Control-Allow-Origin is null"] * 4
    assert printed[4].splitlines() == ["read", "read", "not the field x-custom", "not PURGE"]


def test_without_node_a_script_is_skipped_and_says_why(
    walk: Callable[[str], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(pytest.skip.Exception, match="Node"):
        walk("```js\nthrow 1\n```\n")
