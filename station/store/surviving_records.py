"""Finds what survives of a damaged journal: its pages are read, and accepted only as far as chain and signatures go.

A record counts if it and all before it follow each other by their hashes, up to the last one that a good signature
covers: that of a checkpoint, of a commit, or in a result's evidence (which signs the record before its own).
"""

import json
import pathlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.errors import StorageError
from station.core.runs.run_registry import MAX_DIGITS
from station.store.hash_chain import GENESIS, Checkpoint, JournalRecord, digest
from station.store.journal_reader import as_bytes, as_int
from station.store.sqlite_pages import Cell, PageFile

_RUN = re.compile(rb'"run_id":"run-(\d{1,%d})"' % MAX_DIGITS)
_RUN_BYTES = 400  # no record that opens a run is shorter
_KEY_IN_RESULT = re.compile(rb'"public_key":"[0-9a-f]{64}"')
_MAX_RESULTS_TRIED = 20  # with more results in a record, no other versions of them are tried
_HASH, _SIGNATURE = 76, 140  # SQLite's serial types of a blob of 32 and of 64 bytes


@dataclass(slots=True)
class SurvivingJournal:
    """What survives of a damaged journal: its name, its last good record, the results due by then, and its runs.

    `runs`: no run had a higher number, as far as the surviving records show. `bad`: the first record that is not
    valid; 0: all are. `unsigned`: results after the last good record that follow by their hashes, but are not signed.
    """

    journal: str = ""
    seq: int = 0
    head: bytes = GENESIS
    results: list[bytes] = field(default_factory=list)
    runs: int = 0
    reason: str = "the journal was gone"
    bad: int = 0
    unsigned: list[bytes] = field(default_factory=list)

    @property
    def summary(self) -> str:
        """A sentence that says how far the records are good, and why not further."""
        if not self.bad:
            return f"Its {self.seq} records can all be read and are good."
        if not self.seq:
            return self.reason[:1].upper() + self.reason[1:]
        return f"Records up to {self.seq} are good; {self.reason}"


def last_good(path: pathlib.Path, keys: frozenset[bytes]) -> SurvivingJournal:
    """What survives of the journal at `path`, up to the last record that a good signature covers.

    `keys`: the public keys to trust; if empty, any key is accepted.
    """
    try:
        pages = PageFile(path)
    except StorageError as error:
        return SurvivingJournal(reason=str(error))
    try:
        rows = _SurvivingRows(pages, keys)
        surviving = _longest_good_chain(rows, signs=bool(keys) or rows.bears_signatures())
        surviving.runs = _highest_run(rows)
    finally:
        pages.close()
    return surviving


class _SurvivingRows:
    """The rows of all pages, sorted into tables by their column types."""

    def __init__(self, pages: PageFile, keys: frozenset[bytes]) -> None:
        self.pages, self.keys = pages, keys
        self.records: dict[int, list[Cell]] = {}
        self.due: dict[int, dict[int, list[bytes]]] = {}  # by record, then by row of the outbox
        self.signed: dict[int, set[bytes]] = {}
        self.tip = False  # the signature of a commit was found
        for cell in pages.cells():
            self._add_cell(cell)

    def bears_signatures(self) -> bool:
        """Is anything signed? A forger who removes the signatures easily overlooks those in the results."""
        payloads = (payload for rows in self.due.values() for versions in rows.values() for payload in versions)
        return bool(self.signed) or any(map(_KEY_IN_RESULT.search, payloads))

    def candidates(self, seq: int) -> Iterator[JournalRecord]:
        """Every row that could be the record `seq`, the likeliest first."""
        for cell in self.records.get(seq, ()):
            try:
                _, given, facts, hash_ = self.pages.values(cell)
            except ValueError:
                continue
            for results in self._results(seq):
                yield JournalRecord(seq, as_bytes(given), as_bytes(facts), as_bytes(hash_), results)

    def following(self, seq: int, previous: bytes) -> JournalRecord | None:
        """The record `seq` that follows a record with the hash `previous`; None if there is none."""
        for record in self.candidates(seq):
            if digest(previous, record.input, record.facts, *record.results) == record.hash:
                return record
        return None

    def _results(self, seq: int) -> Iterator[tuple[bytes, ...]]:
        """The results that the record may have: as read first, then with one in another version, or left out."""
        rows = [versions for _, versions in sorted(self.due.get(seq, {}).items())]
        results = tuple(versions[0] for versions in rows)
        yield results
        for number, versions in enumerate(rows if len(rows) <= _MAX_RESULTS_TRIED else ()):
            for other in versions[1:]:
                yield (*results[:number], other, *results[number + 1 :])
            yield (*results[:number], *results[number + 1 :])

    def _add_cell(self, cell: Cell) -> None:
        match cell.types:
            case (0, given, facts, hash_) if hash_ == _HASH and _is_blob(given) and _is_blob(facts):
                self.records.setdefault(cell.rowid, []).append(cell)
            case (0, hash_, key, sign) if (hash_, key, sign) == (_HASH, _HASH, _SIGNATURE):
                self._add_signature(cell)
            case (0, seq, hash_, key, sign) if (hash_, key, sign) == (_HASH, _HASH, _SIGNATURE) and _is_int(seq):
                self._add_signature(cell)
            case (0, seq, name, _, payload) if _is_int(seq) and name > 12 and name % 2 and _is_blob(payload):
                self._add_result(cell)

    def _add_signature(self, cell: Cell) -> None:
        try:
            _, *seq, hash_, key, signature = self.pages.values(cell)
        except ValueError:
            return
        number = seq[0] if seq else cell.rowid
        point = Checkpoint(as_int(number), as_bytes(hash_), as_bytes(key), as_bytes(signature))
        if self.accept_signature(point) and seq:
            self.tip = True

    def accept_signature(self, point: Checkpoint) -> bool:
        """Adds a signature if it is the station's; returns whether it is."""
        if point.hash in self.signed.get(point.seq, ()):
            return True  # a log holds the same page many times
        good = point.seq > 0 and (not self.keys or point.public_key in self.keys) and point.genuine
        if good:
            self.signed.setdefault(point.seq, set()).add(point.hash)
        return good

    def _add_result(self, cell: Cell) -> None:
        try:
            _, seq, _, _, payload = self.pages.values(cell)
        except ValueError:
            return
        versions = self.due.setdefault(as_int(seq), {}).setdefault(cell.rowid, [])
        if payload not in versions:
            versions.append(as_bytes(payload))


def _is_blob(kind: int) -> bool:
    return kind >= 12 and kind % 2 == 0


def _is_int(kind: int) -> bool:
    return 1 <= kind <= 6 or kind in (8, 9)


def _longest_good_chain(rows: _SurvivingRows, *, signs: bool) -> SurvivingJournal:
    surviving = SurvivingJournal(reason="no record of it was found wrong")
    seq, head, name, pending = 0, GENESIS, "", list[bytes]()

    def accept_pending() -> None:
        surviving.seq, surviving.head, surviving.journal = seq, head, name
        surviving.results += pending
        pending.clear()

    while (record := rows.following(seq + 1, head)) is not None:
        if record.results and seq and _signed_by_result(rows, record, head):
            accept_pending()
        known = rows.signed.get(record.seq)
        if known is not None and record.hash not in known:
            surviving.bad = surviving.seq + 1
            surviving.reason = f"a record from {surviving.bad} to {record.seq} is not what the station signed."
            return surviving
        seq, head, name = record.seq, record.hash, _name(record) or name
        pending += record.results
        if known is not None or not signs:
            accept_pending()
    surviving.unsigned = pending
    if not rows.records:
        surviving.bad, surviving.reason = 1, "no record in it can be read."
    elif seq < max([*rows.records, *rows.signed]):
        surviving.bad = seq + 1
        surviving.reason = _why(rows, surviving.bad)
    elif surviving.seq < seq:
        surviving.bad = surviving.seq + 1
        surviving.reason = f"record {surviving.bad} bears no signature that can be read."
    return surviving


def _why(rows: _SurvivingRows, bad: int) -> str:
    if next(rows.candidates(bad), None) is None:
        signed = max(rows.signed, default=0)
        return f"record {bad} cannot be read" + (f"; the station signed {signed} records." if signed >= bad else ".")
    return f"record {bad} or a result of it is not whole, or was changed after it was written."


def _signed_by_result(rows: _SurvivingRows, record: JournalRecord, head: bytes) -> bool:
    """Does a result of the record bear a good signature over `head`, the record before it?"""
    for payload in record.results:
        try:
            evidence = json.loads(payload)["evidence"]
            named = evidence["last_seq"] == record.seq and evidence["journal_head"] == head.hex()
            key, signature = bytes.fromhex(evidence["public_key"]), bytes.fromhex(evidence["signature"])
        except (ValueError, LookupError, TypeError, RecursionError):
            continue
        if named and rows.accept_signature(Checkpoint(record.seq - 1, head, key, signature)):
            return True
    return False


def _name(record: JournalRecord) -> str:
    if not record.input.startswith(b'["JournalBegan"'):
        return ""
    return str(json.loads(record.input)[1]["journal"])


def _highest_run(rows: _SurvivingRows) -> int:
    """The highest number that a run can have had: the highest one rows, plus one for each record that is lost.

    Records that are not good count too. If nothing shows how many records there were, the lost ones are estimated from
    the missing pages.
    """
    highest, shown_by, sound = 0, 0, set[int]()
    last, heads = 0, {GENESIS}
    for seq in sorted(rows.records):
        before = heads if seq == last + 1 else set[bytes]()
        last, heads = seq, set[bytes]()
        for record in rows.candidates(seq):
            heads.add(record.hash)
            number = max(map(int, _RUN.findall(record.facts)), default=0)
            if number > highest:
                highest, shown_by = number, seq
            if any(digest(head, record.input, record.facts, *record.results) == record.hash for head in before):
                sound.add(seq)
                break
    newest = max([*sound, *rows.signed], default=0)
    lost = max(0, newest - shown_by - sum(seq > shown_by for seq in sound))
    if not rows.tip:
        lost += rows.pages.absent_pages * (rows.pages.page_bytes // _RUN_BYTES)
    return highest + lost
