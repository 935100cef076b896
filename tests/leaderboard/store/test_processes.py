"""Several processes behind one port over PostgreSQL."""

import contextlib
import pathlib
from collections.abc import Iterator

import psutil
import pytest
import requests

from tests import postgres
from tests.leaderboard import sample_races
from tests.leaderboard.sample_races import result
from tests.postgres import Cluster

pytestmark = [pytest.mark.postgres, pytest.mark.slow]


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    installed = postgres.programs()
    if installed is None:
        pytest.skip("PostgreSQL is not installed: this test needs it")
    with postgres.cluster(installed) as made:
        yield made


def test_processes_behind_one_port_hear_of_one_another_and_one_that_dies_is_replaced(
    cluster: Cluster, tmp_path: pathlib.Path
) -> None:
    server = sample_races.start(tmp_path, f'[store]\nurl = "{cluster.url}"\n', processes=3)
    try:
        server.new_race("several")
        children = psutil.Process(server.process.pid).children()
        assert len(children) == 3
        with contextlib.ExitStack() as streams:
            watching = [streams.enter_context(watched(server, "several")) for _ in range(8)]
            one = result("several-1", "Anna", race_id="several")
            assert server.post(one).status_code == 201
            for lines in watching:
                assert any(b"Anna" in line for line in lines)
        children[0].kill()
        psutil.wait_procs(children[:1], timeout=20)
        second = result("several-2", "Tom", race_id="several")
        assert server.post(second).status_code == 201
        assert server.get("/api/v1/races/several/standings").json()["racers"] == 2
    finally:
        code, _ = server.stop()
    assert code == 0


@contextlib.contextmanager
def watched(server: sample_races.Running, race_id: str) -> Iterator[Iterator[bytes]]:
    """The lines of a live stream, once its first content has come."""
    with requests.get(f"{server.url}/races/{race_id}/live", stream=True, timeout=30) as stream:
        lines = stream.iter_lines()
        next(line for line in lines if line.startswith(b"data: {"))
        yield lines
