"""The farm beside a server: its key lives as long as the server, and the process is started again when it ends."""

import os
import pathlib
import signal
import sys
import time
from importlib.util import find_spec

import pytest

from leaderboard import cli
from leaderboard.accounts.keys import ApiKeys
from leaderboard.build import open_board
from leaderboard.commands import served_farm
from leaderboard.commands.served_farm import KEY_NAME, ServedFarm, farm_command
from leaderboard.core.access import ADMIN
from shared.access.tokens import token_hash
from shared.errors import HardwareMissing
from tests.leaderboard import sample_races

# Writes its process id and its key, and goes on until its input is closed.
_FARM = """
import os, sys
with open(sys.argv[1], "w") as written:
    written.write(f"{os.getpid()} {os.environ['RACEDAY_KEY']}")
sys.stdin.read()
"""


def test_it_lives_as_long_as_the_server_and_so_does_its_key(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served_farm, "_LONGEST_S", 0.0)
    board, pipe = open_board(tmp_path / "board.db"), tmp_path / "pipe"
    os.mkfifo(pipe)
    keys = ApiKeys(board.store)
    killed = ServedFarm(board.store, ("true",), time.time_ns)
    monkeypatch.setattr(killed._thread, "start", lambda: None)  # a server that was killed: only its key is left
    killed.start()
    [left] = keys.list(ADMIN)
    assert (left.name, left.scopes, left.races, left.revoked_utc_ns) == (KEY_NAME, ("farm",), (), None)

    farm = ServedFarm(board.store, (sys.executable, "-S", "-c", _FARM, str(pipe)), time.time_ns)
    farm.start()
    before, key = pipe.read_text().split()
    os.kill(int(before), signal.SIGKILL)
    after, same = pipe.read_text().split()
    assert (before != after, key) == (True, same), "it is started again"
    held = {each.key_id: each.holds(time.time_ns()) for each in keys.list(ADMIN)}
    assert sorted(held.values()) == [False, True]
    assert not held[left.key_id]
    assert token_hash(key) not in repr(keys.list(ADMIN))

    farm.stop()
    farm.stop()
    farm.wait()
    with pytest.raises(ProcessLookupError):
        os.kill(int(after), 0)
    assert not any(each.holds(time.time_ns()) for each in keys.list(ADMIN))
    board.close()


def test_how_it_is_started_and_where_it_cannot_be(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = farm_command("http://127.0.0.1:8090", 3)
    assert words[1:6] == ("-m", "raceday", "farm", "--server", "http://127.0.0.1:8090")
    assert words[-2:] == ("--jobs", "3")
    assert "--jobs" not in farm_command("http://127.0.0.1:8090", 0)
    monkeypatch.setattr(served_farm, "find_spec", lambda name: None if name == "numba" else find_spec(name))
    config = sample_races.write_config(tmp_path)
    with pytest.raises(
        HardwareMissing, match=r"needs numba: install the extras with `pip install 'raceday\["
    ) as missing:
        cli.main(["--config", str(config), "--farm"])
    assert missing.value.exit_code == 2
