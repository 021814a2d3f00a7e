"""The events of chats, one log a chat: messages, summaries and what else stands there, in the order they were written.

Nothing here reads a log as a whole: the index knows where each event's line lies, so an append, a page, an edit and a
delete cost the same in a chat of two hundred messages and in one of two hundred thousand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ..clock import timestamp
from ..documents.contract import put
from ..errors import CalotypeError, InvalidError, NotFoundError
from ..index.query import Query
from ..schemas.events import ChatEvent
from .base import Page, Repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping


Order = Literal["newest", "oldest"]


class MessagesRepository(Repository[ChatEvent]):
    """The events of all chats; each is named by its chat and its own id."""

    model = ChatEvent

    def find(self, chat_id: str, message_id: str) -> ChatEvent | None:
        """Return an event of a chat, None when there is none."""
        return self.find_by_id(key_of(chat_id, message_id))

    def page(
        self,
        chat_id: str,
        *,
        order: Order = "newest",
        limit: int = 50,
        cursor: str | None = None,
        q: str | None = None,
    ) -> Page[ChatEvent]:
        """Return a page of a chat's events, from the newest backwards or from the oldest forwards.

        With `q` they are those that have its words.
        Events that come or go meanwhile make no page repeat or skip another; a cursor outlives the event it names.

        Raises:
            NotFoundError: there is no such chat.
            InvalidError: the limit is not 1 to 500, or the cursor is none that this order gave out.
        """
        self._require_chat(chat_id)
        sort = {"newest": "-seq", "oldest": "seq"}[order]
        return self.list(Query(filter={"chatId": chat_id}, sort=sort, q=q, limit=limit, cursor=cursor))

    def find_by_chat_id(self, chat_id: str) -> Iterator[ChatEvent]:
        """Yield every event of a chat, oldest first, a page in memory at a time.

        Raises:
            NotFoundError: there is no such chat.
        """
        page = self.page(chat_id, order="oldest", limit=500)
        yield from page.items
        while page.next_cursor is not None:
            page = self.page(chat_id, order="oldest", limit=500, cursor=page.next_cursor)
            yield from page.items

    def append(self, chat_id: str, fields: Mapping[str, object]) -> ChatEvent:
        """Write an event at the end of a chat's log: one durable append.

        Args:
            chat_id: the chat.
            fields: its members; `type` is `message` unless given. Id and date are set here.

        Raises:
            NotFoundError: there is no such chat.
            InvalidError: a member is missing, wrong or unknown, or refers to something absent.
        """
        (made,) = self.append_many(chat_id, [fields])
        if isinstance(made, CalotypeError):
            raise made
        return made

    def append_many(self, chat_id: str, events: Iterable[Mapping[str, object]]) -> list[ChatEvent | CalotypeError]:
        """Write events at the end of a chat's log, in order, by one durable append.

        Each is judged for itself; the answer has each one's record, or why it was not written, in order.

        Raises:
            NotFoundError: there is no such chat.
        """
        self._require_chat(chat_id)
        return self.create_many(_of_chat(chat_id, {"type": "message", **fields}) for fields in events)

    def edit_message(
        self,
        chat_id: str,
        message_id: str,
        change: Callable[[ChatEvent], ChatEvent],
        *,
        if_match: str | None = None,
    ) -> ChatEvent:
        """Change an event under its log's lock: one append; it keeps its place, its type and its date.

        Raises:
            NotFoundError, StaleError, InvalidError: as `edit`.
        """
        return self.edit(key_of(chat_id, message_id), change, if_match=if_match)

    def delete_message(self, chat_id: str, message_id: str, *, if_match: str | None = None) -> bool:
        """Remove an event: one append; False when there was none. Assets that belong to it no longer name it.

        Raises:
            StaleError: `if_match` is not its version.
        """
        return self.delete(key_of(chat_id, message_id), if_match=if_match)

    def swipes(self, chat_id: str, message_id: str) -> list[ChatEvent]:
        """Return a message and its alternatives by their index; a message without any is alone.

        Raises:
            NotFoundError: there is no such message.
        """
        message = self.get(key_of(chat_id, message_id))
        group = getattr(message, "swipe_group_id", None)
        return [message] if group is None else self._group(chat_id, str(group))

    def add_swipe(self, chat_id: str, message_id: str, fields: Mapping[str, object]) -> ChatEvent:
        """Write an alternative of a message, which becomes the one that is shown.

        Raises:
            NotFoundError: there is no such message.
            InvalidError: it is no message, or as `append`.
        """
        with self._documents.guard(exclusive=True):
            swipes = self.swipes(chat_id, message_id)
            message = _checked(swipes[0])
            group = getattr(message, "swipe_group_id", None) or self._ids.new()
            last = max(int(getattr(swipe, "swipe_index", None) or 0) for swipe in swipes)
            asked = {"role": message.to_record().get("role"), **fields, "type": "message"}
            new = self._new_record(_of_chat(chat_id, asked)) | {"swipeGroupId": group, "swipeIndex": last + 1}
            new["_chosenAt"] = self._after(swipes)
            changes = [put(self.kind.name, new)]
            if getattr(message, "swipe_group_id", None) is None:
                first = message.replaced(swipe_group_id=group, swipe_index=0).to_record()
                changes.insert(0, put(self.kind.name, first, message.version))
            return self._entity(self._certain(self._documents.apply(changes)[-1]))

    def choose_swipe(self, chat_id: str, message_id: str) -> ChatEvent:
        """Make an alternative the one of its group that is shown: one append.

        The latest choice counts, so nothing need be taken from the one that was shown before, and when the chosen one
        is deleted the choice before it counts again.

        Raises:
            NotFoundError: there is no such message.
            InvalidError: it is no message.
        """
        later = self._after(self.swipes(chat_id, message_id))
        return self.edit(key_of(chat_id, message_id), lambda found: _checked(found).replaced(_chosenAt=later))

    def chosen_swipe(self, chat_id: str, message_id: str) -> ChatEvent:
        """Return the alternative that is shown: the one chosen last, the last one when none was.

        Raises:
            NotFoundError: there is no such message.
        """
        return max(self.swipes(chat_id, message_id), key=lambda swipe: (_chosen_at(swipe), _index(swipe)))

    def _group(self, chat_id: str, group: str) -> list[ChatEvent]:
        query = Query(filter={"chatId": chat_id, "swipeGroupId": group}, sort="seq", limit=500)
        return sorted(self.list(query).items, key=_index)

    def _after(self, swipes: list[ChatEvent]) -> str:
        """Return a time after every choice made in a group so far."""
        latest = max(map(_chosen_at, swipes))
        return self._later_than(latest) if latest else timestamp(self._clock.now())

    def _require_chat(self, chat_id: str) -> None:
        if self._documents.get("chat", chat_id) is None:
            raise NotFoundError(f"There is no chat {chat_id[:80]}.", object=chat_id[:80])


def key_of(chat_id: str, message_id: str) -> str:
    """Return the key of an event: its chat's id and its own."""
    return f"{chat_id}/{message_id}"


def _of_chat(chat_id: str, fields: Mapping[str, object]) -> dict[str, object]:
    return {**{name: value for name, value in fields.items() if name != "chat_id"}, "chatId": chat_id}


def _checked(event: ChatEvent) -> ChatEvent:
    if event.to_record().get("type") != "message":
        raise InvalidError("Only messages have alternatives.", field="type")
    return event


def _chosen_at(event: ChatEvent) -> str:
    return getattr(event, "chosen_at", None) or ""


def _index(event: ChatEvent) -> int:
    return int(getattr(event, "swipe_index", None) or 0)
