"""What a command keeps is read by its user alone, also where it is started by hand under an open umask."""

import os
import pathlib
import stat
from collections.abc import Iterator

import pytest

from raceday.__main__ import COMMANDS, KEEP_DATA, main
from station.store.opening import open_journal


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def test_the_names_are_those_of_commands() -> None:
    assert (
        {command.words for command in COMMANDS} >= KEEP_DATA >= {"station", "sync", "leaderboard", "vehicle", "backup"}
    )


def test_the_secrets_and_what_lies_beside_them(tmp_path: pathlib.Path) -> None:
    config = tmp_path / "leaderboard.toml"
    config.write_text("")
    assert main(["leaderboard", "init", "--config", str(config)]) == 0
    made = [path for path in tmp_path.rglob("*") if path != config]
    assert len(made) >= 3
    assert [path for path in made if stat.S_IMODE(path.stat().st_mode) & 0o077] == []
    assert os.umask(0) == 0, "it is as it was for whoever called"


def test_a_journal_its_key_and_its_log(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "data"

    def as_a_station(_: list[str]) -> int:
        folder.mkdir()
        journal = open_journal(folder)
        modes.update({path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())})
        journal.close()
        return 0

    modes: dict[str, int] = {}
    monkeypatch.setattr("station.commands.station.main", as_a_station)
    assert main(["station"]) == 0
    assert {"data", "station.db", "station.db-wal", "station.key"} <= set(modes)
    assert {name for name, mode in modes.items() if mode & 0o077} == set()
