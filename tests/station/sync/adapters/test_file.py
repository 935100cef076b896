"""The driver `file`: one file a result, whole, once, and never outside of its folder."""

import dataclasses
import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ConfigError
from shared.protocol.results import PostAccepted, PostDeferred, PostRejected, encode_result
from station.sync.adapters.file import FileLeaderboard, _file_name
from station.sync.build import leaderboard_of
from station.sync.schedule import OutboxRow
from station.sync.settings import SyncSettings
from tests.station.sync.sample_results import result
from tests.station.sync.test_syncer import drain, syncer


def test_each_revision_is_one_file(tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "out of the way"
    board = leaderboard_of(SyncSettings(folder.as_uri(), driver="file"))
    first, corrected = result(revision=1), result(revision=2, racer="Bo")
    for _ in range(2):
        assert board.post(first) == PostAccepted(10_000, None, 0)
    assert board.post(corrected) == PostAccepted(10_000, None, 0)
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert files == {"race-1.run-1.1.json": encode_result(first), "race-1.run-1.2.json": encode_result(corrected)}
    assert isinstance(board.post(result(revision=1, racer="Other")), PostRejected)
    board.close()


def test_a_run_without_a_score_is_written_too(tmp_path: pathlib.Path) -> None:
    outbox, board = tmp_path / "sync.db", FileLeaderboard((tmp_path / "files").as_uri(), "", {})
    short = dataclasses.replace(result(revision=1), v=2, score_ms=0, qualified=False)
    drain(syncer(outbox, [OutboxRow(1, short.result_id, 1, encode_result(short))], board))
    assert (tmp_path / "files" / "race-1.run-1.1.json").read_bytes() == encode_result(short)
    assert board.post(short) == PostAccepted(None, None, 0)


def test_what_a_disk_can_do(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    assert isinstance(FileLeaderboard((tmp_path / "file").as_uri(), "", {}).post(result()), PostDeferred)


@pytest.mark.parametrize("url", ["https://x", "file://host/x", "file:x", "srv/results", ""])
def test_addresses_that_are_no_folder(url: str) -> None:
    with pytest.raises(ConfigError, match="file:///"):
        FileLeaderboard(url, "", {})


def test_it_has_no_options() -> None:
    with pytest.raises(ConfigError, match="has no options"):
        FileLeaderboard("file:///x", "", {"colour": 1})


@given(st.text(min_size=1, max_size=400), st.integers(1, 2**31))
def test_no_id_leads_out_of_the_folder(result_id: str, revision: int) -> None:
    name = _file_name(result(result_id, revision))
    assert "/" not in name
    assert "\0" not in name
    assert not name.startswith(".")
    assert len(name.encode()) < 255
