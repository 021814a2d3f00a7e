"""Looking at pictures after they were stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from assets.images.recipe import recipe
from metadata.errors import BusyError

from .conftest import Opener, picture

if TYPE_CHECKING:
    from assets.digest import Digest
    from assets.images.prints import Prints
    from metadata.repositories.facts import FactsRepository

SHAPE = {"size": 5, "width": 400, "height": 300}

Keep = Callable[[bytes], "Digest"]


def known(facts: FactsRepository, digest: Digest) -> tuple[object, ...]:
    fact = facts.get(digest)
    return fact.unseen, fact.placeholder, fact.perceptual_hash


def test_every_picture_is_looked_at_once(prints: Prints, facts: FactsRepository, keep: Keep) -> None:
    digest, words = keep(picture()), keep(b"words")
    facts.note_upload(digest, SHAPE)
    facts.note_upload(words, {"size": 5})
    assert facts.unseen(10) == [digest]
    assert prints.glances.work_off() == 1
    unseen, placeholder, perceptual_hash = known(facts, digest)
    assert unseen is None
    assert str(placeholder).startswith("data:image/webp;base64,")
    assert len(str(placeholder)) <= 200
    assert len(str(perceptual_hash)) == 16
    facts.note_upload(digest, SHAPE)
    assert prints.glances.work_off() == 0
    assert known(facts, digest) == (None, placeholder, perceptual_hash)


def test_what_cannot_be_decoded_is_not_tried_for_ever(prints: Prints, facts: FactsRepository, keep: Keep) -> None:
    damaged, gone = keep(picture()[:100]), "0" * 64
    for digest in (damaged, gone):
        facts.note_upload(digest, SHAPE)
    assert prints.glances.work_off() == 2
    assert known(facts, damaged) == (False, None, None)
    assert facts.get(damaged).refused_by == recipe()
    assert prints.glances.work_off() == 0
    facts.note_upload(damaged, SHAPE)
    assert facts.unseen(10) == [damaged], "another upload is another chance"


def test_a_restart_goes_on_where_the_last_process_stopped(
    open_prints: Opener, facts: FactsRepository, keep: Keep
) -> None:
    for side in (40, 50, 60):
        facts.note_upload(keep(picture(size=(side, side))), SHAPE)
    answers = iter([False, False, True, True])
    assert open_prints().glances.work_off(lambda: next(answers)) == 1
    assert len(facts.unseen(10)) == 2
    assert open_prints().glances.work_off() == 2
    assert not facts.unseen(10)


def test_of_two_processes_one_looks(open_prints: Opener, facts: FactsRepository, keep: Keep) -> None:
    one, other = open_prints(), open_prints()
    facts.note_upload(keep(picture()), SHAPE)
    while_at_it: list[int] = []

    def asked() -> bool:
        while_at_it.append(other.glances.work_off())
        return False

    assert one.glances.work_off(asked) == 1
    assert set(while_at_it) == {0}


def test_nothing_is_noted_of_what_was_forgotten_meanwhile(facts: FactsRepository) -> None:
    facts.note_seen({"0" * 64: {"placeholder": "data:,"}})
    assert facts.find_by_id("0" * 64) is None


def test_another_recipe_looks_again_at_what_this_one_could_not(
    open_prints: Opener, facts: FactsRepository, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest, sound = keep(picture()[:100]), keep(picture())
    facts.note_upload(digest, SHAPE)
    facts.note_upload(sound, SHAPE)
    assert open_prints().glances.work_off() == 2
    assert open_prints().glances.work_off() == 0, "a restart alone is no reason"
    monkeypatch.setattr("assets.images.glances.recipe", lambda: "2-00000000")
    assert open_prints().glances.work_off() == 1
    assert (facts.get(digest).unseen, facts.get(digest).refused_by) == (False, "2-00000000")


def test_a_picture_that_the_machine_has_no_memory_for_does_not_keep_others_waiting(
    prints: Prints, facts: FactsRepository, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    large, other = keep(picture(size=(500, 500))), keep(picture())
    glance = prints.derivatives.glance

    def ended(digest: Digest) -> object:
        if digest == large:
            raise BusyError("ended from outside", exitStatus=-9)
        return glance(digest)

    monkeypatch.setattr(prints.derivatives, "glance", ended)
    facts.note_upload(large, SHAPE)
    for _ in range(2):
        with pytest.raises(BusyError):
            prints.glances.work_off()
    facts.note_upload(other, SHAPE)
    assert prints.glances.work_off() == 2
    assert (facts.get(large).unseen, facts.get(other).unseen) == (False, None)
