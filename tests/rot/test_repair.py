"""Whatever is damaged, a repair leaves nothing that a repair could mend, and loses nothing that is sound."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from assets.fsck import repairing
from assets.fsck.report import Wishes
from metadata.files.engine import FileEngine
from metadata.findings import Repair

if TYPE_CHECKING:
    from types import ModuleType

ROUNDS = 6
A_FLIP_COSTS = 2
"""Records: a changed line break joins two of them."""


def mended(store: Any) -> Any:
    """Repair until nothing more can be; return the last report."""
    with store.checks() as checks:
        for _ in range(ROUNDS):
            report = checks.verifier.run(Wishes(full=True))
            steps = repairing.plan(report.findings)
            if not steps:
                return report
            assert [(done.step.finding, done.error) for done in checks.repairer.execute(steps) if done.error] == []
        raise AssertionError(f"There is still something to be mended: {steps}")


def damaged(store: Any, damage: ModuleType, wounds: list[tuple[int, int]]) -> Counter[str]:
    """Damage a store; return how often each file was touched."""
    ways = list(damage.WAYS.values())
    return Counter(name for way, seed in wounds for name in ways[way % len(ways)](store, random.Random(seed)))  # noqa: S311 - for repeatable damage


def lost(store: Any, rot: ModuleType, before: dict[tuple[str, str], str], touched: Counter[str]) -> list[str]:
    """Return what was sound and is gone: payloads, and records beyond those in the touched places."""
    after = rot.records_of(store)
    gone = Counter(path for record, path in before.items() if record not in after)
    told = [f"{path}: {count}" for path, count in gone.items() if count > A_FLIP_COSTS * touched[path]]
    told = [text for text in told if not text.startswith(("binaries/index", "binaries/facts"))]
    for digest, data in store.payloads.items():
        name = f"binaries/{digest}/raw"
        if not touched[name] and (not store.raw(digest).is_file() or store.raw(digest).read_bytes() != data):
            told.append(name)
    return told


@pytest.mark.heavy
def test_whatever_is_damaged(rot: ModuleType, damage: ModuleType, model: Any, scale: int) -> None:
    before = rot.records_of(model)

    @settings(max_examples=6 * scale, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.tuples(st.integers(0, len(damage.WAYS) - 1), st.integers(0, 2**20)), min_size=1, max_size=6))
    @example([(way, 1) for way in range(len(damage.WAYS))])
    def mends(wounds: list[tuple[int, int]]) -> None:
        with tempfile.TemporaryDirectory() as place:
            shutil.copytree(model.root, Path(place) / "copy")
            store = rot.Filled(Path(place) / "copy", dict(model.payloads))
            touched = damaged(store, damage, wounds)
            mended(store)
            assert lost(store, rot, before, touched) == []

    mends()


@pytest.mark.heavy
def test_bytes_that_were_set_aside_are_told_from_no_memory(damage: ModuleType, copied: Any) -> None:
    store = copied()
    (name,) = damaged(store, damage, [(list(damage.WAYS).index("flipped_payload"), 1)])
    shard = int(name.split("/")[1][:2], 16)
    with store.checks() as checks:
        steps = repairing.plan(checks.verifier.run(Wishes(full=True)).findings)
        quarantines = [step for step in steps if step.repair is Repair.QUARANTINE]
        epochs = FileEngine.open(store.root).epochs
        told = epochs.values()[shard]
        assert [done.error for done in checks.repairer.execute(quarantines)] == [""]
        assert epochs.values()[shard] != told


@pytest.mark.heavy
def test_the_harness_notices_a_repair_that_does_nothing(
    damage: ModuleType, copied: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repairing.Repairer, "_quarantine", lambda *_: None)
    store = copied()
    damaged(store, damage, [(list(damage.WAYS).index("flipped_payload"), 1)])
    with pytest.raises(AssertionError, match="still something"):
        mended(store)


@pytest.mark.heavy
def test_the_harness_notices_a_repair_that_loses_what_is_sound(
    rot: ModuleType, damage: ModuleType, model: Any, copied: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repairing, "cut_out", lambda projection, path: projection.engine.remove(path))
    store = copied()
    seed = next(n for n in range(100) if "chats/index.jsonl" in damage.flipped_document(copied(), random.Random(n)))  # noqa: S311 - for repeatable damage
    store = copied()
    touched = damaged(store, damage, [(list(damage.WAYS).index("flipped_document"), seed)])
    mended(store)
    assert lost(store, rot, rot.records_of(model), touched) != []
