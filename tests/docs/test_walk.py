"""The runner of pages itself: what it runs, what goes on from block to block, and that a wrong block fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Runner = Callable[[str], list[str]]

SERVER = """```sh server
python -c '
import http.server, os

class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ["GREETING"].encode())

http.server.HTTPServer(("127.0.0.1", int(os.environ["CALOTYPE_PORT"])), Health).serve_forever()
'
```
"""


def page(*blocks: tuple[str, str]) -> str:
    return "\n".join(f"Text.\n\n```{kind}\n{text}\n```\n" for kind, text in blocks)


def test_blocks_run_in_order_and_share_variables_and_folder(walk: Runner) -> None:
    printed = walk(
        page(
            ("sh", "NAME=alice\nmkdir inner\ncd inner"),
            ("python", "import os, pathlib\npathlib.Path('made').write_text(os.environ['NAME'])"),
            ("sh", 'cat made; echo " $NAME $(basename "$PWD")"'),
        )
    )
    assert printed == ["", "", "alice alice inner\n"]


def test_blocks_for_reading_are_not_run(walk: Runner) -> None:
    assert walk(page(("console", "$ exit 1"), ("json", "{"), ("", "exit 1"), ("sh", "echo run"))) == ["run\n"]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("sh", "false\ntrue"),
        ("sh", "false | true"),
        ("sh", "echo $UNKNOWN"),
        ("python", "assert 1 == 2"),
        ("python", "import module_that_is_not_there"),
        ("sh server", "false"),
    ],
)
def test_a_wrong_block_fails_and_names_itself(walk: Runner, kind: str, text: str) -> None:
    with pytest.raises(pytest.fail.Exception, match=text.splitlines()[0].replace("$", "[$]").replace("|", "[|]")):
        walk(page(("sh", "echo fine"), (kind, text)))


def test_no_setting_comes_from_the_outside(walk: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALOTYPE_TOKEN", "outer")
    monkeypatch.setenv("DATA_DIR", "/outer")
    assert walk(page(("sh", "echo ${CALOTYPE_TOKEN-none} ${DATA_DIR-none}"))) == ["none none\n"]


def test_a_server_runs_beside_the_blocks_and_can_be_killed_and_started_again(walk: Runner) -> None:
    ask = ("sh", "curl --fail --silent http://127.0.0.1:8256/")
    text = page(("sh", "GREETING=first")) + SERVER + page(ask, ("sh", 'kill -9 "$SERVER"'), ("sh", "GREETING=second"))
    printed = walk(text + SERVER + page(ask))
    assert printed[2] == "first"
    assert printed[-1] == "second"


def test_nothing_answers_after_a_kill(walk: Runner) -> None:
    kill = 'kill -9 "$SERVER"\nwhile curl --fail --silent http://127.0.0.1:8256/; do :; done\necho gone'
    assert walk(page(("sh", "GREETING=x")) + SERVER + page(("sh", kill)))[-1].endswith("gone\n")
