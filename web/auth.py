"""Who asks, and what their role allows."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Protocol

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from tools.domain.errors import BadInput, NotAllowed
from web.errors import SignInNeeded


class Person(Protocol):
    """A user: a name and one role."""

    @property
    def name(self) -> str:
        """Unique name."""
        ...

    @property
    def role(self) -> str:
        """viewer, analyst, buyer, manager or admin."""
        ...


class UserStore(Protocol):
    """Users by key, by one-time link, by the sign-in of a browser, and all of them."""

    def user_by_key(self, key: str) -> Person | None:
        """Whose key this is."""
        ...

    def redeem_link(self, token: str) -> Person | None:
        """The user of a one-time link, which is used up by this."""
        ...

    def open_sign_in(self, name: str, seconds: float) -> str:
        """A secret that stands for the user until it expires or is ended."""
        ...

    def signed_in(self, secret: str) -> Person | None:
        """The user for whom a sign-in stands, as they are now."""
        ...

    def end_sign_in(self, secret: str) -> None:
        """Sign out."""
        ...

    def users(self) -> Sequence[Person]:
        """Every user."""
        ...


ANYONE = ("viewer", "analyst", "buyer", "manager", "admin")
ROLES_FOR: Mapping[str, tuple[str, ...]] = {
    "read": ANYONE,
    "ask": ANYONE[1:],
    "plan": ANYONE[1:],
    "observe": ANYONE[1:],
    "decide": ANYONE[2:],
    "estimates": ANYONE[1:],
    "halt": ANYONE[2:],
    "resume": ANYONE[3:],
    "rollback": ANYONE[3:],
    "import": ANYONE[4:],
    "give_alert": ANYONE[4:],
    "one_person": ANYONE[4:],
    "backup": ANYONE[4:],
}
"""Action to the roles that may do it. Who may sign one order is decided by its tier, by the session."""
OWNER = "local-owner"
"""Name behind the key that a server leaves in its home folder for the command line beside it."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whoever can read the home folder of the installation: acts under any name, as a local session does."""

    name: str = OWNER
    role: str = "admin"


@dataclass(frozen=True, slots=True)
class WithOwner:
    """A user store that also knows the key of the installation's owner."""

    store: UserStore
    owner_key: str

    def user_by_key(self, key: str) -> Person | None:
        """The owner for the owner's key, else whoever the store knows."""
        if hmac.compare_digest(key.encode(), self.owner_key.encode()):
            return Owner()
        return self.store.user_by_key(key)

    def redeem_link(self, token: str) -> Person | None:
        """As the store says."""
        return self.store.redeem_link(token)

    def open_sign_in(self, name: str, seconds: float) -> str:
        """As the store does."""
        return self.store.open_sign_in(name, seconds)

    def signed_in(self, secret: str) -> Person | None:
        """As the store says."""
        return self.store.signed_in(secret)

    def end_sign_in(self, secret: str) -> None:
        """As the store does."""
        self.store.end_sign_in(secret)

    def users(self) -> Sequence[Person]:
        """As the store says."""
        return self.store.users()


def refusal(person: Person, action: str) -> str:
    """Why this person may not do this, in a sentence; empty when they may."""
    roles = ROLES_FOR[action]
    if person.role in roles:
        return ""
    return f"Your role is {person.role}; this needs {' or '.join(roles)}."


def require(person: Person, action: str) -> None:
    """NotAllowed unless the person's role allows the action."""
    reason = refusal(person, action)
    if reason:
        raise NotAllowed(reason, remedy="Ask an admin for the role.", user=person.name, action=action)


def file_named_by(person: Person, file: str) -> str:
    """The file of the server's machine that was named, by its whole path; NotAllowed unless the owner named it."""
    if file and not isinstance(person, Owner):
        raise NotAllowed(
            "Only the command line beside the server may say where a file is written.",
            remedy="Leave the file out: it comes into the home's own folder.",
            user=person.name,
        )
    if file and not Path(file).is_absolute():
        raise BadInput(f"{file} is not a whole path.", remedy="Name the file with its folder, from the root on.")
    return file


def acting_name(person: Person, claimed: str) -> str:
    """In whose name a request acts: the key's user; only the owner's key may say another name."""
    return claimed or person.name if isinstance(person, Owner) else person.name


BEARER = HTTPBearer(auto_error=False, description="A user's key, as `jit user` prints it once.")


def signed_in(request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)]) -> Person:
    """The person whose bearer key came with the request; SignInNeeded when nobody holds it."""
    users: UserStore = request.app.state.users
    found = users.user_by_key(given.credentials) if given else None
    if found is None:
        raise SignInNeeded(
            "This needs the key of a user." if given is None else "Nobody holds this key.",
            remedy="Send `Authorization: Bearer KEY`; `jit user NAME` makes a key.",
        )
    return found


Asker = Annotated[Person, Depends(signed_in)]
"""Declares a route's parameter as the person who asks."""
