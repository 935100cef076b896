"""The journal's chain of hashes and its signed checkpoints: every record depends on the one before it.

  h(n) = SHA-256(h(n-1) | length and bytes of input, of facts, of each result)

A checkpoint is an Ed25519 signature over (n, h(n)), and so over all records up to n. Needs nothing but the standard
library (and `cryptography` if it is there): a protest bundle carries this file, so that anybody can check it.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from shared.errors import StorageError
from station.store.ed25519 import verify

GENESIS = bytes(32)


@dataclass(frozen=True, slots=True)
class JournalRecord:
    """One stored record, byte for byte."""

    seq: int
    input: bytes
    facts: bytes
    hash: bytes
    results: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The station's signed statement that record `seq` had this hash. `public_key` 32 bytes, `signature` 64 bytes."""

    seq: int
    hash: bytes
    public_key: bytes
    signature: bytes

    @property
    def genuine(self) -> bool:
        """Was the signature made with this key?"""
        return verify(self.public_key, checkpoint_statement(self.seq, self.hash), self.signature)


class Tampered(StorageError):
    """The journal is not what was written; `seq` is the first record that was changed or is missing."""

    def __init__(self, seq: int, sentence: str) -> None:
        super().__init__(sentence)
        self.seq = seq


def digest(previous: bytes, *parts: bytes) -> bytes:
    """The hash (32 bytes) of a record with these parts, after the record that has the hash `previous`."""
    hashed = previous
    for part in parts:
        hashed += len(part).to_bytes(8, "big") + part
    return hashlib.sha256(hashed).digest()


def checkpoint_statement(seq: int, digest_: bytes) -> bytes:
    """The bytes that a checkpoint signs."""
    return b"raceday journal checkpoint 1\n%d\n%s\n" % (seq, digest_.hex().encode())


def check_links(records: Iterable[JournalRecord], seq: int = 0, previous: bytes = GENESIS) -> Iterator[JournalRecord]:
    """Yields the records, each checked against the one before. Raises Tampered at the first that does not follow.

    `seq` and `previous`: the number and hash of the record before the first one.
    """
    for record in records:
        seq += 1
        if record.seq != seq:
            raise Tampered(seq, f"record {seq} is missing: record {record.seq} stands in its place.")
        if digest(previous, record.input, record.facts, *record.results) != record.hash:
            raise Tampered(seq, f"record {seq} was changed after it was written.")
        previous = record.hash
        yield record


def verify_chain(
    records: Iterable[JournalRecord],
    checkpoints: Iterable[Checkpoint],
    tip: Checkpoint | None,
    keys: frozenset[bytes] = frozenset(),
    after: tuple[int, bytes] = (0, GENESIS),
) -> tuple[int, bytes, int]:
    """Follows the chain and checks every signature; returns the last record's number and hash, and how many signatures.

    `tip` was signed with the newest commit: no record may be missing up to it. `keys`: the public keys to trust; if
    empty, any key is accepted, and a forger who signed everything again is not noticed. `after`: the number and hash of
    the record before the first one. Raises Tampered.
    """
    seq, head = after
    signed, count = sorted(checkpoints, key=lambda point: point.seq), 0
    waiting = iter([*signed, *([tip] if tip is not None else [])])
    point = next(waiting, None)
    good = seq  # the newest record under a good signature
    if tip is not None and not signed and point is tip and tip.seq == seq:  # signed before its first record
        _check_point(tip, seq, head, keys, good)
        point = None
        count = 1
    for record in check_links(records, seq, head):
        seq, head = record.seq, record.hash
        while point is not None and point.seq <= seq:
            _check_point(point, seq, head, keys, good)
            good, count, point = seq, count + 1, next(waiting, None)
    if point is not None:
        raise Tampered(seq + 1, f"record {seq + 1} is missing: the station signed {point.seq} records.")
    if (tip is not None or signed) and good != seq:
        raise Tampered(good + 1, f"record {good + 1} bears no signature, though the ones before it do.")
    return seq, head, count


def _check_point(point: Checkpoint, seq: int, head: bytes, keys: frozenset[bytes], good: int) -> None:
    if keys and point.public_key not in keys:
        raise Tampered(
            point.seq, f"the checkpoint at record {point.seq} was signed by a key that is not the station's."
        )
    if not point.genuine:
        raise Tampered(point.seq, f"the checkpoint at record {point.seq} bears a wrong signature.")
    if (point.seq, point.hash) != (seq, head):
        bad = good + 1
        raise Tampered(bad, f"record {bad} or one up to {point.seq} is not what the station signed.")
