"""`calotype token`: access tokens of the folder's first user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from metadata.clock import parse_timestamp
from metadata.errors import InvalidError, NotFoundError
from metadata.schemas.enums import Scope

from .options import AsJson, DataDir
from .output import Output
from .places import open_folder
from .spans import span_of

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from metadata.schemas.signin import AccessToken

TheScope = Annotated[Scope, typer.Option("--scope", help="What it may do; each includes the ones before it.")]
Name = Annotated[str, typer.Option("--name", help="What you call it.")]
Expires = Annotated[
    str | None,
    typer.Option("--expires", metavar="WHEN", help="A span (12h, 30d, 8w) or a moment (2027-01-31T12:00:00Z)."),
]
TokenId = Annotated[str, typer.Argument(metavar="ID", help="The token's id, from `calotype token ls`.")]


def group() -> typer.Typer:
    """Return the group of these commands."""
    app = typer.Typer(rich_markup_mode=None, help="Make, list and revoke access tokens.")
    for command in (create, ls, revoke):
        app.command()(command)
    return app


def create(
    *,
    scope: TheScope,
    name: Name = "",
    expires: Expires = None,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make a token and print it, alone.

    It is kept nowhere and never shown again.
    """
    output = Output(as_json=as_json)
    with open_folder(data_dir, output, create=True) as store:
        until = None if expires is None else moment_of(expires, store.inside.clock.now())
        token, secret = store.access_tokens.issue(
            store.inside.owner.id, name or scope.value, scope.value, expires_at=until
        )
    if as_json:
        output.document({**_wire(token), "token": secret})
    else:
        output.line(secret)


def ls(*, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List the tokens, without their texts."""
    output = Output(as_json=as_json)
    with open_folder(data_dir, output) as store:
        tokens = list(store.access_tokens.find_all())
    if as_json:
        output.document({"items": [_wire(token) for token in tokens]})
        return
    rows = [
        (token.id, token.name, token.scope.value, token.created_at, token.expires_at or "never", _used(token))
        for token in tokens
    ]
    output.table(("id", "name", "scope", "created", "expires", "last used"), rows)


def revoke(token_id: TokenId, *, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Make a token useless from its next request on."""
    output = Output(as_json=as_json)
    with open_folder(data_dir, output) as store:
        if not store.access_tokens.revoke(token_id):
            raise NotFoundError(f"There is no token {token_id}; `calotype token ls` lists them.", object=token_id)
    if as_json:
        output.document({"revoked": [token_id]})
    else:
        output.line(f"Revoked {token_id}")


def moment_of(text: str, now: datetime) -> datetime:
    """Read a span from now on, or a moment.

    Raises:
        InvalidError: it is neither, or a moment that is over.
    """
    span = span_of(text)
    if span:
        return _later(now, span)
    moment = parse_timestamp(text)
    if moment <= now:
        raise InvalidError(f"{text} is over already.", field="expires")
    return moment


def _later(now: datetime, span: timedelta) -> datetime:
    try:
        return now + span
    except OverflowError as error:
        raise InvalidError("That is after the year 9999; leave --expires out for a token that stays.") from error


def _used(token: AccessToken) -> str:
    return token.last_used_at or "never"


def _wire(token: AccessToken) -> dict[str, object]:
    return {name: value for name, value in token.to_record().items() if name != "tokenHash"}
