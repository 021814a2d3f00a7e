"""The kinds of error: one root, one stable name each, details that help a program."""

from __future__ import annotations

from metadata import errors
from metadata.errors import CalotypeError, InternalError, NotFoundError, TooLargeError

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, CalotypeError)]


def test_every_kind_has_a_name_of_its_own() -> None:
    names = {kind.__name__: kind.kind for kind in KINDS if kind is not CalotypeError}
    assert len(names) == 14
    assert len(set(names.values())) == len(names)


def test_the_root_counts_as_internal() -> None:
    assert CalotypeError.kind == InternalError.kind == "internal"


def test_an_error_carries_its_message_and_details() -> None:
    error = TooLargeError("The file has 2 bytes, the limit is 1.", limit=1, actual=2)
    assert str(error) == error.message == "The file has 2 bytes, the limit is 1."
    assert error.details == {"limit": 1, "actual": 2}


def test_details_are_of_one_error_alone() -> None:
    assert NotFoundError("a", id="1").details is not NotFoundError("b").details
