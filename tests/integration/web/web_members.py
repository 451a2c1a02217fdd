"""Users of the tests, by key, link and sign-in."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import uuid4


@dataclass(frozen=True)
class Member:
    """A user of the test."""

    name: str
    role: str


@dataclass
class Members:
    """Users by key, by one-time link and by sign-in."""

    keys: dict[str, Member]
    links: dict[str, Member] = field(default_factory=dict)
    sign_ins: dict[str, str] = field(default_factory=dict)

    def user_by_key(self, key: str) -> Member | None:
        return self.keys.get(key)

    def redeem_link(self, token: str) -> Member | None:
        return self.links.pop(token, None)

    def open_sign_in(self, name: str, seconds: float) -> str:
        secret = f"sign-in-{uuid4()}"
        self.sign_ins[secret] = name
        return secret

    def signed_in(self, secret: str) -> Member | None:
        name = self.sign_ins.get(secret)
        return next((member for member in self.keys.values() if member.name == name), None)

    def end_sign_in(self, secret: str) -> None:
        self.sign_ins.pop(secret, None)

    def users(self) -> Sequence[Member]:
        return list({member.name: member for member in (*self.keys.values(), *self.links.values())}.values())


def team() -> Members:
    """One member of each role, whose key is key-NAME and whose links are NAME-1 to NAME-6."""
    roles = {"vic": "viewer", "ana": "analyst", "bo": "buyer", "mia": "manager", "ada": "admin"}
    people = {name: Member(name, role) for name, role in roles.items()}
    links = {f"{name}-{n}": member for name, member in people.items() for n in range(1, 7)}
    return Members({f"key-{name}": member for name, member in people.items()}, links)
