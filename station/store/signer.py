"""The station's key, which signs the journal's head when a run ends, and with every commit.

The key is created at the first start and never leaves `station.key` (mode 0600), except in a backup. Its public half is
in every checkpoint and in every result: whoever has one can tell later whether the journal is still the same.
"""

import os
import pathlib
import stat

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.errors import StorageError
from station.store.hash_chain import Checkpoint, checkpoint_statement


class Signer:
    """Signs heads of the journal. `public_key` has 32 bytes."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public_key = key.public_key().public_bytes_raw()

    def sign(self, seq: int, digest: bytes) -> Checkpoint:
        """The signed statement that record `seq` has the hash `digest`."""
        return Checkpoint(seq, digest, self.public_key, self._key.sign(checkpoint_statement(seq, digest)))


def load_signer(path: pathlib.Path) -> Signer:
    """The signer with the key in the file `path`, which is created if there is none. Raises StorageError."""
    try:
        if not path.exists():
            make_key(path)
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise StorageError(f"{path}: other users can read the station's key; run `chmod 600 {path}`.")
        data = path.read_bytes()
    except OSError as error:
        raise StorageError(f"{path}: the station's key cannot be read ({error.strerror}).") from None
    try:
        key = serialization.load_pem_private_key(data, password=None)
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise StorageError(f"{path}: is not an Ed25519 key; put the station's key back, or move the file away.")
    return Signer(key)


def make_key(path: pathlib.Path) -> None:
    """Writes a new key to the file `path`, completely or not at all, never readable by others, and syncs it."""
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, pem)
        os.fsync(file)
    finally:
        os.close(file)
    fresh.replace(path)
