"""The store: tables made once, a single writer, and plain sentences for what is wrong with a file."""

import pathlib
import sqlite3
from importlib.resources import files

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from leaderboard.build import open_board
from leaderboard.store import database
from leaderboard.store.database import Store, migrate, open_readers, open_store
from leaderboard.store.tables import METADATA
from shared.errors import ConfigError, OperatorError, StorageError
from shared.protocol.results import encode_result
from tests.leaderboard.sample_races import race, result
from tests.leaderboard.store.old_boards import check_attempts_of_0005, check_lines_of_0005, make_0005


def test_migrations_make_the_tables_that_the_code_reads(tmp_path: pathlib.Path) -> None:
    store = open_store(tmp_path / "a.db")
    with store.write() as db:
        assert compare_metadata(MigrationContext.configure(db), METADATA) == []
        migrate(db)
        assert compare_metadata(MigrationContext.configure(db), METADATA) == []
        assert db.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert db.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert db.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    store.close()


def test_opening_again_changes_nothing(tmp_path: pathlib.Path) -> None:
    for _ in range(2):
        open_store(tmp_path / "a.db").close()
    newest = max(
        file.name[:4] for file in (files("leaderboard") / "migrations/versions").iterdir() if file.name[0] == "0"
    )
    with sqlite3.connect(tmp_path / "a.db") as db:
        assert db.execute("SELECT version_num FROM alembic_version").fetchall() == [(newest,)]
    db.close()


def test_lines_of_an_older_board_move_to_the_tables_of_their_kinds(tmp_path: pathlib.Path) -> None:
    old = Store(engine := sa.create_engine(f"sqlite:///{tmp_path}/a.db"), engine)
    with old.write() as db:
        make_0005(db)
    old.close()
    store = open_store(tmp_path / "a.db")
    with store.read() as db:
        check_lines_of_0005(db)
        check_attempts_of_0005(db)
    store.close()


def test_a_failed_transaction_leaves_nothing(tmp_path: pathlib.Path) -> None:
    store = open_store(tmp_path / "a.db")

    def fail() -> None:
        with store.write() as db:
            db.execute(sa.text("CREATE TABLE halfway (x)"))
            raise KeyError("on the way")

    with pytest.raises(KeyError):
        fail()
    with store.read() as db:
        assert not sa.inspect(db).has_table("halfway")
    store.close()


def test_readers_cannot_write(tmp_path: pathlib.Path) -> None:
    store = open_store(tmp_path / "a.db")

    def write() -> None:
        with store.read() as db:
            db.execute(sa.text("DELETE FROM races"))

    with pytest.raises(StorageError, match="readonly"):
        write()
    store.close()


def test_a_second_leaderboard_on_the_same_file_is_refused(tmp_path: pathlib.Path) -> None:
    first = open_store(tmp_path / "a.db")
    with pytest.raises(StorageError, match="another leaderboard is using"):
        open_store(tmp_path / "a.db")
    first.close()
    open_store(f"sqlite:///{tmp_path}/a.db").close()


def _not_a_database(folder: pathlib.Path) -> pathlib.Path:
    (folder / "text.db").write_bytes(b"this is no database, it is a text " * 100)
    return folder / "text.db"


def _of_a_newer_leaderboard(folder: pathlib.Path) -> pathlib.Path:
    with sqlite3.connect(folder / "new.db") as db:
        db.execute("CREATE TABLE alembic_version (version_num TEXT)")
        db.execute("INSERT INTO alembic_version VALUES ('9999')")
    db.close()
    return folder / "new.db"


def _below_a_file(folder: pathlib.Path) -> pathlib.Path:
    (folder / "file").write_text("x")
    return folder / "file" / "a.db"


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (_not_a_database, "not a database"),
        (_of_a_newer_leaderboard, "another version of the leaderboard"),
        (_below_a_file, "cannot write there"),
    ],
)
def test_unfit_files_are_told_in_a_sentence(tmp_path: pathlib.Path, make: object, sentence: str) -> None:
    path = make(tmp_path)  # type: ignore[operator]
    with pytest.raises(StorageError, match=sentence) as caught:
        open_store(path)
    assert str(path) in str(caught.value)


def test_a_leaderboard_whose_own_steps_are_missing_blames_no_database(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_store(tmp_path / "a.db").close()
    monkeypatch.setattr(database, "files", lambda _package: tmp_path / "nowhere")
    with pytest.raises(StorageError, match=r"a\.db: it cannot be brought up to date, since .*nowhere/migrations"):
        open_store(tmp_path / "a.db")


@pytest.mark.parametrize("url", ["mysql://host/x", "sqlite://", "sqlite:///:memory:", "://", "postgres ql://"])
def test_unfit_urls_are_told_in_a_sentence(url: str) -> None:
    with pytest.raises(ConfigError, match=r"the store"):
        open_store(url)


def test_a_password_in_the_url_is_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        open_store("mysql://me:geheim@host/x")
    assert "geheim" not in str(caught.value)


def test_reading_what_is_not_there(tmp_path: pathlib.Path) -> None:
    with pytest.raises(OperatorError, match="no such database"):
        open_readers(tmp_path / "none.db")


@pytest.mark.parametrize("how", ["renamed", "deleted", "replaced"])
def test_a_database_that_was_taken_away_is_said_and_nothing_is_acknowledged(tmp_path: pathlib.Path, how: str) -> None:
    path = tmp_path / "b.db"
    board = open_board(path)
    board.create_race(race(), 1)
    posted = result()
    if how == "deleted":
        path.unlink()
    else:
        path.rename(tmp_path / "moved.db")
    if how == "replaced":
        path.write_bytes((tmp_path / "moved.db").read_bytes())
    with pytest.raises(StorageError, match=r"b\.db: is gone: it was moved or deleted"):
        board.apply(posted.webhook_id, encode_result(posted), 2)
    with pytest.raises(StorageError, match="Put it back in its place"):
        board.races()
    assert path.exists() == (how == "replaced")  # no reader made an empty one in its place
    if how == "renamed":
        (tmp_path / "moved.db").rename(path)
        assert board.apply(posted.webhook_id, encode_result(posted), 3).status == 201
        assert [placed.racer for placed in board.standings("cup")] == ["anna"]
    board.close()


@pytest.mark.parametrize("left", [None, b""], ids=["deleted", "emptied"])
def test_a_database_that_was_lost_between_two_starts_is_not_made_anew(
    tmp_path: pathlib.Path, left: bytes | None
) -> None:
    path = tmp_path / "b.db"
    open_store(path).close()
    kept = path.read_bytes()
    path.unlink()
    if left is not None:
        path.write_bytes(left)
    with pytest.raises(StorageError, match="missing or empty, but a leaderboard kept its results here"):
        open_store(path)
    path.write_bytes(kept)
    open_store(path).close()  # it is there again
    path.unlink()
    path.with_name("b.db.lock").unlink()
    open_store(path).close()  # as the sentence says


def test_a_start_that_came_to_nothing_leaves_a_path_that_can_be_used(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "b.db"
    monkeypatch.setattr(database, "files", lambda _package: tmp_path / "nowhere")
    with pytest.raises(StorageError, match="cannot be brought up to date"):
        open_store(path)
    monkeypatch.undo()
    open_store(path).close()


def test_two_pages_of_garbage_are_found_when_the_file_is_opened(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "b.db"
    open_store(path).close()
    whole = path.read_bytes()
    for page in range(2, len(whole) // 4096 - 2, 7):
        path.write_bytes(whole[: page * 4096] + bytes(range(256)) * 32 + whole[(page + 2) * 4096 :])
        with pytest.raises(StorageError, match=r"b\.db: .*(damaged|malformed)"):
            open_store(path)
