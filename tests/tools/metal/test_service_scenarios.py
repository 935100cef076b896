"""The scenarios bridge, status and take-over without a machine: what is proof to them, and what they leave behind."""

import pathlib
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from raceday.doctor.status_checks import sync_status
from station.sync.operator.results_line import ReportedResults
from tests.conftest import ROOT
from tools.metal.guest import bridge, certificates, checks, simulated_stock_car, status, take_over, units
from tools.metal.guest.simulated_stock_car import SimulatedStockCar
from tools.metal.guest.unit_trials import CAMERA_HZ
from tools.metal.scenarios import SCENARIOS
from vehicle.bridge.mock_console.outputs import DEAD_BAND_NS, MOTOR, NEUTRAL_NS, CarOutputs

FULL_NS = 1_603_000


class FarEnough(Exception):
    """Ends a scenario that has done what a test looks at."""


def far_enough(*_: object, **__: object) -> None:
    raise FarEnough


@pytest.fixture(autouse=True)
def results(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "RESULTS", tmp_path / "results.jsonl")
    monkeypatch.setenv("METAL_SCENARIO", "one")


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What the scenarios would run, in order; each command succeeds and prints nothing."""
    given: list[tuple[str, ...]] = []

    def run(command: Sequence[str], *_: object, **__: str) -> SimpleNamespace:
        given.append(tuple(command))
        return SimpleNamespace(returncode=0, stdout="", stderr="")

    for module in (bridge, simulated_stock_car, status, take_over):
        monkeypatch.setattr(module, "run", run)
        if hasattr(module, "unit_property"):
            monkeypatch.setattr(module, "unit_property", lambda *_: "not-found")
        if hasattr(module, "journal_tail"):
            monkeypatch.setattr(module, "journal_tail", lambda *_: "")
    return given


class DisarmedStation:
    """A station whose car is never armed."""

    def __init__(self) -> None:
        self.given: list[str] = []

    def up(self) -> float:
        return 0.0

    def state(self) -> dict[str, Any]:
        return {"cars": [{"name": bridge.CAR, "mode": "disarmed"}]}

    def give(self, command: str, **_: object) -> None:
        self.given.append(command)


@pytest.mark.parametrize(
    ("duty_ns", "line"),
    [(0, 0), (NEUTRAL_NS, 0), (FULL_NS, 0), (FULL_NS, 1), (NEUTRAL_NS + DEAD_BAND_NS, 0), (1_300_000, 0)],
)
def test_a_stock_car_moves_when_its_console_says_so(tmp_path: pathlib.Path, duty_ns: int, line: int) -> None:
    outputs = CarOutputs(tmp_path)
    outputs.set_duty(MOTOR, duty_ns)
    outputs.set_line(line)
    assert SimulatedStockCar(tmp_path).is_moving() == outputs.is_moving


def test_only_a_car_that_moved_until_then_stands_after_something(tmp_path: pathlib.Path) -> None:
    outputs, car = CarOutputs(tmp_path), SimulatedStockCar(tmp_path)
    assert car.stands_after(far_enough, -1.0) is None, "it stood before: that proves nothing, and nothing is done"
    outputs.set_duty(MOTOR, FULL_NS)
    assert car.stands_after(lambda: None, -1.0) is None, "it drives on"
    after_s = car.stands_after(lambda: outputs.set_line(1), -1.0)
    assert after_s is not None
    assert after_s >= 0


def test_a_bridge_that_is_not_tried_leaves_no_car_behind(
    commands: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    station = DisarmedStation()
    monkeypatch.setattr(bridge, "InstalledStation", lambda: station)
    monkeypatch.setattr(certificates, "station_takes_certificates", far_enough)
    with pytest.raises(FarEnough):
        bridge.main()
    assert station.given == ["abandon"]
    left = commands[commands.index(("systemctl", "disable", "--now", "raceday-leash")) :]
    assert ("systemctl", "stop", "stock-console") in left


def test_a_run_whose_car_is_not_armed_is_abandoned(
    commands: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    monkeypatch.setattr(bridge, "SEEN_S", -1.0)
    station = DisarmedStation()
    assert not bridge.drives(station, SimulatedStockCar(tmp_path), "Stock One")  # type: ignore[arg-type]
    assert station.given == ["open_run", "abandon"]


def test_the_services_of_a_further_installation_are_stopped_before_anything_is_looked_at(
    commands: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "InstalledStation", DisarmedStation)
    for name in ("gates", "posting", "car"):
        monkeypatch.setattr(status, name, lambda *_, name=name: commands.append((name,)))
    status.main()
    at = commands.index(("raceday", "install", "leaderboard"))
    units_stopped = [("systemctl", "stop", unit) for unit in (status.CAR, status.BOARD, status.SYNC_UNIT)]
    assert commands[at + 1 : at + 7] == [*units_stopped, ("gates",), ("posting",), ("car",)]


def test_gates_that_an_earlier_scenario_has_tried_are_not_tested_again(
    commands: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "SimulatedGpio", far_enough)
    with pytest.raises(FarEnough):
        status.gates(DisarmedStation())  # type: ignore[arg-type]
    assert commands == [("systemctl", "restart", status.STATION)]


def test_a_car_that_runs_already_gets_the_slow_camera(
    commands: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    config = tmp_path / "vehicle.toml"
    shipped = (ROOT / "config/vehicle.toml").read_text()
    config.write_text(shipped)
    monkeypatch.setattr(take_over, "CORE_FILE", tmp_path / "core.service")
    monkeypatch.setattr(take_over, "car_lines", lambda: (None, 517))
    chip = SimpleNamespace(bus=7, power_on=lambda: None, bind=lambda: None)
    monkeypatch.setattr(take_over, "SimulatedPca9685", lambda: chip)
    monkeypatch.setattr(take_over, "core_runs", far_enough)
    monkeypatch.setattr(status, "told", far_enough)
    for scenario, begin, unit in ((take_over, take_over.main, take_over.OURS), (status, status.car, status.CAR)):
        monkeypatch.setattr(scenario, "ETC", tmp_path)
        config.write_text(shipped)
        with pytest.raises(FarEnough):
            begin()
        assert commands[-1] == ("systemctl", "restart", unit)
        assert f"rate_hz = {CAMERA_HZ}\n" in config.read_text()


@pytest.mark.parametrize(
    ("state", "expected"),
    [("active", False), ("deactivating", False), ("activating", False), ("inactive", True), ("failed", True)],
)
def test_a_unit_has_ended_also_if_its_last_command_was_killed(state: str, expected: bool) -> None:
    assert take_over.has_ended(state) is expected


@pytest.mark.parametrize("race_unknown", [False, True])
def test_the_doctor_quotes_sync_with_one_of_the_lines_that_it_told(race_unknown: bool) -> None:
    sentence = "The leaderboard was not reached: it is tried again in 8 s."
    line = ReportedResults(3, 1, 0, sentence, race_unknown).line()
    seen = sync_status({"StatusText": line}, is_running=True).seen
    later = ReportedResults(4, 0, 0, "All is posted.").line()
    assert status.is_quoted(line, later, seen)
    assert status.is_quoted(later, line, seen)
    assert not status.is_quoted(later, later, seen)
    assert not status.is_quoted("", "waiting for the station", seen), "nothing is quoted of no line at all"


@pytest.mark.parametrize(
    ("before", "now", "after", "expected"),
    [(1, 3, 4, True), (1, 1, 4, True), (1, 4, 4, True), (1, 5, 4, False), (2, 1, 4, False), (4, 3, 1, False)],
)
def test_sync_tries_again_while_the_doctor_looks(before: int, now: int, after: int, expected: bool) -> None:
    def line(tries: int, sentence: str = "The leaderboard cannot be reached: no connection.") -> str:
        words = f"{sentence} run-1 waits ({tries} {'try' if tries == 1 else 'tries'} so far)."
        return ReportedResults(0, 1, 0, words).line()

    seen = sync_status({"StatusText": line(now)}, is_running=True).seen
    assert status.is_quoted(line(before), line(after), seen) is expected
    other = sync_status({"StatusText": line(now, "The leaderboard answers 500.")}, is_running=True).seen
    assert not status.is_quoted(line(before), line(after), other)


def test_a_scenario_that_installs_a_further_role_has_time_for_more_than_that() -> None:
    limits_s = {each.name: each.limit_s for each in SCENARIOS}
    assert limits_s["status"] > status.INSTALL_S
    assert limits_s["units"] > units.INSTALL_S
