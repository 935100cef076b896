"""Several processes hear of one another's changes: over Redis, over PostgreSQL, and behind one port."""

import contextlib
import pathlib
import queue
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from leaderboard.config import read
from leaderboard.live_stream.fanout import MemoryFanout, RedisFanout
from shared.errors import ConfigError
from tests.leaderboard.sample_races import write_config


@pytest.fixture
def redis(tmp_path: pathlib.Path) -> Iterator["subprocess.Popen[str]"]:
    """A server on a socket in the test's folder."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed: this test needs it")
    process = start_redis(tmp_path)
    yield process
    process.kill()
    process.communicate(timeout=20)


def start_redis(folder: pathlib.Path) -> "subprocess.Popen[str]":
    command = ["redis-server", "--port", "0", "--unixsocket", str(folder / "redis.sock"), "--save", ""]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    while "eady to accept" not in process.stdout.readline():
        assert process.poll() is None
    return process


def heard_within(heard: "queue.Queue[str]", publish: "RedisFanout", wanted: str) -> None:
    """Publishes until the other one hears it: nobody says when a listener has subscribed."""
    for _ in range(200):
        publish.publish(wanted)
        with contextlib.suppress(queue.Empty):
            while heard.get(timeout=0.1) != wanted:
                pass
            return
    raise AssertionError(f"{wanted} was not heard")


def test_what_one_publishes_the_other_hears_and_both_survive_a_restart(
    redis: "subprocess.Popen[str]", tmp_path: pathlib.Path
) -> None:
    url = f"unix://{tmp_path}/redis.sock"
    own: queue.Queue[str] = queue.Queue()
    other: queue.Queue[str] = queue.Queue()
    one, two = RedisFanout(url, own.put), RedisFanout(url, other.put)
    heard_within(other, one, "cup")
    redis.kill()
    redis.communicate(timeout=20)
    while not own.empty():
        own.get()
    one.publish("while it is away")
    assert own.get(timeout=5) == "while it is away"
    again = start_redis(tmp_path)
    heard_within(other, one, "back")
    for each in (one, two):
        each.close()
    again.kill()
    again.communicate(timeout=20)


def test_one_hears_itself_once_and_a_single_process_needs_no_server() -> None:
    heard: list[str] = []
    MemoryFanout(heard.append).publish("cup")
    assert heard == ["cup"]


@pytest.mark.parametrize("url", ["nowhere", "http://x", "redis://host:port"])
def test_an_address_that_is_none_is_refused_in_a_sentence(url: str) -> None:
    with pytest.raises(ConfigError, match=r"fanout\.url"):
        RedisFanout(url, print)


def test_several_processes_need_postgresql(tmp_path: pathlib.Path) -> None:
    path = write_config(tmp_path)
    path.write_text(path.read_text().replace("port = 0", "port = 0\nprocesses = 2"))
    with pytest.raises(ConfigError, match=r"`store\.url`"):
        read(path)
