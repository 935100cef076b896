"""Posting pauses and goes on; nothing is sent meanwhile, and officials are told."""

import pathlib
import random

import pytest

from shared.protocol.results import PostAccepted, PostOutcome, Result
from station.commands import sync as command
from station.sync.attempts import AttemptStore
from station.sync.operator import pause
from station.sync.operator.status import SyncStatusReader
from station.sync.syncer import Syncer
from tests.station.commands.test_sync import configured
from tests.station.sync.sample_results import row
from tests.station.sync.test_syncer import Rows


class _Counting:
    def __init__(self) -> None:
        self.posts = 0

    def post(self, result: Result) -> PostOutcome:
        self.posts += 1
        return PostAccepted(result.score_ms, 1, 1)

    def close(self) -> None:
        """Has nothing open."""


def test_nothing_is_sent_while_paused(tmp_path: pathlib.Path) -> None:
    board, attempts = _Counting(), AttemptStore(tmp_path / "sync.db")
    sync = Syncer(
        Rows([row(1)]),
        attempts,
        board,
        random.Random(1),
        lambda: 7,
        lambda _sentence: None,
        paused=lambda: pause.pause_of(tmp_path) is not None,
    )
    assert pause.pause(tmp_path, "Ann", 5) == pause.SyncPause(5, "Ann")
    assert pause.pause(tmp_path, "Bo", 9) == pause.SyncPause(5, "Ann")
    assert sync.step(0) is None
    assert (board.posts, sync.waiting) == (0, 1)
    reader = SyncStatusReader(tmp_path)
    assert reader.view(1).sentence == "Posting is paused by Ann: results wait on this station's disk."
    assert pause.resume(tmp_path)
    assert not pause.resume(tmp_path)
    sync.step(0)
    assert (board.posts, sync.waiting) == (1, 0)
    assert "paused" not in reader.view(1).sentence
    reader.close()
    attempts.close()


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'["a", "b"]', b"\xff", b"[" * 100_000])
def test_a_damaged_pause_is_a_pause(tmp_path: pathlib.Path, content: bytes) -> None:
    (tmp_path / pause.PAUSE_FILE).write_bytes(content)
    assert pause.pause_of(tmp_path) == pause.SyncPause()


def test_the_commands(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = configured(tmp_path, "https://board.example", 2)

    def said(*arguments: str) -> tuple[int, str]:
        code = command.main([*arguments, "--config", str(config)])
        return code, capsys.readouterr().out

    assert said("pause")[0] == 0
    assert "is paused by " in said("status", "--offline")[1]
    assert said("--once")[0] == 1
    assert "once posting goes on" in said("send")[1]
    assert said("resume") == (0, "Posting goes on.\n")
    code, text = said("status", "--offline")
    assert code == 0
    assert text == (
        "The sync service is not running: results wait on this station's disk.\n"
        "2 due, 0 posted, 2 waiting, 0 rejected; the sync service does not run.\n"
    )
    assert '"waiting": 2' in said("status", "--offline", "--json")[1]
