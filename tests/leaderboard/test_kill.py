"""kill -9 of the server while stations post: what was acknowledged is kept, and nothing counts twice."""

import pathlib
import queue
import threading

import pytest
import requests

from shared.protocol.results import Result
from tests.leaderboard import sample_races
from tests.leaderboard.sample_races import Running

pytestmark = pytest.mark.slow

STATIONS = 4
KILL_AFTER = (1, 7, 40)


def post_until_it_dies(
    server: Running, station: int, answered: "queue.Queue[tuple[Result, bytes]]", unanswered: list[Result]
) -> None:
    for number in range(10_000):
        one = sample_races.result(f"s{station}-{number}", f"racer {number % 5}", (9000 + number,) * 3)
        try:
            answer = server.post(one)
        except requests.exceptions.RequestException:
            unanswered.append(one)
            return
        assert answer.status_code == 201
        answered.put((one, answer.content))


@pytest.mark.parametrize("kill_after", KILL_AFTER)
def test_kill_loses_nothing_answered(tmp_path: pathlib.Path, kill_after: int) -> None:
    server = sample_races.start(tmp_path)
    server.new_race("cup")
    answered: queue.Queue[tuple[Result, bytes]] = queue.Queue()
    unanswered: list[Result] = []
    stations = [
        threading.Thread(target=post_until_it_dies, args=(server, station, answered, unanswered))
        for station in range(STATIONS)
    ]
    for station in stations:
        station.start()
    acknowledged = [answered.get(timeout=30) for _ in range(kill_after)]
    server.kill()
    for station in stations:
        station.join(timeout=30)
    while not answered.empty():
        acknowledged.append(answered.get())

    again = sample_races.start(tmp_path)
    for one, body in acknowledged:
        answer = again.post(one)
        assert (answer.status_code, answer.content) == (200, body)
    # A post without an answer may have been applied or not; sent again, it is there once.
    assert all(again.post(one).status_code in (200, 201) for one in unanswered)
    results = again.get("/api/v1/races/cup/standings").json()["results"]
    assert results == len(acknowledged) + len(unanswered)
    assert again.stop() == (0, "")
