"""Objects that must be one per key while anybody uses them, and a bounded number of them kept for later."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Generic, TypeVar
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Kept(Generic[T]):
    """A table of objects by name: the same object for the same name as long as anybody holds it.

    Args:
        make: makes the object of a name.
        limit: how many are kept when nobody holds them; the least recently asked for go first.
    """

    def __init__(self, make: Callable[[str], T], limit: int) -> None:
        self._make = make
        self._limit = limit
        self._known: WeakValueDictionary[str, T] = WeakValueDictionary()
        self._recent: OrderedDict[str, T] = OrderedDict()
        self._mutex = threading.Lock()

    def get(self, name: str) -> T:
        """Return the object of a name, making it if need be."""
        with self._mutex:
            found = self._known.get(name)
            if found is None:
                found = self._known[name] = self._make(name)
            self._recent[name] = found
            self._recent.move_to_end(name)
            # What goes may close files in its destructor; that must not happen while another name is looked up.
            gone = self._recent.popitem(last=False) if len(self._recent) > self._limit else None
        del gone
        return found

    def all(self) -> list[T]:
        """Return every object that is known now."""
        with self._mutex:
            return list(self._known.values())

    def clear(self) -> None:
        """Forget the kept ones; those in use stay known."""
        with self._mutex:
            gone = list(self._recent.values())
            self._recent.clear()
        del gone
