"""Begins a new journal for a damaged one: its first record names the old journal and that one's last good record.

The old files are renamed, never changed. Two things are carried over: the count of runs, so that no id is used twice,
and the results that the good part made due, so that those not posted yet still are.
"""

import json
import pathlib
import re

from station.core.engine import Engine
from station.core.inputs import JournalBegan, Moment
from station.core.runs.run_registry import MAX_DIGITS
from station.store.journal import Journal, JournalEntry
from station.store.opening import JOURNAL, KEY, SYNC, is_there, posted_results, signer_of
from station.store.surviving_records import SurvivingJournal, last_good

_RUN = re.compile(rf"(?:.*\.)?run-(\d{{1,{MAX_DIGITS}}})")
_PARTS = ("", "-wal", "-shm")


def salvage(data_dir: pathlib.Path, now: Moment, name: str) -> str:
    """Begins the journal `name` in place of the old one; returns a sentence. Raises StorageError.

    The caller holds the locks of station and sync.
    """
    path = data_dir / JOURNAL
    keys = frozenset({signer_of(data_dir).public_key}) if (data_dir / KEY).exists() else frozenset[bytes]()
    surviving = last_good(path, keys) if is_there(path) else SurvivingJournal()
    surviving.runs = max(surviving.runs, _max_posted_run(data_dir / SYNC))
    fresh = path.with_name(f"{JOURNAL}.new")
    for part in _PARTS:
        fresh.with_name(fresh.name + part).unlink(missing_ok=True)
    began = JournalBegan(
        now, name, surviving.journal, surviving.seq, surviving.head.hex(), surviving.runs, surviving.reason[:500]
    )
    journal = Journal(fresh, signer_of(data_dir))
    try:
        journal.append([JournalEntry(began, Engine().handle(began), carried=tuple(surviving.results))])
    finally:
        journal.close()
    put_aside(data_dir / SYNC)  # it knows of results that the new journal lacks; the others are posted again, with 200
    aside = put_aside(path)
    fresh.replace(path)
    old = f"The old one is now {aside}." if aside is not None else "There was none before it."
    return (
        f"{path}: a new journal, {name}. It goes on after record {surviving.seq} of the old one "
        f"(head {surviving.head.hex()}), with {len(surviving.results)} results of it, and after run-{surviving.runs}."
        f"{_unsigned_sentence(surviving)} {old} Why: {surviving.reason}"
    )


def put_aside(path: pathlib.Path) -> pathlib.Path | None:
    """Renames a database and its log to a free name beside it and returns that; None if there was no database."""
    if not path.exists():
        return None
    number = 1
    while (aside := path.with_name(f"{path.name}.aside-{number}")).exists():
        number += 1
    for part in reversed(_PARTS):  # the log first: a database without its log is not what it was
        source = path.with_name(path.name + part)
        if source.exists():
            source.replace(aside.with_name(aside.name + part))
    return aside


def _max_posted_run(sync: pathlib.Path) -> int:
    """The highest number of a run of which something was posted, which may exceed what is left of the journal."""
    matches = (_RUN.fullmatch(result_id) for result_id, _ in posted_results(sync))
    return max((int(each[1]) for each in matches if each), default=0)


def _unsigned_sentence(surviving: SurvivingJournal) -> str:
    if not surviving.unsigned:
        return ""
    names = ", ".join(str(json.loads(payload).get("result_id")) for payload in surviving.unsigned)
    return f" Not carried over, since no signature of them can be read: {names}."
