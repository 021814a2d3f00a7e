"""One suite over every repository and both implementations of the documents below them."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from metadata.documents.json_files import JsonFiles
from metadata.documents.memory import MemoryDocuments
from metadata.errors import CalotypeError, ConflictError, InvalidError, NotFoundError, StaleError
from metadata.files.engine import FileEngine
from metadata.index.query import Query
from metadata.repositories.container import Repositories
from metadata.sealing import MasterKey, Ring, Sealer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from metadata.repositories.base import Repository
    from metadata.repositories.messages import Order

LATER = "2999-01-01T00:00:00.000Z"
TOKEN = {"session_token": "t"}
TEXTS = {"description": "d", "personality": "p", "scenario": "s", "first_message": "f"}


class Keys:
    """One master key, in memory."""

    def __init__(self) -> None:
        self._ring = Ring((MasterKey.new(),))

    def ring(self) -> Ring:
        return self._ring

    def ensure(self) -> Ring:
        return self._ring


@pytest.fixture(params=["json_files", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Repositories]:
    documents = JsonFiles(FileEngine.open(tmp_path)) if request.param == "json_files" else MemoryDocuments()
    opened = Repositories(documents, sealer=Sealer(Keys()))
    opened.users.ensure_first()
    yield opened
    opened.close()


def new_id() -> str:
    return str(uuid.uuid4())


def asset(store: Repositories, number: int = 1, **more: object) -> Any:
    about = {"sha256": f"{number:064x}", "type": "image", "filename": f"{number}.png"}
    return store.images.create(**{**about, "mime_type": "image/png", "size": number, **more})


def character(store: Repositories, name: str = "Alice", **more: object) -> Any:
    return store.characters.create(name=name, **{**TEXTS, **more})


def persona(store: Repositories, name: str = "Me", **more: object) -> Any:
    return store.personas.create(name=name, description="d", **more)


def connection(store: Repositories, **more: object) -> Any:
    return store.connections.create(**{"name": "c", "provider": "OPENAI", "model_name": "m", **more})


def chat(store: Repositories, character_id: str | None = None, **more: object) -> Any:
    who = character_id or character(store).id
    profile = more.pop("connection_profile_id", None) or connection(store).id
    return store.chats.create(**{"title": "t", "character_id": who, "connection_profile_id": profile, **more})


def say(store: Repositories, chat_id: str, *contents: str) -> list[str]:
    made = store.messages.append_many(chat_id, [{"role": "USER", "content": content} for content in contents])
    return [event.to_record()["id"] for event in made if not isinstance(event, CalotypeError)]


def contents(events: Any) -> list[str]:
    return [event.content for event in events]


# --- What every repository does ---------------------------------------------------------------------------------

MAKERS: dict[str, Callable[[Repositories, int], dict[str, object]]] = {
    "characters": lambda _, n: {"name": f"n{n}", **TEXTS},
    "personas": lambda _, n: {"name": f"n{n}", "description": "d"},
    "tags": lambda _, n: {"name": f"n{n}"},
    "connections": lambda _, n: {"name": f"n{n}", "provider": "OPENAI", "model_name": "m"},
    "image_profiles": lambda _, n: {"name": f"n{n}", "provider": "GROK", "model_name": "m"},
    "chats": lambda store, n: {
        "title": f"n{n}",
        "character_id": character(store).id,
        "connection_profile_id": connection(store).id,
    },
    "images": lambda _, n: {
        "sha256": f"{n:064x}",
        "type": "image",
        "filename": "f",
        "mime_type": "image/png",
        "size": n,
    },
    "users": lambda _, n: {"email": f"n{n}@example.org"},
    "accounts": lambda store, n: {
        "user_id": store.users.ensure_first().id,
        "type": "oauth",
        "provider": "github",
        "provider_account_id": f"n{n}",
    },
    "api_keys": lambda _, n: {"label": f"n{n}", "provider": "OPENAI", "key": "sk-1"},
}


def _made(store: Repositories, name: str, number: int = 1) -> tuple[Repository[Any], Any]:
    repository: Repository[Any] = getattr(store, name)
    return repository, repository.create(**MAKERS[name](store, number))


every = pytest.mark.parametrize("name", MAKERS)


@every
def test_a_record_is_created_found_and_deleted(store: Repositories, name: str) -> None:
    repository, made = _made(store, name)
    assert repository.find_by_id(made.id) == made
    assert made in list(repository.find_all())
    assert repository.get(made.id).version == made.version != ""
    assert repository.delete(made.id)
    assert not repository.delete(made.id)
    assert repository.find_by_id(made.id) is None
    with pytest.raises(NotFoundError):
        repository.get(made.id)


@every
def test_ids_and_dates_are_the_stores_to_set(store: Repositories, name: str) -> None:
    repository: Repository[Any] = getattr(store, name)
    dates = {"createdAt": LATER, "created_at": LATER, "updated_at": LATER} if repository.kind.created else {}
    mine = {"id": new_id(), **dates}
    made = repository.create(**MAKERS[name](store, 1), **mine)
    assert made.id != mine["id"]
    assert LATER not in made.to_record().values()


@every
def test_unknown_members_are_refused(store: Repositories, name: str) -> None:
    with pytest.raises(InvalidError, match="no field 'colour'"):
        getattr(store, name).create(**MAKERS[name](store, 1), colour="red")


@every
def test_an_edit_is_dated_versioned_and_keeps_what_it_leaves(store: Repositories, name: str) -> None:
    repository, made = _made(store, name)
    edited = repository.edit(made.id, lambda found: found.replaced(_meta={"a": 1}), if_match=made.version)
    assert edited.meta == {"a": 1}
    assert repository.get(made.id) == edited
    if repository.kind.updated is not None:
        assert edited.updated_at > made.updated_at
        assert edited.created_at == made.created_at
        with pytest.raises(StaleError):
            repository.edit(made.id, lambda found: found.replaced(_meta={"a": 2}), if_match=made.version)
        with pytest.raises(StaleError):
            repository.delete(made.id, if_match=made.version)
    assert repository.get(made.id).meta == {"a": 1}


@every
def test_an_edit_of_nothing_is_an_error(store: Repositories, name: str) -> None:
    with pytest.raises(NotFoundError):
        getattr(store, name).edit(new_id(), lambda found: found)


@every
def test_a_replacement_keeps_id_owner_birth_and_what_nobody_declares(store: Repositories, name: str) -> None:
    repository, made = _made(store, name)
    dates = {"createdAt": LATER} if repository.kind.created else {}
    given = {"id": new_id(), **dates, **MAKERS[name](store, 2)}
    repository.edit(made.id, lambda found: found.replaced(_meta={"gone": True}))
    after = repository.replace(made.id, given)
    before, now = made.to_record(), after.to_record()
    assert now["id"] == made.id
    assert after.meta is None
    for member in ("createdAt", "userId"):
        assert now.get(member) == before.get(member)


@every
def test_many_are_made_and_changed_each_for_itself(store: Repositories, name: str) -> None:
    repository: Repository[Any] = getattr(store, name)
    good = [MAKERS[name](store, number) for number in (1, 2, 3)]
    results = repository.create_many([good[0], {**good[1], "colour": "red"}, good[2]])
    kinds = [type(result) for result in results]
    assert kinds == [repository.model, InvalidError, repository.model]
    ids = [result.id for result in (results[0], results[2])]  # type: ignore[union-attr] # checked just above
    changed = repository.edit_many(
        [(key, lambda found: found.replaced(_meta={})) for key in (ids[0], new_id(), ids[1])]
    )
    assert [type(result) for result in changed] == [repository.model, NotFoundError, repository.model]


@every
def test_importers_set_ids_and_dates(store: Repositories, name: str) -> None:
    repository, made = _made(store, name)
    record = {**made.to_record(), "extra": [1]}
    if repository.kind.created is not None:
        record["createdAt"] = LATER
    with pytest.raises(ConflictError):
        repository.import_record(record)
    again = repository.import_record(record, replace=True)
    assert again.to_record() == record
    repository.delete(made.id)
    (back,) = repository.import_records([record])
    assert not isinstance(back, CalotypeError)
    assert back.to_record() == record


@pytest.mark.parametrize("name", sorted(MAKERS.keys() - {"users"}))
def test_others_records_are_as_if_they_were_not_there(store: Repositories, name: str) -> None:
    repository, made = _made(store, name)
    other = store.users.create(email="other@example.org").id
    assert repository.find_by_id(made.id, owner=other) is None
    assert not repository.delete(made.id, owner=other)
    with pytest.raises(NotFoundError):
        repository.edit(made.id, lambda found: found.replaced(_meta={}), owner=other)
    assert repository.list(Query(owner=other)).items == []
    mine = store.users.ensure_first().id
    assert [found.id for found in repository.find_by_user_id(mine)] == [made.id]
    assert repository.find_by_id(made.id, owner=mine) is not None


@pytest.mark.parametrize("name", ["characters", "tags", "images"])
def test_pages_neither_repeat_nor_skip_while_records_come(store: Repositories, name: str) -> None:
    repository: Repository[Any] = getattr(store, name)
    first = [repository.create(**MAKERS[name](store, number)).id for number in range(7)]
    page = repository.list(Query(limit=3))
    seen = [found.id for found in page.items]
    while page.next_cursor is not None:
        repository.create(**MAKERS[name](store, 100 + len(seen)))
        page = repository.list(Query(limit=3, cursor=page.next_cursor))
        seen += [found.id for found in page.items]
        if len(seen) > 40:
            break
    assert len(set(seen)) == len(seen)
    assert set(first) <= set(seen)


# --- Characters and personas ------------------------------------------------------------------------------------


def test_a_link_is_seen_from_both_sides_whoever_makes_it(store: Repositories) -> None:
    who, me, other = character(store), persona(store), persona(store, "Other")
    linked = store.characters.add_persona(who.id, me.id, is_default=True)
    assert [(link.persona_id, link.is_default) for link in linked.persona_links] == [(me.id, True)]
    assert store.personas.get(me.id).character_links == [who.id]
    store.personas.add_character(other.id, who.id)
    assert [link.persona_id for link in store.characters.get(who.id).persona_links] == [me.id, other.id]
    assert [found.id for found in store.characters.find_by_persona_id(other.id)] == [who.id]
    assert {found.id for found in store.personas.find_by_character_id(who.id)} == {me.id, other.id}
    store.characters.add_persona(who.id, other.id, is_default=True)
    assert [link.is_default for link in store.characters.get(who.id).persona_links] == [False, True]
    store.personas.remove_character(me.id, who.id)
    store.characters.remove_persona(who.id, other.id)
    assert store.characters.get(who.id).persona_links == []
    assert [store.personas.get(key).character_links for key in (me.id, other.id)] == [[], []]


def test_links_given_at_creation_or_by_replacement_reach_the_other_side(store: Repositories) -> None:
    me = persona(store)
    who = character(store, persona_links=[{"personaId": me.id, "isDefault": False}])
    assert store.personas.get(me.id).character_links == [who.id]
    store.characters.replace(who.id, {"name": "New", **TEXTS})
    assert store.personas.get(me.id).character_links == []
    (edited,) = store.characters.edit_many(
        [(who.id, lambda found: found.replaced(persona_links=[{"personaId": me.id}]))]
    )
    assert not isinstance(edited, CalotypeError)
    assert store.personas.get(me.id).character_links == [who.id]


def test_a_deleted_character_or_persona_leaves_no_link(store: Repositories) -> None:
    who, me = character(store), persona(store)
    store.characters.add_persona(who.id, me.id)
    store.personas.delete(me.id)
    assert store.characters.get(who.id).persona_links == []
    again = persona(store)
    store.characters.add_persona(who.id, again.id)
    store.characters.delete(who.id)
    assert store.personas.get(again.id).character_links == []


def test_a_link_to_nothing_or_to_anothers_is_refused_and_changes_nothing(store: Repositories) -> None:
    who = character(store)
    other = store.users.create(email="other@example.org")
    theirs = persona(store, user_id=other.id)
    for target in (new_id(), theirs.id):
        with pytest.raises(InvalidError, match="does not exist"):
            store.characters.add_persona(who.id, target)
    assert store.personas.get(theirs.id) == theirs
    assert store.characters.get(who.id) == who


def test_a_picture_is_set_by_hash_or_id_and_taken_away(store: Repositories) -> None:
    who, picture = character(store, avatar_url="https://example.org/a.png"), asset(store)
    assert store.characters.set_avatar(who.id, sha256=picture.sha256).default_image_id == picture.id
    assert store.characters.get(who.id).avatar_url is None
    assert store.characters.set_avatar(who.id, asset_id=picture.id).default_image_id == picture.id
    with pytest.raises(ConflictError):
        store.images.delete(picture.id)
    assert store.characters.clear_avatar(who.id).default_image_id is None
    assert store.images.delete(picture.id)
    for wrong in ({"sha256": "f" * 64}, {"asset_id": new_id()}, {}, {"sha256": "f" * 64, "asset_id": new_id()}):
        with pytest.raises(InvalidError):
            store.characters.set_avatar(who.id, **wrong)


def test_a_character_has_one_other_picture_a_chat(store: Repositories) -> None:
    who = character(store)
    talk, first, second = chat(store, who.id), asset(store, 1), asset(store, 2)
    store.characters.set_avatar_override(who.id, talk.id, first.id)
    after = store.characters.set_avatar_override(who.id, talk.id, second.id)
    assert [(one.chat_id, one.image_id) for one in after.avatar_overrides] == [(talk.id, second.id)]
    twice = [{"chatId": talk.id, "imageId": picture.id} for picture in (first, second)]
    with pytest.raises(InvalidError, match="one picture a chat"):
        store.characters.edit(who.id, lambda found: found.replaced(avatar_overrides=twice))
    assert store.characters.clear_avatar_override(who.id, talk.id).avatar_overrides == []


def test_favourites_and_tags_by_id_or_name(store: Repositories) -> None:
    who, _ = character(store), character(store, "Bob")
    store.characters.set_favorite(who.id)
    assert [found.name for found in store.characters.find_favorites()] == ["Alice"]
    store.characters.set_favorite(who.id, favorite=False)
    assert store.characters.find_favorites() == []
    tagged = store.characters.add_tag(who.id, "Fantasy")
    assert store.characters.add_tag(who.id, tagged.tags[0]).tags == tagged.tags
    for tag in ("fantasy", tagged.tags[0]):
        assert [found.name for found in store.characters.find_by_tag(tag)] == ["Alice"]
    assert store.characters.find_by_tag("no such") == []
    assert store.characters.list_by_tag(tagged.tags[0]).total == 1
    with pytest.raises(InvalidError):
        store.characters.add_tag(who.id, new_id())
    assert store.characters.remove_tag(who.id, "FANTASY").tags == []


# --- Tags -------------------------------------------------------------------------------------------------------


def test_a_tag_is_unique_by_name_whatever_its_letter_case(store: Repositories) -> None:
    user = store.users.ensure_first().id
    made = store.tags.create(name="Straße")
    found = store.tags.find_by_name(user, "STRASSE")
    assert found is not None
    assert found.id == made.id
    with pytest.raises(ConflictError):
        store.tags.create(name="strasse")
    renamed = store.tags.rename(made.id, "Road")
    assert (renamed.name, renamed.name_lower) == ("Road", "road")
    other = store.tags.create(name="Way")
    with pytest.raises(ConflictError):
        store.tags.rename(other.id, "ROAD")


def test_two_tags_become_one_wherever_they_are_carried(store: Repositories) -> None:
    old, new = store.tags.create(name="old"), store.tags.create(name="new")
    both, one = character(store, tags=[old.id, new.id]), persona(store, tags=[old.id])
    picture = asset(store, tags=[old.id])
    assert store.tags.merge(old.id, new.id).id == new.id
    assert store.tags.find_by_id(old.id) is None
    assert store.characters.get(both.id).tags == [new.id]
    assert store.personas.get(one.id).tags == [new.id]
    assert store.images.get(picture.id).tags == [new.id]
    with pytest.raises(InvalidError):
        store.tags.merge(new.id, new.id)


def test_a_deleted_tag_leaves_everything_that_carried_it(store: Repositories) -> None:
    tag = store.tags.create(name="t")
    who, talk, profile = character(store, tags=[tag.id]), chat(store, tags=[tag.id]), connection(store, tags=[tag.id])
    assert store.tags.delete(tag.id)
    for repository, made in ((store.characters, who), (store.chats, talk), (store.connections, profile)):
        assert repository.get(made.id).tags == []


# --- Chats and their events -------------------------------------------------------------------------------------


def test_chats_of_both_shapes_are_found(store: Repositories) -> None:
    who, me, profile = character(store), persona(store), connection(store)
    first = chat(store, who.id, persona_id=me.id)
    members = {"id": new_id(), "type": "CHARACTER", "characterId": who.id, "connectionProfileId": profile.id}
    later = store.chats.create(title="later", participants=[members])
    later = store.chats.add_participant(later.id, type="PERSONA", persona_id=me.id)
    for found in (store.chats.find_by_character_id(who.id), store.chats.find_by_persona_id(me.id)):
        assert {one.id for one in found} == {first.id, later.id}
    shown = store.chats.participants(first)
    assert [(one.type, one.character_id, one.persona_id) for one in shown] == [
        ("CHARACTER", who.id, None),
        ("PERSONA", None, me.id),
    ]
    assert [one.display_order for one in store.chats.participants(later)] == [0, 1]


def test_participants_come_change_and_go(store: Repositories) -> None:
    first, other = chat(store), character(store, "Bob")
    grown = store.chats.add_participant(first.id, type="CHARACTER", character_id=other.id, id=new_id())
    assert grown.character_id is None
    alice, bob = store.chats.participants(grown)
    assert bob.character_id == other.id
    edited = store.chats.edit_participant(first.id, bob.id, is_active=False)
    assert [one.is_active for one in store.chats.participants(edited)] == [True, False]
    with pytest.raises(InvalidError, match="no field"):
        store.chats.edit_participant(first.id, bob.id, colour="red")
    with pytest.raises(NotFoundError):
        store.chats.edit_participant(first.id, new_id(), is_active=False)
    with pytest.raises(InvalidError, match="does not exist"):
        store.chats.add_participant(first.id, type="CHARACTER", character_id=new_id())
    for wrong in ({"type": "CHARACTER"}, {"type": "PERSONA", "character_id": other.id}):
        with pytest.raises(InvalidError, match="has to have"):
            store.chats.add_participant(first.id, **wrong)
    for wrong in ({"character_id": None}, {"type": "PERSONA"}):
        with pytest.raises(InvalidError, match="has to have"):
            store.chats.edit_participant(first.id, bob.id, **wrong)
    assert len(store.chats.participants(store.chats.remove_participant(first.id, alice.id))) == 1
    with pytest.raises(ConflictError):
        store.chats.remove_participant(first.id, bob.id)


def test_events_page_from_either_end_through_everything_once(store: Repositories) -> None:
    talk = chat(store)
    say(store, talk.id, *(f"m{number}" for number in range(10)))
    orders: list[tuple[Order, range]] = [("newest", range(9, -1, -1)), ("oldest", range(10))]
    for order, expected in orders:
        seen: list[str] = []
        cursor = None
        while True:
            page = store.messages.page(talk.id, order=order, limit=3, cursor=cursor)
            assert page.total == 10
            seen += contents(page.items)
            cursor = page.next_cursor
            if cursor is None:
                break
        assert seen == [f"m{number}" for number in expected]
    assert contents(store.messages.find_by_chat_id(talk.id)) == [f"m{number}" for number in range(10)]


def test_a_cursor_outlives_its_event_and_what_comes_meanwhile(store: Repositories) -> None:
    talk = chat(store)
    ids = say(store, talk.id, *"abcdef")
    newest, oldest = store.messages.page(talk.id, limit=3), store.messages.page(talk.id, order="oldest", limit=3)
    store.messages.delete_message(talk.id, ids[3])
    store.messages.delete_message(talk.id, ids[2])
    say(store, talk.id, "g")
    store.messages.edit_message(talk.id, ids[0], lambda found: found.replaced(content="A"))
    assert contents(store.messages.page(talk.id, limit=3, cursor=newest.next_cursor).items) == ["b", "A"]
    rest = store.messages.page(talk.id, order="oldest", limit=9, cursor=oldest.next_cursor)
    assert contents(rest.items) == ["e", "f", "g"]


def test_an_edited_event_keeps_its_place_type_and_date(store: Repositories) -> None:
    talk = chat(store)
    ids = say(store, talk.id, "a", "b")
    before = store.messages.find(talk.id, ids[0])
    assert before is not None
    after = store.messages.edit_message(
        talk.id, ids[0], lambda found: found.replaced(content="x", chat_id=new_id()), if_match=before.version
    )
    assert after.chat_id == talk.id
    assert after.to_record()["createdAt"] == before.to_record()["createdAt"]
    assert contents(store.messages.find_by_chat_id(talk.id)) == ["x", "b"]
    with pytest.raises(StaleError):
        store.messages.delete_message(talk.id, ids[0], if_match=before.version)


def test_counts_and_the_last_time_follow_the_messages(store: Repositories) -> None:
    talk = chat(store)
    assert (talk.message_count, talk.last_message_at) == (0, None)
    first, second = say(store, talk.id, "a", "b")
    store.messages.append(talk.id, {"type": "context-summary", "context": "they talked"})
    now = store.chats.get(talk.id)
    assert now.message_count == 2
    assert now.version == talk.version
    last = store.messages.find(talk.id, second)
    assert last is not None
    assert now.last_message_at == last.to_record()["createdAt"]
    assert next(found.id for found in store.chats.list(Query(sort="-lastMessageAt")).items) == talk.id
    store.chats.edit(talk.id, lambda found: found.replaced(title="new", message_count=77))
    assert store.chats.get(talk.id).message_count == 2
    store.messages.delete_message(talk.id, second)
    store.messages.delete_message(talk.id, first)
    after = store.chats.get(talk.id)
    assert (after.message_count, after.last_message_at) == (0, None)


def test_events_are_judged_each_for_itself(store: Repositories) -> None:
    talk = chat(store)
    good = {"role": "USER", "content": "a", "createdAt": LATER, "id": new_id(), "chatId": new_id()}
    bad: list[dict[str, object]] = [
        {"role": "NOBODY", "content": "b"},
        {**good, "attachments": [new_id()]},
        {**good, "colour": "red"},
    ]
    made = store.messages.append_many(talk.id, [good, *bad, {"type": "dice-roll", "sides": 6}, good])
    assert [isinstance(one, InvalidError) for one in made] == [False, True, True, True, True, False]
    page = store.messages.page(talk.id)
    assert contents(page.items) == ["a", "a"]
    assert {event.chat_id for event in page.items} == {talk.id}
    assert LATER not in page.items[0].to_record().values()
    with pytest.raises(InvalidError):
        store.messages.append(talk.id, {"role": "NOBODY", "content": "b"})


def test_an_event_cannot_carry_anothers_picture(store: Repositories) -> None:
    other = store.users.create(email="o@example.org").id
    talk, mine, theirs = chat(store), asset(store, 1), asset(store, 2, user_id=other)
    store.messages.append(talk.id, {"role": "USER", "content": "a", "attachments": [mine.id]})
    with pytest.raises(InvalidError, match="does not exist"):
        store.messages.append(talk.id, {"role": "USER", "content": "a", "attachments": [theirs.id]})


def test_a_replaced_event_stays_where_it_is(store: Repositories) -> None:
    talk = chat(store)
    first, _ = say(store, talk.id, "a", "b")
    key = f"{talk.id}/{first}"
    after = store.messages.replace(key, {"type": "message", "role": "ASSISTANT", "content": "c", "id": new_id()})
    assert after.to_record() | {"role": "USER", "content": "a"} == store.messages.get(key).to_record() | {
        "role": "USER",
        "content": "a",
    }
    assert contents(store.messages.find_by_chat_id(talk.id)) == ["c", "b"]


def test_there_is_nothing_to_say_in_a_chat_that_is_not_there(store: Repositories) -> None:
    for ask in (
        lambda: store.messages.append(new_id(), {"role": "USER", "content": "a"}),
        lambda: store.messages.page(new_id()),
        lambda: store.messages.page("../../etc"),
    ):
        with pytest.raises(NotFoundError):
            ask()
    talk = chat(store)
    with pytest.raises(InvalidError):
        store.messages.page(talk.id, limit=501)
    with pytest.raises(InvalidError):
        store.messages.page(talk.id, cursor="nonsense")
    assert not store.messages.delete_message(talk.id, new_id())
    assert store.messages.find(talk.id, new_id()) is None


def test_alternatives_are_grouped_and_the_one_chosen_last_is_shown(store: Repositories) -> None:
    talk = chat(store)
    (first,) = say(store, talk.id, "A")
    assert contents(store.messages.swipes(talk.id, first)) == ["A"]
    second = store.messages.add_swipe(talk.id, first, {"content": "B"}).to_record()["id"]
    third = store.messages.add_swipe(talk.id, second, {"content": "C"}).to_record()["id"]
    swipes = store.messages.swipes(talk.id, third)
    assert contents(swipes) == ["A", "B", "C"]
    assert [swipe.to_record()["swipeIndex"] for swipe in swipes] == [0, 1, 2]
    assert {swipe.to_record()["role"] for swipe in swipes} == {"USER"}
    assert contents([store.messages.chosen_swipe(talk.id, first)]) == ["C"]
    store.messages.choose_swipe(talk.id, first)
    store.messages.choose_swipe(talk.id, second)
    assert contents([store.messages.chosen_swipe(talk.id, first)]) == ["B"]
    store.messages.delete_message(talk.id, second)
    assert contents([store.messages.chosen_swipe(talk.id, first)]) == ["A"]
    summary = store.messages.append(talk.id, {"type": "context-summary", "context": "c"}).to_record()["id"]
    with pytest.raises(InvalidError):
        store.messages.choose_swipe(talk.id, summary)
    with pytest.raises(InvalidError):
        store.messages.add_swipe(talk.id, summary, {"content": "x"})


# --- Deleting ---------------------------------------------------------------------------------------------------


def test_a_deleted_chat_takes_its_log_and_files_and_leaves_the_rest(store: Repositories) -> None:
    who = character(store)
    talk, other = chat(store, who.id), chat(store, who.id)
    (message,) = say(store, talk.id, "a")
    say(store, other.id, "b")
    file = asset(store, 1, type="chat_file", chat_id=talk.id)
    picture = asset(store, 2, chat_id=talk.id, message_id=message)
    store.characters.set_avatar_override(who.id, talk.id, picture.id)
    assert store.chats.delete(talk.id)
    assert store.messages.find(talk.id, message) is None
    assert store.images.find_by_id(file.id) is None
    kept = store.images.get(picture.id)
    assert (kept.chat_id, kept.message_id) == (None, None)
    assert store.characters.get(who.id).avatar_overrides == []
    assert contents(store.messages.find_by_chat_id(other.id)) == ["b"]
    assert list(store.messages.find_all()) == list(store.messages.find_by_chat_id(other.id))


def test_a_character_in_chats_goes_only_with_them(store: Repositories) -> None:
    who = character(store)
    talk = chat(store, who.id)
    say(store, talk.id, "a")
    picture = asset(store, character_id=who.id, tags=[who.id], tag_types={who.id: "CHARACTER"})
    with pytest.raises(ConflictError) as refused:
        store.characters.delete(who.id)
    assert refused.value.details["referrers"] == [{"kind": "chat", "id": talk.id, "field": "characterId"}]
    assert store.characters.delete(who.id, force=True)
    assert store.chats.find_by_id(talk.id) is None
    assert list(store.messages.find_all()) == []
    kept = store.images.get(picture.id)
    assert (kept.character_id, kept.tags) == (None, [])


def test_a_deleted_message_leaves_its_assets_without_it(store: Repositories) -> None:
    talk, other = chat(store), chat(store)
    (message,) = say(store, talk.id, "a")
    twin = store.messages.get(f"{talk.id}/{message}").to_record() | {"chatId": other.id}
    store.messages.import_record(twin)  # a copied chat has the same ids in another log
    mine, theirs = (asset(store, n, chat_id=place.id, message_id=message) for n, place in ((1, talk), (2, other)))
    assert store.messages.delete_message(talk.id, message)
    assert store.images.get(mine.id).message_id is None
    assert store.images.get(theirs.id).message_id == message


def test_a_persona_leaves_chats_and_a_profile_in_use_stays(store: Repositories) -> None:
    me, profile, pictures = (
        persona(store),
        connection(store),
        store.image_profiles.create(name="p", provider="GROK", model_name="m"),
    )
    talk = chat(store, persona_id=me.id, connection_profile_id=profile.id, image_profile_id=pictures.id)
    store.personas.delete(me.id)
    for force in (False, True):
        with pytest.raises(ConflictError):
            store.connections.delete(profile.id, force=force)
    store.image_profiles.delete(pictures.id)
    now = store.chats.get(talk.id)
    assert (now.persona_id, now.image_profile_id, now.connection_profile_id) == (None, None, profile.id)


def test_a_picture_in_use_is_kept_unless_forced(store: Repositories) -> None:
    picture = asset(store)
    who, talk = character(store, default_image_id=picture.id), chat(store)
    event = store.messages.append(talk.id, {"role": "USER", "content": "look", "attachments": [picture.id]})
    writer = character(store, "Writer", description=f"see /blobs/{picture.sha256}")
    with pytest.raises(ConflictError) as refused:
        store.images.delete(picture.id)
    places = {(by["kind"], by["field"]) for by in refused.value.details["referrers"]}  # type: ignore[attr-defined] # a list
    assert places == {("character", "defaultImageId"), ("message", "attachments"), ("character", "mention")}
    assert store.images.delete(picture.id, force=True)
    assert store.characters.get(who.id).default_image_id is None
    assert store.messages.get(f"{talk.id}/{event.to_record()['id']}").to_record()["attachments"] == []
    assert store.characters.get(writer.id) == writer


def test_a_user_and_its_settings_change_together_or_not_at_all(store: Repositories) -> None:
    user = store.users.create(email="a@example.org")
    before = store.chat_settings.of_user(user.id)

    def named(found: Any) -> Any:
        return found.replaced(name="Ada")

    def never(found: Any) -> Any:
        return found.replaced(avatar_display_mode="NEVER")

    def wrong(found: Any) -> Any:
        return found.replaced(avatar_display_mode="SOMETIMES")

    with pytest.raises(InvalidError):
        store.users.edit_with_settings(user.id, named, wrong)
    for stale in ((user.version, "0" * 32), ("0" * 32, before.version)):
        with pytest.raises(StaleError):
            store.users.edit_with_settings(user.id, named, never, if_match=stale)
    assert (store.users.get(user.id), store.chat_settings.of_user(user.id)) == (user, before)
    both = store.users.edit_with_settings(user.id, named, never, if_match=(user.version, before.version))
    assert (both[0].name, both[1].avatar_display_mode) == ("Ada", "NEVER")
    assert both == (store.users.get(user.id), store.chat_settings.of_user(user.id))


def test_a_user_goes_with_all_it_owns_or_not_at_all(store: Repositories) -> None:
    user = store.users.create(email="a@example.org")
    store.accounts.link(user.id, "github", "1")
    store.sessions.create(user_id=user.id, **TOKEN, expires=LATER)
    assert store.chat_settings.of_user(user.id).user_id == user.id
    who = character(store, user_id=user.id)
    profile = connection(store, user_id=user.id)
    talk = chat(store, who.id, user_id=user.id, connection_profile_id=profile.id)
    say(store, talk.id, "a")
    picture = asset(store, user_id=user.id)
    store.characters.set_avatar(who.id, asset_id=picture.id)
    mine = character(store, "Mine")
    with pytest.raises(ConflictError, match="cascade=1"):
        store.users.delete(user.id)
    assert store.users.delete(user.id, force=True)
    left = [store.characters, store.chats, store.images, store.connections, store.accounts, store.sessions]
    assert [found.id for repository in left for found in repository.find_all()] == [mine.id]  # type: ignore[attr-defined] # ids
    assert list(store.messages.find_all()) == []
    assert store.users.find_by_id(user.id) is None
    with pytest.raises(NotFoundError):
        store.chat_settings.of_user(user.id)


def test_a_user_without_records_goes_and_the_first_never(store: Repositories) -> None:
    user = store.users.create(email="a@example.org")
    store.sessions.create(user_id=user.id, **TOKEN, expires=LATER)
    assert store.users.delete(user.id)
    assert list(store.sessions.find_all()) == []
    first = store.users.ensure_first()
    with pytest.raises(ConflictError, match="first user"):
        store.users.delete(first.id, force=True)


# --- Users, sign-in, profiles, keys -----------------------------------------------------------------------------


def test_an_address_is_one_users(store: Repositories) -> None:
    first = store.users.ensure_first()
    with pytest.raises(ConflictError):
        store.users.create(email=first.email)
    assert store.users.find_by_email(first.email) == store.users.get(first.id)
    assert store.users.find_by_email("nobody@example.org") is None


def test_one_default_a_user(store: Repositories) -> None:
    other = store.users.create(email="o@example.org").id
    for repository in (store.connections, store.image_profiles):
        names = [{"name": f"n{n}", "provider": "X", "model_name": "m", "is_default": True} for n in range(3)]
        first, second = (repository.create(**names[n]) for n in (0, 1))
        theirs = repository.create(**names[2], user_id=other)
        mine = first.user_id
        assert repository.find_default(mine) == repository.get(second.id)
        assert repository.set_default(first.id).is_default
        assert [found.id for found in repository.find_by_user_id(mine) if found.is_default] == [first.id]
        assert repository.get(theirs.id).is_default
        repository.edit(first.id, lambda found: found.replaced(is_default=False))
        assert repository.find_default(mine) is None


def test_an_image_profile_and_its_pictures_know_each_other_until_it_goes(store: Repositories) -> None:
    profile = store.image_profiles.create(name="p", provider="GROK", model_name="m")
    first, second = asset(store, 1), asset(store, 2)
    for picture in (first, second):
        store.image_profiles.add_image(profile.id, picture.id)
    assert [found.id for found in store.image_profiles.images(profile.id)] == [first.id, second.id]
    thumbnail = store.image_profiles.thumbnail(profile.id)
    assert thumbnail is not None
    assert thumbnail.id == first.id
    assert [found.id for found in store.image_profiles.find_by_image_id(second.id)] == [profile.id]
    with pytest.raises(ConflictError):
        store.image_profiles.create(name="p", provider="GROK", model_name="m")
    with pytest.raises(ConflictError):
        store.images.delete(first.id)
    store.image_profiles.delete(profile.id)
    assert store.images.get(first.id).image_profile_id is None
    assert store.images.delete(first.id)


def test_a_key_is_sealed_opened_by_one_call_and_shown_by_none(store: Repositories) -> None:
    made = store.api_keys.create(label="l", provider="OPENAI", key="sk-secret")
    stored = store.documents.get("apiKey", made.id)
    assert stored is not None
    assert "sk-secret" not in str(stored.body)
    assert "sk-secret" not in repr(made)
    assert store.api_keys.reveal(made.id).text == "sk-secret"  # type: ignore[union-attr] # it can be opened
    store.api_keys.edit(made.id, lambda found: found.replaced(label="new"))
    store.api_keys.set_key(made.id, "sk-other")
    assert store.api_keys.reveal(made.id).text == "sk-other"  # type: ignore[union-attr] # it can be opened
    after = store.api_keys.replace(made.id, {"label": "again", "provider": "GROK"})
    assert store.api_keys.needs_reentry(after) is None
    for wrong in ({"key": ""}, {}, {"key": "k", "ciphertext": "x"}, {"key": "k", "_keyId": "x"}):
        with pytest.raises(InvalidError):
            store.api_keys.create(label="l", provider="OPENAI", **wrong)
    profile = connection(store, api_key_id=made.id)
    assert [found.id for found in store.connections.find_by_api_key_id(made.id)] == [profile.id]
    store.api_keys.delete(made.id)
    assert store.connections.get(profile.id).api_key_id is None


def test_a_key_that_moves_to_another_user_can_still_be_opened(store: Repositories) -> None:
    other = store.users.create(email="o@example.org").id
    made = store.api_keys.create(label="l", provider="OPENAI", key="sk")
    store.api_keys.edit(made.id, lambda found: found.replaced(_userId=other))
    assert store.api_keys.reveal(made.id, owner=other).text == "sk"  # type: ignore[union-attr] # it can be opened
    assert [found.id for found in store.api_keys.find_by_user_id(other)] == [made.id]


def test_a_value_that_cannot_be_opened_needs_reentry_and_breaks_no_list(store: Repositories) -> None:
    made = store.api_keys.create(label="l", provider="OPENAI", key="sk")
    record = made.to_record() | {"ciphertext": "AAAA"}
    broken = store.api_keys.import_record(record, replace=True)
    assert store.api_keys.needs_reentry(broken) is not None
    assert [found.id for found in store.api_keys.list().items] == [made.id]
    store.api_keys.set_key(made.id, "sk-2")
    assert store.api_keys.needs_reentry(store.api_keys.get(made.id)) is None


def test_an_account_at_a_site_is_one_users(store: Repositories) -> None:
    user = store.users.ensure_first().id
    made = store.accounts.link(user, "github", "42", access_token="secret")  # noqa: S106 - a word for the test
    assert "secret" not in repr(made)
    assert store.accounts.find_by_provider("github", "42") == made
    with pytest.raises(ConflictError):
        store.accounts.link(user, "github", "42")
    assert store.accounts.unlink("github", "42")
    assert not store.accounts.unlink("github", "42")


def test_access_tokens_and_facts_are_there_too(store: Repositories) -> None:
    user = store.users.ensure_first().id
    token, secret = store.access_tokens.issue(user, "t", "read")
    assert store.access_tokens.authenticate(secret) is not None
    assert store.access_tokens.revoke(token.id)
    assert store.facts.note_upload("0" * 64, {"size": 1}).size == 1
