"""Everything about derived pictures of one data folder, put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from .derivatives import Derivatives, Derived
from .flights import Flights
from .glances import Glances
from .ledger import Ledger
from .tidying import Tidying
from .variants import Variants
from .workers import Slots, Workers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from metadata.files.engine import FileEngine
    from metadata.repositories.facts import FactsRepository

    from .limits import Limits


@dataclass(frozen=True, slots=True)
class Prints:
    """The derived pictures of a data folder.

    Attributes:
        variants: which are on offer.
        derivatives: makes and finds them.
        tidying: counts and removes them.
        glances: looks at what was uploaded.
        ledger: what they take and what was done for them, over all processes.
    """

    variants: Variants
    derivatives: Derivatives
    tidying: Tidying
    glances: Glances
    ledger: Ledger

    @classmethod
    def open(  # noqa: PLR0913 - the settings of pictures, each by its name
        cls,
        engine: FileEngine,
        facts: FactsRepository,
        cache: Path,
        *,
        sizes: Sequence[int],
        limits: Limits,
        budget: int,
        decoders: int,
        room: Callable[[], None],
        sharers: int = 1,
    ) -> Self:
        """Put it together; nothing is read, and no process started, before the first picture is asked for.

        Args:
            engine: the data folder's file engine.
            facts: what is known of payloads.
            cache: a folder for locks, numbers and what is being made; all of it may be lost.
            sizes: the widths and heights on offer.
            limits: what one picture may ask for.
            budget: bytes that derived pictures may take.
            decoders: how many pictures are decoded at once, over all processes that use the folder.
            room: returns when the disk has room for another picture, else raises.
            sharers: how many processes that is likely to be; each keeps its share of idle decoders.
        """
        place = cache / "derived"
        slots = Slots(place / "slots", decoders, engine.clock)
        ledger = Ledger(place / "account")
        workers = Workers(slots, limits, keep=max(1, decoders // sharers), lost=lambda: ledger.add(killed=1))
        flights: Flights[Derived] = Flights(place / "flights", wait_s=6 * limits.seconds)
        tidying = Tidying(engine, ledger, budget, place)
        derivatives = Derivatives(engine, workers, flights, ledger, tidying, place / "scratch", room)
        return cls(Variants(sizes), derivatives, tidying, Glances(facts, derivatives, place), ledger)

    def close(self) -> None:
        """End the decoding processes and let go of lock files."""
        self.derivatives.close()
        self.tidying.close()
        self.glances.close()
        self.ledger.close()
