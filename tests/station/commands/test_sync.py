"""`raceday sync` as a process: posts, waits, survives `kill -9`, and says what is wrong in one sentence."""

import argparse
import os
import pathlib
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import apsw
import pytest

from shared.clock import SystemClock
from shared.config import load
from shared.files import is_locked
from station.commands.sync import run_always
from station.config import StationConfig
from station.store.recovery.restoring import PLAN
from station.sync.attempts import AttemptStore
from tests.station.sync.fault_server import SECRET, running_peer
from tests.station.sync.sample_results import row

CONFIG = """
data_dir = "{folder}/data"
[[gate]]
name = "start"
driver = "mock"
[sync]
leaderboard_url = "{url}"
secret_file = "{folder}/secret"
[sync.options]
read_timeout_s = 5
"""


def configured(folder: pathlib.Path, url: str, rows: int) -> pathlib.Path:
    """Writes a station.toml, its secret, and a station.db with this many results due."""
    (folder / "data").mkdir()
    (folder / "secret").write_text(SECRET + "\n")
    (folder / "secret").chmod(0o600)
    (folder / "station.toml").write_text(CONFIG.format(folder=folder, url=url))
    add_rows(folder, range(1, rows + 1))
    return folder / "station.toml"


def add_rows(folder: pathlib.Path, seqs: range) -> None:
    db = apsw.Connection(str(folder / "data" / "station.db"))
    db.pragma("journal_mode", "wal")
    db.execute("CREATE TABLE IF NOT EXISTS outbox (seq INTEGER PRIMARY KEY, result_id, revision, payload)")
    for seq in seqs:
        r = row(seq, f"race-1.run-{seq}")
        db.execute("INSERT INTO outbox VALUES (?, ?, ?, ?)", (r.seq, r.result_id, r.revision, r.payload))
    db.close()


COMMAND = [sys.executable, "-m", "raceday", "sync", "--config"]


@contextmanager
def running_sync(
    config: pathlib.Path, **environment: str
) -> Iterator[tuple[subprocess.Popen[str], "queue.SimpleQueue[str]"]]:
    """Runs the sync process and yields it with the lines that it prints."""
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    words = [*COMMAND, str(config)]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=os.environ | environment
    ) as process:
        assert process.stdout is not None
        reader = threading.Thread(target=lambda out: [lines.put(line) for line in out], args=(process.stdout,))
        reader.start()
        try:
            yield process, lines
        finally:
            process.kill()
            process.wait(10)
            reader.join(10)


def once(config: pathlib.Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, str(config), "--once", *words], check=False, capture_output=True, text=True, timeout=60
    )


@pytest.mark.slow
def test_killed_after_the_leaderboard_applied_it_posts_the_same_id_again(tmp_path: pathlib.Path) -> None:
    with running_peer(["slow"]) as peer:
        config = configured(tmp_path, peer.url, rows=2)
        with running_sync(config) as (process, _):
            assert peer.arrived.acquire(timeout=20)
            os.kill(process.pid, signal.SIGKILL)
            process.wait(10)
        peer.go_on.set()
        [record] = AttemptStore(tmp_path / "data" / "sync.db").records()
        assert record.state == "unknown"
        done = once(config)
        assert done.returncode == 0, done.stdout + done.stderr
        assert list(peer.applied) == ["race-1.run-1.0", "race-1.run-2.0"]
        sent = [headers["webhook-id"] for _, _, headers in peer.seen]
        assert sent == ["race-1.run-1.0", "race-1.run-1.0", "race-1.run-2.0"]
        assert peer.seen[0][1] == peer.seen[1][1]


@pytest.mark.slow
def test_a_new_row_is_noticed_and_sigterm_stops_it(tmp_path: pathlib.Path) -> None:
    with running_peer([]) as peer:
        config = configured(tmp_path, peer.url, rows=1)
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd,
            running_sync(config, NOTIFY_SOCKET=f"@raceday-sync-{os.getpid()}") as (process, lines),
        ):
            systemd.bind(f"\0raceday-sync-{os.getpid()}")
            systemd.settimeout(60)
            assert "run-1.0: posted; rank 1 of 1" in lines.get(timeout=20)
            assert is_locked(tmp_path / "data" / "sync.lock")
            add_rows(tmp_path, range(2, 3))
            assert "run-2.0: posted" in lines.get(timeout=20)
            while not systemd.recv(4096).startswith(b"STATUS=results: 2 posted, 0 waiting, 0 rejected: "):
                pass
            second = once(config)
            assert second.returncode == 2
            assert "another sync process" in second.stderr
            process.send_signal(signal.SIGTERM)
            assert process.wait(3) == 0
    assert not is_locked(tmp_path / "data" / "sync.lock")


@pytest.mark.slow
def test_once_says_what_still_waits_and_rejected_ones_go_again_when_asked(tmp_path: pathlib.Path) -> None:
    with running_peer(["422", "503 after 60"]) as peer:
        config = configured(tmp_path, peer.url, rows=2)
        first = once(config)
        assert first.returncode == 1
        assert "rejected (422)" in first.stdout
        assert "1 result(s) still wait" in first.stdout
        again = once(config, "--retry-rejected", "--ready-file", str(tmp_path / "ready"))
        assert again.returncode == 0, again.stdout
        assert (tmp_path / "ready").read_text() == "ready\n"
        assert len(peer.applied) == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('secret_file = "', 'secret_file = "/nowhere', "cannot be read"),
        ("leaderboard_url", "leaderboard_ur", "did you mean `leaderboard_url`"),
        ('leaderboard_url = "http', 'leaderboard_url = "ftp', "leaderboard_url"),
        ("[sync.options]", 'driver = "pigeon"\n[sync.options]', "there is no driver 'pigeon'"),
    ],
)
def test_a_wrong_setting_is_one_sentence(tmp_path: pathlib.Path, old: str, new: str, sentence: str) -> None:
    config = configured(tmp_path, "http://127.0.0.1:1", rows=0)
    config.write_text(config.read_text().replace(old, new, 1))
    done = once(config)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_secret_that_others_may_read_is_refused(tmp_path: pathlib.Path) -> None:
    from shared.errors import ConfigError
    from station.sync.settings import SyncSettings, read_secret

    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    secret.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        read_secret(SyncSettings(secret_file=str(secret)))
    with pytest.raises(ConfigError, match="secret_file"):
        read_secret(SyncSettings())


class Watch(threading.Event):
    """The stop of the service: at each wait it notes whether the folder is held, and does the next step."""

    def __init__(self, data: pathlib.Path, steps: list[Callable[[], object]]) -> None:
        super().__init__()
        self.data, self.steps = data, steps
        self.held: list[bool] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.held.append(is_locked(self.data / "sync.lock"))
        if self.steps:
            self.steps.pop(0)()
        else:
            self.set()
        return self.is_set()


def test_it_closes_its_files_while_a_restore_waits(tmp_path: pathlib.Path) -> None:
    with running_peer([]) as peer:
        config = load(configured(tmp_path, peer.url, 0), StationConfig)
        plan = config.data_dir / PLAN
        stop = Watch(config.data_dir, [lambda: plan.write_text("{}"), lambda: None, plan.unlink])
        run_always(config, SystemClock(), argparse.Namespace(retry_rejected=False, ready_file=None), stop)
    assert stop.held == [True, False, False, True], "held, given up for the restore, and taken again"
