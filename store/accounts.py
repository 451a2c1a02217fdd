"""Users and their keys, flags of the installation, and the stored conversation."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text

from store.database import Database, to_json
from tools.domain.errors import BadInput, Conflict, NotFound
from tools.domain.names import may_be_taken_for

ROLES = ("viewer", "analyst", "buyer", "manager", "admin")
SIGNING_ROLES = ROLES[2:]
ONE_PERSON = "one_person"
"""Flag: who said that the installation has one person."""


@dataclass(frozen=True, slots=True)
class User:
    """Someone who may act, in one of `ROLES`."""

    name: str
    role: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    conversation: str
    role: str
    text: str
    payload: Mapping[str, Any]
    at: datetime


class Accounts(Database):
    """Users by key, one-time link or sign-in. Only hashes of their secrets are stored."""

    def add_user(self, name: str, role: str) -> str:
        """Add a user and return the key, which is shown this once.

        Conflict when the name is taken, or could be taken for another user's: they are one person to who reads it.
        """
        if role not in ROLES:
            raise BadInput(f"{role!r} is no role.", remedy=f"Use one of {', '.join(ROLES)}.")
        alike = [user.name for user in self.users() if may_be_taken_for(user.name, name)]
        if alike and name not in alike:
            raise Conflict(
                f"{name} looks like the user {alike[0]}.", remedy="Choose a name that tells them apart.", name=name
            )
        key = f"jit_{secrets.token_urlsafe(32)}"
        added = self._change(
            "INSERT INTO users (name, role, key_hash, created_at) VALUES (:name, :role, :hash, :at)"
            " ON CONFLICT DO NOTHING",
            {"name": name, "role": role, "hash": _digest(key), "at": self._now()},
        )
        if not added:
            raise Conflict(f"There is a user {name} already.", remedy="Choose another name.", name=name)
        return key

    def user_by_key(self, key: str) -> User | None:
        """Whose key this is."""
        query = text("SELECT name, role, created_at FROM users WHERE key_hash = :hash")
        with self._read() as connection:
            row = connection.execute(query, {"hash": _digest(key)}).first()
        return None if row is None else User(row.name, row.role, datetime.fromisoformat(row.created_at))

    def users(self) -> list[User]:
        """Every user by name."""
        with self._read() as connection:
            found = connection.execute(text("SELECT name, role, created_at FROM users ORDER BY name"))
            return [User(row.name, row.role, datetime.fromisoformat(row.created_at)) for row in found]

    def issue_link(self, name: str, seconds: float) -> str:
        """A token that signs the user in once within `seconds`."""
        if all(user.name != name for user in self.users()):
            raise NotFound(f"There is no user {name}.", remedy="Add the user first.", name=name)
        token = secrets.token_urlsafe(32)
        self._change(
            "INSERT INTO links (token_hash, name, expires_at, redeemed) VALUES (:hash, :name, :expires, 0)",
            {"hash": _digest(token), "name": name, "expires": self._epoch() + seconds},
        )
        return token

    def redeem_link(self, token: str) -> User | None:
        """The user of an unexpired, unused token, which is used up by this."""
        redeem = text(
            "UPDATE links SET redeemed = 1 WHERE token_hash = :hash AND redeemed = 0 AND expires_at >= :now"
            " RETURNING name"
        )
        with self._write() as connection:
            row = connection.execute(redeem, {"hash": _digest(token), "now": self._epoch()}).first()
        return None if row is None else next((user for user in self.users() if user.name == row.name), None)

    def open_sign_in(self, name: str, seconds: float) -> str:
        """A secret that stands for the user until it expires or is ended; what expired is forgotten."""
        secret, now = secrets.token_urlsafe(32), self._epoch()
        with self._write() as connection:
            connection.execute(text("DELETE FROM sign_ins WHERE expires_at < :now"), {"now": now})
            connection.execute(
                text("INSERT INTO sign_ins (token_hash, name, expires_at) VALUES (:hash, :name, :expires)"),
                {"hash": _digest(secret), "name": name, "expires": now + seconds},
            )
        return secret

    def signed_in(self, secret: str) -> User | None:
        """The user for whom a sign-in stands, as they are now; None when it expired or was ended."""
        query = text(
            "SELECT users.name, users.role, users.created_at FROM sign_ins JOIN users ON users.name = sign_ins.name"
            " WHERE token_hash = :hash AND expires_at >= :now"
        )
        with self._read() as connection:
            row = connection.execute(query, {"hash": _digest(secret), "now": self._epoch()}).first()
        return None if row is None else User(row.name, row.role, datetime.fromisoformat(row.created_at))

    def end_sign_in(self, secret: str) -> None:
        """Sign out: nothing stands for the user under this secret any more."""
        self._change("DELETE FROM sign_ins WHERE token_hash = :hash", {"hash": _digest(secret)})


class Notes(Accounts):
    """Named flags of the installation (such as `halted`) and stored conversations."""

    def signers(self) -> list[str]:
        """Users whose role may sign orders."""
        return [user.name for user in self.users() if user.role in SIGNING_ROLES]

    def of_one_person(self) -> bool:
        """Whether somebody said that this installation has one person, and no second signer was added since."""
        return bool(self.flag(ONE_PERSON)) and len(self.signers()) <= 1

    def set_flag(self, name: str, value: object) -> None:
        """Store a JSON-able value under a name."""
        self._change(
            "INSERT INTO flags (name, value) VALUES (:name, :value)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            {"name": name, "value": to_json(value)},
        )

    def flag(self, name: str) -> Any:
        """The value stored under a name, or None."""
        with self._read() as connection:
            row = connection.execute(text("SELECT value FROM flags WHERE name = :name"), {"name": name}).first()
        return None if row is None else orjson.loads(row.value)

    def add_message(self, conversation: str, role: str, text: str, payload: Mapping[str, Any] | None = None) -> None:
        """Append a turn."""
        self._change(
            "INSERT INTO messages (conversation, role, body, payload, at)"
            " VALUES (:conversation, :role, :body, :payload, :at)",
            {
                "conversation": conversation,
                "role": role,
                "body": text,
                "payload": to_json(payload or {}),
                "at": self._now(),
            },
        )

    def messages(self, conversation: str = "main", limit: int = 200) -> list[Message]:
        """The latest ones, oldest first."""
        query = text("SELECT * FROM messages WHERE conversation = :conversation ORDER BY id DESC LIMIT :limit")
        with self._read() as connection:
            rows = list(connection.execute(query, {"conversation": conversation, "limit": limit}))
        return [
            Message(row.conversation, row.role, row.body, orjson.loads(row.payload), datetime.fromisoformat(row.at))
            for row in reversed(rows)
        ]


def _digest(secret: str) -> str:
    """Keys carry 256 random bits, so a plain hash is enough: there is nothing to guess from a dictionary."""
    return hashlib.sha256(secret.encode()).hexdigest()
