"""Checks a whole journal: its hash chain, its signatures and its own tables. At each start, and by `journal verify`."""

import json
import pathlib
from collections.abc import Sequence
from dataclasses import dataclass

from station.store.database import FileDamaged
from station.store.hash_chain import Checkpoint, Tampered, verify_chain
from station.store.journal_reader import JournalReader
from station.store.surviving_records import last_good


@dataclass(frozen=True, slots=True)
class VerifiedJournal:
    """A journal's last record and its hash, how many signatures it bears, and the keys (hexadecimal) that made them."""

    seq: int
    head: bytes
    signatures: int
    signers: tuple[str, ...]


def verify_journal(path: pathlib.Path, keys: frozenset[bytes] = frozenset()) -> VerifiedJournal:
    """Checks every record and every signature of the journal at `path`. `keys`: those to trust; if empty, any key.

    Raises Tampered or FileDamaged that name the first bad record, or another StorageError.
    """
    try:
        return _verified(path, keys)
    except FileDamaged as damaged:
        raise FileDamaged(f"{damaged} {last_good(path, keys).summary}") from None


def _verified(path: pathlib.Path, keys: frozenset[bytes]) -> VerifiedJournal:
    reader = JournalReader(path)
    try:
        points, tip = reader.checkpoints(), reader.tip()
        seq, head, count = verify_chain(reader.records(), points, tip, keys)
        _check_end(points, tip, seq)
        _check_outbox(reader, seq)
        reader.check_file()
    except Tampered as bad:
        raise Tampered(bad.seq, f"{path}: {bad}") from None
    finally:
        reader.close()
    signers = sorted({point.public_key.hex() for point in [*points, *([tip] if tip is not None else [])]})
    return VerifiedJournal(seq, head, count, tuple(signers))


def _check_end(points: Sequence[Checkpoint], tip: Checkpoint | None, last: int) -> None:
    """Raises Tampered if only the newest commit's signature is missing: the journal may be cut at a checkpoint."""
    if points and tip is None:
        raise Tampered(last + 1, f"record {last + 1} may be missing: the signature of the newest commit is gone.")


def _check_outbox(reader: JournalReader, last: int) -> None:
    """Raises Tampered if an outbox row belongs to no record, or differs from the payload that the chain covers."""
    for number, (seq, journal_seq, result_id, revision, payload) in enumerate(reader.outbox(), 1):
        at = journal_seq if isinstance(journal_seq, int) else last
        if seq != number or not 1 <= at <= last:
            raise Tampered(min(max(at, 1), last + 1), f"the outbox row {seq} belongs to no record of the journal.")
        if (result_id, revision) != _named(payload):
            raise Tampered(at, f"the result of record {at} was changed after it was written.")


def _named(payload: bytes) -> tuple[object, object]:
    try:
        document = json.loads(payload)
        return document["result_id"], document["revision"]
    except (ValueError, TypeError, KeyError):
        return None, None
