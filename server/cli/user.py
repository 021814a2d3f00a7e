"""`calotype user`: who may sign in, with which password, as what."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from metadata.errors import ConflictError, InvalidError, NotFoundError
from metadata.passwords import Passwords
from metadata.schemas.enums import UserRole

from ..signin import SignIn
from ..throttle import Throttle
from .options import AsJson, DataDir
from .output import Output
from .places import open_folder

if TYPE_CHECKING:
    import calotype
    from metadata.schemas.users import User

_LONGEST_LINE = 4096

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The user's address.")]
Name = Annotated[str, typer.Option("--name", help="What the user is called.")]
TheRole = Annotated[UserRole, typer.Option("--role", help="An admin sees and may do everything.")]
NewRole = Annotated[UserRole, typer.Argument(metavar="ROLE", help="admin or user.")]


def group() -> typer.Typer:
    """Return the group of these commands."""
    app = typer.Typer(rich_markup_mode=None, help="Make and list users, set their passwords and roles.")
    for command in (create, passwd, ls, role):
        app.command()(command)
    return app


def create(
    email: Email,
    *,
    name: Name = "",
    role: TheRole = UserRole.USER,
    data_dir: DataDir = None,
    as_json: AsJson = False,
) -> None:
    """Make a user, who can sign in once a password is set."""
    output = Output(as_json=as_json)
    with open_folder(data_dir, output) as store:
        named = {"name": name} if name else {}
        user = store.users.create(email=email, role=role, **named)
    if as_json:
        output.document(_wire(user))
    else:
        output.line(f"Made {email} ({user.id}). Next: calotype user passwd {email}")


def passwd(email: Email, *, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Set a user's password and end all its sessions.

    It is asked for, or read from the first line of standard input if that is no terminal.
    """
    output = Output(as_json=as_json)
    with open_folder(data_dir, output) as store:
        user = _user(store, email)
        inside = store.inside
        sign_in = SignIn(store.users, store.sessions, Passwords(), Throttle(inside.clock), inside.clock)
        sign_in.set_password(user.id, _typed())
    if as_json:
        output.document({"id": user.id})
    else:
        output.line(f"{email} has a new password.")


def ls(*, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """List the users."""
    output = Output(as_json=as_json)
    with open_folder(data_dir, output) as store:
        first = store.inside.owner.id
        users = list(store.users.find_all())
    if as_json:
        output.document({"items": [_wire(user, first) for user in users]})
        return
    rows = [(user.id, user.email, user.name or "", _role(user, first), _password(user)) for user in users]
    output.table(("id", "email", "name", "role", "password"), rows)


def role(email: Email, new: NewRole, *, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Make a user an admin, or an admin a user."""
    output = Output(as_json=as_json)
    with open_folder(data_dir, output) as store:
        user = _user(store, email)
        if user.id == store.inside.owner.id and new is not UserRole.ADMIN:
            raise ConflictError("The first user owns the store and stays an admin.", existing=user.id)
        user = store.users.edit(user.id, lambda current: current.replaced(role=new))
    if as_json:
        output.document(_wire(user))
    else:
        output.line(f"{email} is {'an admin' if new is UserRole.ADMIN else 'a user'} now.")


def _user(store: calotype.LocalStore, email: str) -> User:
    user = store.users.find_by_email(email)
    if user is None:
        raise NotFoundError(f"There is no user {email}; `calotype user ls` lists them.", object=email)
    return user


def _typed() -> str:
    """Return the password: never from the arguments, where every process of the machine could read it."""
    if not sys.stdin.isatty():
        line = sys.stdin.readline(_LONGEST_LINE)
        return line.removesuffix("\n").removesuffix("\r")
    password = getpass.getpass("New password: ")
    if getpass.getpass("Again: ") != password:
        raise InvalidError("The two are not the same; nothing was changed.", field="password")
    return password


def _role(user: User, first: str) -> str:
    return (user.role or (UserRole.ADMIN if user.id == first else UserRole.USER)).value


def _password(user: User) -> str:
    if user.password_hash is None:
        return "none"
    return "and a second factor" if user.totp is not None and user.totp.enabled else "set"


def _wire(user: User, first: str = "") -> dict[str, object]:
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "role": _role(user, first),
        "password": user.password_hash is not None,
        "createdAt": user.created_at,
    }
