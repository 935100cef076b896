"""The demo, whole: the times are the truth, and a `kill -9` of any part of it loses nothing."""

import pathlib

import pytest

from tests.system.demo.running import Demo, check_summary

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_a_race_from_camera_frames_to_the_leaderboard(tmp_path: pathlib.Path) -> None:
    with Demo(tmp_path, "--broker", "amqtt") as demo:
        document = demo.finish()
    check_summary(document)
    assert all(lap["confirmed"] for racer in document["racers"] for lap in racer["laps"])
    assert document["restarts"] == {}


@pytest.mark.broker
@pytest.mark.parametrize("victim", ["station", "sync", "broker", "leaderboard"])
def test_a_kill_in_the_middle_loses_nothing(victim: str, tmp_path: pathlib.Path) -> None:
    with Demo(tmp_path, "--speed", "3", "--broker", "mosquitto") as demo:
        demo.read_until("lap 1")
        demo.kill(victim)
        demo.read_until(f"{victim} ended (-9); it was started again.")
        document = demo.finish()
    check_summary(document)
    assert document["restarts"].get(victim) == 1
    assert len(document["racers"][0]["laps"]) == 3
