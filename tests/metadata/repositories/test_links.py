"""Links of characters and personas, changed from both sides by whatever comes."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from metadata.documents.memory import MemoryDocuments
from metadata.errors import InvalidError, StaleError
from metadata.repositories.characters import CharactersRepository
from metadata.repositories.links import linked_characters, linked_personas, on_characters, on_personas
from metadata.repositories.personas import PersonasRepository

if TYPE_CHECKING:
    from metadata.documents.contract import Record
    from metadata.repositories.container import Repositories

ALICE = {"name": "Alice", "description": "d", "personality": "p", "scenario": "s", "first_message": "f"}
STEPS = ["add", "remove", "add back", "remove back", "replace", "replace back", "delete", "delete back"]


def symmetric(characters: CharactersRepository, personas: PersonasRepository) -> bool:
    forth = {(who.id, link.persona_id) for who in characters.find_all() for link in who.persona_links}
    back = {(who, me.id) for me in personas.find_all() for who in me.character_links}
    return forth == back


@given(st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 2), st.integers(0, 2)), max_size=12))
def test_both_sides_say_the_same_after_any_steps(steps: list[tuple[str, int, int]]) -> None:
    documents = MemoryDocuments()
    characters, personas = CharactersRepository(documents), PersonasRepository(documents)
    whos = [characters.create(**ALICE).id for _ in range(3)]
    mes = [personas.create(name="Me", description="d").id for _ in range(3)]
    for step, a, b in steps:
        who, me = whos[a], mes[b]
        if step.startswith("delete"):
            (personas.delete(me) if "back" in step else characters.delete(who))
        elif characters.find_by_id(who) is not None and personas.find_by_id(me) is not None:
            _link(characters, personas, step, who, me)
        assert symmetric(characters, personas)


def _link(characters: CharactersRepository, personas: PersonasRepository, step: str, who: str, me: str) -> None:
    if step == "add":
        characters.add_persona(who, me)
    elif step == "remove":
        characters.remove_persona(who, me)
    elif step == "add back":
        personas.add_character(me, who)
    elif step == "remove back":
        personas.remove_character(me, who)
    elif step == "replace":
        characters.replace(who, {**ALICE, "persona_links": [{"personaId": me}]})
    else:
        personas.replace(me, {"name": "Me", "description": "d", "character_links": [who]})


def test_threads_that_link_from_both_sides_leave_them_equal(store: Repositories, who: Any) -> None:
    mes = [store.personas.create(name=f"n{n}", description="d").id for n in range(6)]

    def work(me: str, *, back: bool) -> None:
        for _ in range(5):
            if back:
                store.personas.add_character(me, who.id)
                store.personas.remove_character(me, who.id)
            else:
                store.characters.add_persona(who.id, me)
                store.characters.edit(who.id, lambda found: found.replaced(title=(found.title or "") + "x"))

    threads = [threading.Thread(target=work, args=(me,), kwargs={"back": n % 2}) for n, me in enumerate(mes * 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert symmetric(store.characters, store.personas)
    assert store.characters.get(who.id).title == "x" * 30


def test_changes_name_only_who_is_added_or_left() -> None:
    date = str
    character: Record = {"id": "a", "personaLinks": [{"personaId": "1"}, {"personaId": "2"}]}
    after: Record = {"id": "a", "personaLinks": [{"personaId": "2"}, {"personaId": "3"}]}
    assert linked_personas(character) == {"1", "2"}
    assert [change.key for change in on_personas(character, after, date)] == ["3", "1"]
    assert on_personas(after, after, date) == []
    persona: Record = {"id": "p", "characterLinks": ["a", "b"]}
    assert linked_characters(persona) == {"a", "b"}
    assert [change.key for change in on_characters(None, persona, date)] == ["a", "b"]
    (change,) = on_characters(persona, {"id": "p", "characterLinks": ["b"]}, date)
    linked: Record = {"id": "a", "personaLinks": [{"personaId": "p"}], "updatedAt": "t"}
    assert change.edit(linked) == {"id": "a", "personaLinks": [], "updatedAt": "t"}
    assert change.edit(None) is None


def test_a_refused_link_leaves_both_sides_alone(store: Repositories, who: Any) -> None:
    me = store.personas.create(name="Me", description="d")
    links = [{"personaId": me.id}]
    with pytest.raises(InvalidError, match="does not exist"):
        store.characters.edit(who.id, lambda found: found.replaced(persona_links=links, tags=[who.id]))
    with pytest.raises(StaleError):
        store.characters.edit(who.id, lambda found: found.replaced(persona_links=links), if_match="0" * 32)
    assert store.personas.get(me.id) == me
    assert store.characters.get(who.id) == who
