"""The recipe: one short name for our way and the codecs' versions, fit for a file name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from PIL import features

from assets.blobs.layout import derived, recipe_of
from assets.images import recipe as module

if TYPE_CHECKING:
    import pytest


def test_a_recipe_stands_in_the_names_of_files() -> None:
    found = module.recipe()
    assert re.fullmatch(r"\d+-[0-9a-f]{8}", found)
    assert recipe_of(derived("256x256-cover", found, "webp")) == found


def test_another_codec_is_another_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    before = module.recipe()
    module.recipe.cache_clear()
    monkeypatch.setattr(features, "version", lambda name: f"another {name}")
    assert module.recipe() != before
    module.recipe.cache_clear()
