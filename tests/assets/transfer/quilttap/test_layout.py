"""Which folder is the original's, and what lies in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from assets.transfer.quilttap.layout import find_layout
from metadata.errors import InvalidError, NotFoundError

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


def test_the_root_and_the_data_folder_mean_the_same(application: Path) -> None:
    for folder in (application, application / "data"):
        layout = find_layout(folder)
        assert layout.data.root == application / "data"
        assert layout.public is not None
        assert layout.public.root == application / "public"


def test_another_public_folder_may_be_named(application: Path) -> None:
    moved = (application / "public").rename(application.parent / "elsewhere")
    assert find_layout(application).public is None
    named = find_layout(application, moved).public
    assert named is not None
    assert named.root == moved


def test_what_is_no_folder_of_the_original_is_refused(application: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidError, match="name its root"):
        find_layout(tmp_path)
    with pytest.raises(NotFoundError):
        find_layout(tmp_path / "absent")
    with pytest.raises(NotFoundError):
        find_layout(application, tmp_path / "absent")
    (application / "data/.calotype").write_text("{}")
    with pytest.raises(InvalidError, match="already"):
        find_layout(application)


@pytest.mark.parametrize("bare", [True, False])
def test_accounts_are_read_from_either_form(tmp_path: Path, original: ModuleType, *, bare: bool) -> None:
    layout = find_layout(original.write_folder(tmp_path / "a", bare_accounts=bare))
    assert [found.record for found in layout.records("account")] == [original.account()]


def test_an_array_that_is_none_is_told(application: Path) -> None:
    layout = find_layout(application)
    for text, problem in (('{"tags": {}}', "no list"), ("[]", "no list"), ("{}", "")):
        (application / "data/tags/tags.json").write_text(text)
        assert [problem in found.problem for found in layout.records("tag")] == ([True] if problem else [])


def test_a_character_that_is_a_list_is_told(application: Path, original: ModuleType) -> None:
    (application / f"data/characters/{original.CHARACTER}.json").write_text("[]")
    problems = [found.problem for found in find_layout(application).records("character")]
    assert sorted(bool(problem) for problem in problems) == [False, True]
