"""The whole leaderboard in one file and back: nothing differs, nothing damaged or newer is taken, nothing is lost."""

import gzip
import json
import pathlib
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from leaderboard.commands import league
from leaderboard.exchange.backup.backup_file import BackupReader
from leaderboard.exchange.backup.restoring import checked_backup, restore
from leaderboard.exchange.backup.writing import LEFT_OUT, stored_tables, write_backup
from leaderboard.store.database import Store, migrate, open_store
from leaderboard.store.tables import ACCOUNTS, METADATA, SESSIONS
from shared.errors import BadInput, OperatorError, StorageError
from tests.leaderboard.exchange.boards import NOW, brought, exported, numbered, ranked, rows_of
from tests.leaderboard.exchange.boards import league as league_board
from tests.leaderboard.sample_races import write_config
from tests.leaderboard.store.old_boards import make_0005


def filled(store: Store) -> Store:
    """A store with a board, an account and a session."""
    brought(store, rows_of(*numbered([9000, 9100, 9100])))
    account = {"account_id": "a1", "alias": "ann", "name": "Ann", "created_utc_ns": 1}
    session = {"session_id": "s1", "token_sha256": "x", "account_id": "a1", "browser": "b"}
    with store.write() as db:
        db.execute(ACCOUNTS.insert(), account)
        db.execute(SESSIONS.insert(), session | {"created_utc_ns": 1, "used_utc_ns": 1, "proved_utc_ns": 1})
    return store


def contents(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table that a backup holds."""
    with store.read() as db:
        tables = [table for table in stored_tables(db) if table.name not in LEFT_OUT]
        return {
            table.name: [tuple(row) for row in db.execute(sa.select(table).order_by(*table.primary_key.columns))]
            for table in tables
        }


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, pathlib.Path]]:
    folder = tmp_path_factory.mktemp("backup")
    store = filled(open_store(folder / "a.db"))
    write_backup(store, folder / "a.backup", NOW)
    yield store, folder / "a.backup"
    store.close()


def test_what_is_restored_is_what_was_there(original: tuple[Store, pathlib.Path], tmp_path: pathlib.Path) -> None:
    store, file = original
    reader, counts = checked_backup(file)
    assert set(counts) == {table.name for table in METADATA.sorted_tables} - LEFT_OUT
    other = open_store(tmp_path / "b.db")
    brought(other, rows_of(*numbered([7000])))
    restore(other, reader)
    assert contents(other) == contents(store)
    assert ranked(other) == ranked(store)
    assert exported(other) == exported(store)
    with other.read() as db:
        assert db.execute(sa.select(SESSIONS)).first() is None
    write_backup(other, tmp_path / "b.backup", NOW)
    assert (tmp_path / "b.backup").read_bytes() == file.read_bytes()
    assert stat.S_IMODE((tmp_path / "b.backup").stat().st_mode) == 0o600
    other.close()


def test_nothing_damaged_is_restored(original: tuple[Store, pathlib.Path], tmp_path: pathlib.Path) -> None:
    _, file = original
    whole, damaged = file.read_bytes(), tmp_path / "damaged"
    for at in range(0, len(whole), max(1, len(whole) // 60)):
        damaged.write_bytes(whole[:at])
        with pytest.raises(BadInput, match=r"damaged|no backup"):
            checked_backup(damaged)
        damaged.write_bytes(whole[:at] + bytes([whole[at] ^ 0x20]) + whole[at + 1 :])
        try:
            BackupReader(damaged).check()
        except BadInput:
            continue
        assert at < 10, "a changed byte was not noticed"  # the compression's own head says nothing of the content


@pytest.mark.parametrize("line", [0, 1, 5, -2, -1])
def test_no_line_can_be_left_out_or_changed(
    original: tuple[Store, pathlib.Path], tmp_path: pathlib.Path, line: int
) -> None:
    _, file = original
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    changed = tmp_path / "changed"
    at = line % len(lines)
    for other in (b"", lines[at].replace(b"1", b"2", 1) or b"x", b"[]\n", b"{}\n"):
        if other != lines[at]:
            changed.write_bytes(gzip.compress(b"".join([*lines[:at], other, *lines[at + 1 :]])))
            with pytest.raises(BadInput):
                checked_backup(changed)


def test_a_newer_one_is_refused(original: tuple[Store, pathlib.Path], tmp_path: pathlib.Path) -> None:
    lines = gzip.decompress(original[1].read_bytes()).splitlines(keepends=True)
    newer = tmp_path / "newer"
    for change in ({"raceday_league_backup": 2}, {"revision": "9999"}):
        head = json.dumps(json.loads(lines[0]) | change).encode() + b"\n"
        newer.write_bytes(gzip.compress(b"".join([head, *lines[1:]])))
        with pytest.raises(BadInput, match="newer"):
            checked_backup(newer)


def test_a_restore_that_fails_leaves_everything_as_it_was(
    original: tuple[Store, pathlib.Path], tmp_path: pathlib.Path
) -> None:
    reader, _ = checked_backup(original[1])
    store = open_store(tmp_path / "b.db")
    brought(store, rows_of(*numbered([7000])))
    before = contents(store)
    table = next(each for each in reader.header.tables if each.name == "races")
    object.__setattr__(table, "columns", (*table.columns[:-1], "colour"))
    with pytest.raises(BadInput, match="'races' is not one of this leaderboard's"):
        restore(store, reader)
    assert contents(store) == before
    store.close()


def test_a_backup_of_an_older_version_is_brought_up_to_date(tmp_path: pathlib.Path) -> None:
    old = Store(engine := sa.create_engine(f"sqlite:///{tmp_path}/old.db"), engine)
    with old.write() as db:
        make_0005(db)
    write_backup(old, tmp_path / "old.backup", NOW)
    with old.write() as db:
        migrate(db)
    new = open_store(tmp_path / "new.db")
    restore(new, checked_backup(tmp_path / "old.backup")[0])
    assert contents(new) == contents(old)
    new.close()
    old.close()


def test_a_backup_is_of_one_moment_while_boards_come_in(tmp_path: pathlib.Path) -> None:
    store, files = open_store(tmp_path / "a.db"), [tmp_path / f"{number}.backup" for number in range(3)]
    going_on, written = threading.Event(), threading.Event()

    def bring() -> int:
        boards = 0
        while not going_on.is_set():
            brought(store, rows_of(*numbered([9000, 9100, 9100])), league_board(f"race-{boards}"))
            written.set()
            boards += 1
        return boards

    with ThreadPoolExecutor(1) as pool:
        bringing = pool.submit(bring)
        try:
            for file in files:
                written.clear()
                assert written.wait(30)
                write_backup(store, file, NOW)
        finally:
            going_on.set()
        assert bringing.result() >= len(files)
    for file in files:
        counts = checked_backup(file)[1]
        assert counts["races"] > 0
        assert counts["results"] == counts["lines"] == counts["imported_rows"] == 3 * counts["races"]
    store.close()


def test_the_command_asks_before_it_replaces(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = ["--config", str(write_config(tmp_path))]
    file = tmp_path / "league.backup"
    with pytest.raises(StorageError, match="no such database"):
        league.main(["backup", str(file), *config])
    store = filled(open_store(tmp_path / "leaderboard.db"))
    assert league.main(["backup", str(file), *config]) == 0  # while it is served
    assert "1 race, 3 results" in capsys.readouterr().out
    with pytest.raises(BadInput, match="is there already"):
        league.main(["backup", str(file), *config])
    with pytest.raises(StorageError, match="another leaderboard is using this database"):
        league.main(["restore", str(file), "--yes", *config])
    store.close()
    with pytest.raises(OperatorError, match=r"replaces all that is in .*, which is saved in .* add --yes"):
        league.main(["restore", str(file), *config])
    assert league.main(["restore", str(file), "--yes", *config]) == 0
    aside = next(tmp_path.glob("leaderboard.before-restore-*.backup"))
    assert checked_backup(aside)[1]["results"] == 3
    with pytest.raises(BadInput, match=r"is no backup of a leaderboard|damaged"):
        league.main(["restore", str(tmp_path / "leaderboard.toml"), *config])
