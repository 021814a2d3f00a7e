"""Options that several commands have mean the same everywhere."""

from __future__ import annotations

import typing
from pathlib import Path

import pytest
from typer.models import OptionInfo

from server.cli import about, assets, folder, key, link, options, put, serve, tokens, user

COMMANDS = (
    about.config, about.version, assets.get, assets.ls, assets.rm, assets.show, folder.compact, folder.init,
    folder.reindex, key.new, key.rotate, key.show, link.link, put.put, serve.serve, tokens.create, tokens.ls,
    tokens.revoke, user.create, user.ls, user.passwd, user.role,
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: f"{command.__module__}.{command.__name__}")
def test_every_command_speaks_json(command: object) -> None:
    assert typing.get_type_hints(command, include_extras=True)["as_json"] == options.AsJson


@pytest.mark.parametrize("command", [assets.get, assets.ls, assets.rm, assets.show, put.put])
def test_what_works_on_assets_works_on_a_server(command: object) -> None:
    hints = typing.get_type_hints(command, include_extras=True)
    assert (hints["url"], hints["token"], hints["data_dir"]) == (options.Url, options.Token, options.DataDir)


def test_the_names() -> None:
    kind, info = typing.get_args(options.DataDir)
    assert kind == Path | None
    assert isinstance(info, OptionInfo)
    assert (info.default, info.metavar) == ("--data-dir", "DIR"), "typer takes the first name for the default"
