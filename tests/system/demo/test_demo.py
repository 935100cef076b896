"""The whole demo: its times match the ground truth, and a `kill -9` of any part of it loses nothing."""

import pathlib

import pytest

from tests.system.demo.running import Demo, check_summary

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
VICTIMS = ("station", "sync", "broker", "leaderboard")
LAPS = len(VICTIMS) + 2


def test_a_race_from_camera_frames_to_the_leaderboard(tmp_path: pathlib.Path) -> None:
    with Demo(tmp_path, "--speed", "2", "--broker", "amqtt") as demo:
        document = demo.finish()
    check_summary(document)
    assert all(lap["confirmed"] for racer in document["racers"] for lap in racer["laps"])
    assert document["restarts"] == {}


@pytest.mark.broker
def test_a_kill_in_the_middle_loses_nothing(tmp_path: pathlib.Path) -> None:
    """Each part is killed in another lap, once the part killed before it has restarted."""
    with Demo(tmp_path, "--speed", "3", "--broker", "mosquitto", "--laps", str(LAPS)) as demo:
        for lap, victim in enumerate(VICTIMS, start=1):
            demo.read_once(f"lap {lap}")  # on a loaded machine the last restart took longer than a lap
            demo.kill(victim)
            demo.read_until(f"{victim} ended (-9); it was started again.")
        document = demo.finish()
    check_summary(document)
    assert document["restarts"] == dict.fromkeys(VICTIMS, 1)
    assert len(document["racers"][0]["laps"]) == LAPS
