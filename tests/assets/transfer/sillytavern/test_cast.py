"""Characters by the names under which a folder speaks of them."""

from __future__ import annotations

from assets.transfer.sillytavern.cast import Cast


def test_a_character_is_found_by_its_file_and_by_a_name_it_has_alone() -> None:
    cast = Cast()
    cast.add("characters/Seraphina1.png", "one", "Seraphina")
    cast.add("characters/Ame\u0301lie.png", "two", "Amélie")
    cast.add("characters/Amélie2.png", "three", "Amélie")
    assert cast.of_card("seraphina1.png") == "one"
    assert cast.of_folder("Amélie") == "two"
    assert cast.of_folder("Seraphina") == "one"  # sprites are called after the character
    assert cast.named("Amélie") is None
    assert cast.of_card("Seraphina.png") is None
    assert cast.names_of(["Seraphina1.png", "Seraphina1", "absent.png"]) == {"Seraphina"}


def test_a_name_with_a_dot_is_not_cut() -> None:
    cast = Cast()
    cast.add("characters/Dr. No.png", "one", "No")
    assert cast.of_folder("Dr. No") == "one"
    assert cast.names_of(["Dr. No"]) == {"No"}
