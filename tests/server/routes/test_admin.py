"""The body that every operator's request has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest
from starlette.requests import Request

from metadata.errors import InvalidError
from server.calls import Access, Call, Service
from server.responses import json_answer
from server.routes.admin import Wish, admin_operation, wish_of

if TYPE_CHECKING:
    from starlette.responses import Response

OPTIONS = {"force": bool, "olderThanS": int, "part": str}


def asked(body: object) -> Wish:
    request = Request({"type": "http", "headers": []})
    return wish_of(Call(request, cast("Service", None), body=json.dumps(body).encode()), OPTIONS)


def test_options_are_read_and_absent_ones_have_their_plain_value() -> None:
    wish = asked({"dryRun": True, "force": True, "olderThanS": 5})
    assert (wish.dry_run, wish.flag("force"), wish.number("olderThanS")) == (True, True, 5)
    wish = asked({})
    assert (wish.dry_run, wish.flag("force"), wish.number("olderThanS"), wish.options) == (False, False, None, {})


@pytest.mark.parametrize(
    "body", [{"dryrun": True}, {"dryRun": 1}, {"force": "yes"}, {"olderThanS": True}, {"olderThanS": 1.5}, {"part": 1}]
)
def test_a_mistyped_member_is_refused_by_its_name(body: dict[str, Any]) -> None:
    with pytest.raises(InvalidError) as caught:
        asked(body)
    assert caught.value.details["field"] == next(iter(body))


def test_the_entry_is_for_administrators() -> None:
    def handle(call: Call) -> Response:
        del call
        return json_answer({})

    operation = admin_operation("gc", "Collect.", handle, takes="A", gives="B")
    assert (operation.method, operation.path, operation.access) == ("POST", "/api/admin/gc", Access.ADMIN)
