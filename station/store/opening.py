"""Opens the station's journal and key at a start, only if the journal is intact and signed by this station.

A station vouches for whatever it signs. So nothing is shown or written before every record, every checkpoint and the
newest signature have been read and found valid, and a missing key or journal of a former station is not replaced.
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
REMEDIES = (
    "Nothing was shown, signed or changed. There are two ways on: `raceday restore FILE` restores a backup, `raceday "
    "journal "
    "salvage` begins a new journal that names the last good record of this one"
)


def open_journal(data_dir: pathlib.Path) -> Journal:
    """Opens the folder's journal; the first start creates journal and key. Raises JournalDamaged, StorageError."""
    path, key = data_dir / JOURNAL, data_dir / KEY
    if not is_there(path):
        return _first(data_dir)
    if not key.exists():
        return _without_key(data_dir)
    signer = load_signer(key)
    verified = _verified(path, frozenset({signer.public_key}))
    if not verified.signatures:
        raise JournalDamaged(f"{path}: bears no signature, though this station signs all that it writes. {REMEDIES}.")
    _check_posted(data_dir)
    return Journal(path, signer)


def is_there(path: pathlib.Path) -> bool:
    """Is there a journal? An empty file is not one."""
    files = (path, path.with_name(f"{path.name}-wal"))
    return path.exists() and any(file.exists() and file.stat().st_size for file in files)


def _first(data_dir: pathlib.Path) -> Journal:
    """Creates journal and key for the first start in this folder. Raises JournalDamaged if it is not the first."""
    left_over = [name for name in (KEY, SYNC) if _shows_former_station(data_dir / name)]
    if left_over:
        raise JournalDamaged(
            f"{data_dir}: there is no {JOURNAL}, but {' and '.join(left_over)} of a station that had one. Was it "
            "moved, or is its disk not mounted? Put it back; or `raceday restore FILE` restores a backup, or `raceday "
            "journal salvage` begins a new journal."
        )
    return _create(data_dir / JOURNAL, data_dir / KEY)


def _create(path: pathlib.Path, key: pathlib.Path) -> Journal:
    """Creates journal and key; the key gets its name last, so that an interrupted start begins again."""
    fresh = key.with_name(f"{key.name}.new")
    fresh.unlink(missing_ok=True)
    make_key(fresh)
    journal = Journal(path, load_signer(fresh))
    try:
        journal.sign_new_journal()
        fresh.replace(key)
    except BaseException:
        journal.close()
        raise
    return journal


def _shows_former_station(path: pathlib.Path) -> bool:
    """Does this file show that a station ran here? A key does; sync.db does once something was posted."""
    if not path.exists() or path.name == KEY:
        return path.exists()
    return bool(posted_results(path))


def _check_posted(data_dir: pathlib.Path) -> None:
    """Raises JournalDamaged if the journal lacks a posted result: it was cut at a signature, or is an old copy."""
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
            f"{data_dir / JOURNAL}: lacks {lost[0]}, which was posted: it was cut, or is an older copy. {REMEDIES}; or "
            f"move {SYNC} away, to continue with this copy as it is."
        )


def posted_results(path: pathlib.Path) -> list[tuple[str, int]]:
    """The id and revision of each result that sync has tried to post, from its database at `path`.

    Empty if there is no such file, or it is damaged.
    """
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
        return []  # the sync service reports this itself; a race is timed without it
    finally:
        reader.close()


def _without_key(data_dir: pathlib.Path) -> Journal:
    """Opens a journal whose key is missing, if nothing in it was signed yet. Raises JournalDamaged otherwise."""
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
    """Was the first start cut off before it created its tables? Then the file has at most one page and no table."""
    try:
        reader = open_reading(path)
        try:
            with storage_errors(path):
                tables = reader.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        finally:
            reader.close()
    except FileDamaged:
        return False  # reported when it is verified
    return tables == (0,) and path.stat().st_size <= PAGE_BYTES


def _posted_by(path: pathlib.Path) -> set[str]:
    """The keys in the results' evidence, which a forger who removes a journal's signatures easily overlooks."""
    reader = JournalReader(path)
    try:
        return {signer for signer in reader.posted_by() if signer}
    finally:
        reader.close()


def _verified(path: pathlib.Path, keys: frozenset[bytes]) -> VerifiedJournal:
    try:
        return verify_journal(path, keys)
    except (Tampered, FileDamaged) as bad:
        raise JournalDamaged(f"{bad} {REMEDIES}.") from None


def signer_of(data_dir: pathlib.Path) -> Signer:
    """The signer with this folder's key, which is created if there is none. Raises StorageError."""
    if not (data_dir / KEY).exists():
        make_key(data_dir / KEY)
    return load_signer(data_dir / KEY)
