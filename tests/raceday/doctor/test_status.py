"""The doctor quotes what a car's agent and sync have told systemd, and nothing of one that has ended."""

import pytest

from raceday.doctor.installed import InstalledRole
from raceday.doctor.status_checks import car_status, page_finding, sync_status
from raceday.install.shipped_files import Role
from tests.raceday.doctor.machines import ShownMachine


@pytest.mark.parametrize(
    ("told", "is_running", "is_good", "words"),
    [
        ("disarmed, online", True, True, "it is disarmed."),
        ("tripped, online: Stopped at the car.", True, None, "it is tripped: Stopped at the car."),
        ("", True, None, "told nothing"),
        ("gates: start ready", True, None, "told nothing"),
        ("driving, online", False, None, "does not run"),  # systemd keeps the last line
    ],
)
def test_a_car_is_as_its_agent_says(told: str, is_running: bool, is_good: bool | None, words: str) -> None:
    finding = car_status({"StatusText": told}, is_running=is_running)
    assert finding.is_good is is_good
    assert words in finding.seen


@pytest.mark.parametrize(
    ("told", "is_running", "is_good", "words"),
    [
        ("results: 2 posted, 0 waiting, 0 rejected: Every result is posted.", True, True, "Every result is posted."),
        ("results: 2 posted, 1 waiting, 0 rejected: Connection refused.", True, None, "2 posted, 1 waiting"),
        ("results: 2 posted, 0 waiting, 1 rejected: a.0 was rejected.", True, False, "a.0 was rejected."),
        ("results: 0 posted, 1 waiting, 0 rejected (race unknown): no race.", True, False, "no race."),
        ("", True, None, "told nothing"),
        ("results: 2 posted, 0 waiting, 0 rejected: Every result is posted.", False, None, "does not run"),
    ],
)
def test_results_are_as_sync_says(told: str, is_running: bool, is_good: bool | None, words: str) -> None:
    finding = sync_status({"StatusText": told}, is_running=is_running)
    assert finding.is_good is is_good
    assert words in finding.seen
    assert finding.is_good is not False or finding.cure


@pytest.mark.parametrize(
    ("role", "table", "port"),
    [
        ("station", {}, 8080),
        ("station", {"web": {"host": "0.0.0.0", "port": 80}}, 80),
        ("leaderboard", {}, 8090),
        ("leaderboard", {"server": {"port": 9000}}, 9000),
    ],
)
def test_a_page_is_asked_for_where_the_config_has_it(role: Role, table: dict[str, object], port: int) -> None:
    machine = ShownMachine()
    finding = page_finding(machine, InstalledRole(role, "", table))
    assert (finding.what, finding.is_good) == (f"page http://127.0.0.1:{port}", True)
    machine.closed["127.0.0.1", port] = "Connection refused"
    finding = page_finding(machine, InstalledRole(role, "", table))
    assert finding.is_good is False
    assert "Connection refused" in finding.seen
    assert finding.cure
