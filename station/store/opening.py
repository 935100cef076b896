"""The station's journal and key, opened for a start: whole and ours, or not at all.

Whatever a station signs anew it vouches for. So nothing is shown and nothing is written before every record, every
checkpoint and the newest signature were read and hold; and neither a key nor a journal that is gone is replaced.
"""

import pathlib

from shared.errors import JournalDamaged
from station.store.database import FileDamaged, has_table, open_reading, storage_errors
from station.store.hash_chain import Tampered
from station.store.journal import Journal
from station.store.journal_reader import JournalReader
from station.store.signer import Signer, load_signer, make_key
from station.store.sqlite_pages import PAGE_BYTES
from station.store.verify import VerifiedJournal, verify_journal

JOURNAL = "station.db"
KEY = "station.key"
SYNC = "sync.db"
WAYS_ON = (
    "Nothing was shown, signed or changed. Two ways on: `raceday restore FILE` puts a backup back, `raceday journal "
    "salvage` begins a new journal that names the last good record of this one"
)


def open_journal(data_dir: pathlib.Path) -> Journal:
    """The journal of this folder, made with its key at the first start. Raises JournalDamaged, StorageError."""
    path, key = data_dir / JOURNAL, data_dir / KEY
    if not is_there(path):
        return _first(data_dir)
    if not key.exists():
        return _without_key(data_dir)
    signer = load_signer(key)
    verified = _verified(path, frozenset({signer.public_key}))
    if not verified.signatures:
        raise JournalDamaged(f"{path}: bears no signature, though this station signs all that it writes. {WAYS_ON}.")
    _check_posted(data_dir)
    return Journal(path, signer)


def is_there(path: pathlib.Path) -> bool:
    """Is there anything of a journal? A file that was cut to nothing is none."""
    files = (path, path.with_name(f"{path.name}-wal"))
    return path.exists() and any(file.exists() and file.stat().st_size for file in files)


def _first(data_dir: pathlib.Path) -> Journal:
    """The first start in this folder. Raises JournalDamaged if it is not the first."""
    left = [name for name in (KEY, SYNC) if _tells_of_one(data_dir / name)]
    if left:
        raise JournalDamaged(
            f"{data_dir}: there is no {JOURNAL}, but {' and '.join(left)} of a station that had one. Is the disk that "
            "holds it mounted, was it moved? Put it back; or `raceday restore FILE` puts a backup back, or "
            "`raceday journal salvage` begins a new journal."
        )
    return _born(data_dir / JOURNAL, data_dir / KEY)


def _born(path: pathlib.Path, key: pathlib.Path) -> Journal:
    """The key gets its name last: a start that was cut off here begins again."""
    fresh = key.with_name(f"{key.name}.new")
    fresh.unlink(missing_ok=True)
    make_key(fresh)
    journal = Journal(path, load_signer(fresh))
    try:
        journal.sign_birth()
        fresh.replace(key)
    except BaseException:
        journal.close()
        raise
    return journal


def _tells_of_one(path: pathlib.Path) -> bool:
    """A key was made with a journal. The sync service may be started first: its file tells something once it posted."""
    if not path.exists() or path.name == KEY:
        return path.exists()
    return bool(posted_results(path))


def _check_posted(data_dir: pathlib.Path) -> None:
    """What was posted stands in the journal: one that was cut where it was signed once, or an older copy, shows."""
    reader = JournalReader(data_dir / JOURNAL)
    try:
        known = {(str(result_id), int(str(revision))) for _, _, result_id, revision, _ in reader.outbox()}
    finally:
        reader.close()
    lost = sorted(
        f"{result_id} (revision {n})" for result_id, n in posted_results(data_dir / SYNC) if (result_id, n) not in known
    )
    if lost:
        raise JournalDamaged(
            f"{data_dir / JOURNAL}: lacks {lost[0]}, which was posted: it was cut, or is an older copy. {WAYS_ON}; or "
            f"move {SYNC} away, to go on with this copy as it is."
        )


def posted_results(path: pathlib.Path) -> list[tuple[str, int]]:
    """Every result and revision of which an attempt is kept."""
    if not path.exists():
        return []
    reader = open_reading(path)
    try:
        with storage_errors(path):
            rows = (
                reader.execute("SELECT DISTINCT result_id, revision FROM attempts")
                if has_table(reader, "attempts")
                else ()
            )
            return [(str(result_id), int(str(revision))) for result_id, revision in rows]
    except FileDamaged:
        return []  # the sync service says so itself; a race is timed without it
    finally:
        reader.close()


def _without_key(data_dir: pathlib.Path) -> Journal:
    path, key = data_dir / JOURNAL, data_dir / KEY
    if _never_begun(path):
        return _first(data_dir)
    verified = _verified(path, frozenset())
    signers = sorted({*verified.signers, *_posted_by(path)})
    if not verified.seq:
        return _first(data_dir)
    if signers:
        raise JournalDamaged(
            f"{key}: is missing, but the records of {path.name} were signed by the key {signers[0]}. Put it back from "
            "a backup (`raceday restore FILE`), or begin a new journal with a new key: `raceday journal salvage`."
        )
    make_key(key)  # a journal from before stations signed
    return Journal(path, load_signer(key))


def _never_begun(path: pathlib.Path) -> bool:
    """A first start that was cut off before it made its tables leaves one page, and nothing was ever kept in it."""
    try:
        reader = open_reading(path)
        try:
            with storage_errors(path):
                tables = reader.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        finally:
            reader.close()
    except FileDamaged:
        return False  # which is told by who verifies it
    return tables == (0,) and path.stat().st_size <= PAGE_BYTES


def _posted_by(path: pathlib.Path) -> set[str]:
    """The keys that went out with results: who strips a journal of its signatures forgets them easily."""
    reader = JournalReader(path)
    try:
        return {signer for signer in reader.posted_by() if signer}
    finally:
        reader.close()


def _verified(path: pathlib.Path, keys: frozenset[bytes]) -> VerifiedJournal:
    try:
        return verify_journal(path, keys)
    except (Tampered, FileDamaged) as bad:
        raise JournalDamaged(f"{bad} {WAYS_ON}.") from None


def signer_of(data_dir: pathlib.Path) -> Signer:
    """The key of this folder, made if there is none."""
    if not (data_dir / KEY).exists():
        make_key(data_dir / KEY)
    return load_signer(data_dir / KEY)
