"""One object a name as long as anybody holds it, and few that nobody holds."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest

from metadata.files.kept import Kept


class Thing:
    """Something with a name."""

    def __init__(self, name: str) -> None:
        self.name = name


def test_the_same_name_is_the_same_object_and_another_name_another() -> None:
    kept = Kept(Thing, 2)
    first = kept.get("a")
    assert kept.get("a") is first
    assert kept.get("b") is not first
    assert first.name == "a"


def test_what_somebody_holds_stays_the_one_however_many_come_after() -> None:
    kept = Kept(Thing, 3)
    held = kept.get("held")
    for number in range(50):
        kept.get(str(number))
    assert kept.get("held") is held
    kept.clear()
    assert kept.get("held") is held


def test_of_what_nobody_holds_the_least_recently_asked_for_go_first() -> None:
    kept = Kept(Thing, 2)
    known = {name: weakref.ref(kept.get(name)) for name in "ab"}
    kept.get("a")
    known["c"] = weakref.ref(kept.get("c"))
    gc.collect()
    assert {name for name, ref in known.items() if ref() is not None} == {"a", "c"}
    assert sorted(thing.name for thing in kept.all()) == ["a", "c"]
    kept.clear()
    gc.collect()
    assert kept.all() == []


def test_threads_that_ask_at_once_get_one_object() -> None:
    made: list[str] = []
    barrier = threading.Barrier(8)

    def make(name: str) -> Thing:
        made.append(name)
        return Thing(name)

    kept, found = Kept(make, 4), []

    def ask() -> None:
        barrier.wait(10)
        found.append(kept.get("a"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert made == ["a"]
    assert len(found) == 8
    assert len(set(map(id, found))) == 1


def test_what_could_not_be_made_is_made_the_next_time() -> None:
    names = iter(["", "good"])

    def make(_: str) -> Thing:
        name = next(names)
        if not name:
            raise OSError("not now")
        return Thing(name)

    kept = Kept(make, 2)
    with pytest.raises(OSError, match="not now"):
        kept.get("a")
    assert kept.get("a").name == "good"


def test_a_name_can_be_looked_up_while_another_goes() -> None:
    """A destructor may come back for another name; the table must not be locked then."""
    kept: Kept[Goer]

    class Goer(Thing):
        """Looks another name up when it goes."""

        def __del__(self) -> None:
            if self.name == "first":
                looked.append(kept.get("held").name)

    looked: list[str] = []
    kept = Kept(Goer, 1)
    held = kept.get("held")
    kept.get("first")
    asking = threading.Thread(target=kept.get, args=("second",), daemon=True)
    asking.start()
    asking.join(10)
    assert not asking.is_alive(), "the table waited for itself"
    assert looked == [held.name]
