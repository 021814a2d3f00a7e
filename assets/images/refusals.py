"""Pictures that were refused a moment ago, so that whoever asks next costs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Self

from metadata.errors import CalotypeError, InvalidError, UnsupportedError

from .flights import AbandonedError
from .recent import Recent

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from metadata.clock import Clock

_HOLDS_S: Final = 60.0
_OF_THE_PICTURE: Final = frozenset({"setting", "exitStatus"})
"""Details of refusals that every variant of a picture would meet: it is over a limit, or it ends its decoder."""


class Refusals:
    """What was said of pictures that were refused, each for a minute.

    Args:
        clock: for how long.
    """

    def __init__(self, clock: Clock) -> None:
        self._kept: Recent[CalotypeError] = Recent(clock, _HOLDS_S)

    def asking(self, picture: str, variant: str, abandoned: Callable[[], bool] = bool) -> Asking:
        """Return somebody who asks for a variant of a picture.

        Args:
            picture: its digest.
            variant: names it with the variant.
            abandoned: tells that they do not ask any more.
        """
        return Asking(self._kept, picture, variant, abandoned)


class Asking:
    """Somebody who asks for a variant of a picture; a refusal in this block is remembered."""

    def __init__(self, kept: Recent[CalotypeError], picture: str, variant: str, abandoned: Callable[[], bool]) -> None:
        self._kept = kept
        self._picture = picture
        self._variant = variant
        self._abandoned = abandoned

    def check(self) -> None:
        """Return when they still ask, and the picture was not refused a moment ago.

        Raises:
            InvalidError, UnsupportedError: it was, and this was said.
            AbandonedError: they do not ask any more.
        """
        for key in (self._picture, self._variant):
            error = self._kept.get(key)
            if error is not None:
                raise type(error)(error.message, **error.details)
        if self._abandoned():
            raise AbandonedError("Whoever asked for the picture is gone.")

    def note(self, error: CalotypeError) -> None:
        """Remember a refusal: for all variants of the picture where it is about that, else for the one.

        An error of any other kind is not the picture's, and is not remembered.
        """
        if isinstance(error, InvalidError | UnsupportedError):
            self._kept.note(self._picture if _OF_THE_PICTURE & set(error.details) else self._variant, error)

    def __enter__(self) -> Self:
        """Refuse again."""
        self.check()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remember."""
        if isinstance(error, CalotypeError):
            self.note(error)
