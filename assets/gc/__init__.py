"""Garbage collection: `plan` says what would go and why, `execute` does it.

A payload goes when no record names it, no text mentions its hash, and its last upload is older than the grace; first to
the trash, from where it can be had back, and after the undo window for good.
"""

from __future__ import annotations

from .collection import Collection
from .data import Item, Kept, Plan, Refusal, Report, Trashed
from .execution import execute
from .planning import Wishes, plan
from .premises import Premises

__all__ = [
    "Collection",
    "Item",
    "Kept",
    "Plan",
    "Premises",
    "Refusal",
    "Report",
    "Trashed",
    "Wishes",
    "execute",
    "plan",
]
