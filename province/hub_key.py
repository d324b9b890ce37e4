"""The hub's own Ed25519 key: it signs what the hub itself says (uploads, closed months, rollups for a higher hub).

The private key is a file of the hub's account alone; several hub processes behind one database share the file. The
public keys ever used are in the database, so that an old signature can be checked for as long as it is kept.
"""

import base64
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
import uuid_utils
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from province.store import Store
from province.tables import hub_key


class HubKeyUnusable(Exception):
    """The key's file cannot be read, or is not one that this hub wrote."""


@dataclass(frozen=True, slots=True)
class HubKey:
    """A private key and the id under which its public key is known."""

    key_id: str
    private: Ed25519PrivateKey

    @classmethod
    def make(cls) -> "HubKey":
        """A new key, known to nobody yet."""
        return cls(str(uuid_utils.uuid7()), Ed25519PrivateKey.generate())

    @classmethod
    def of_file(cls, path: Path) -> "HubKey":
        """The key in the file, made there (mode 0600) when there is none. Raises HubKeyUnusable."""
        try:
            if not path.exists():
                _write(path, cls.make())
            key_id, _, secret = path.read_text("ascii").strip().partition(" ")
            return cls(key_id, Ed25519PrivateKey.from_private_bytes(base64.b64decode(secret, validate=True)))
        except (OSError, ValueError) as error:
            raise HubKeyUnusable(f"hub key: {type(error).__name__}") from None

    @property
    def public_key(self) -> bytes:
        """The raw 32 bytes of the public key."""
        return self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def make_known(self, store: Store) -> None:
        """Put the public key where signatures are checked; doing so again changes nothing."""
        with store.write() as connection:
            store.lock_facility(connection, "hub key")
            if connection.scalar(sa.select(hub_key.c.key_id).where(hub_key.c.key_id == self.key_id)) is None:
                values = {"key_id": self.key_id, "public_key": self.public_key, "created_at": datetime.now(UTC)}
                connection.execute(sa.insert(hub_key).values(values))


def _write(path: Path, key: HubKey) -> None:
    raw = key.private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    part = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{key.key_id} {base64.b64encode(raw).decode()}\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(part, path)  # the first of two processes that start together wins
    except FileExistsError:
        pass
    finally:
        part.unlink()
