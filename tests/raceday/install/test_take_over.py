"""A stock car is taken over by an installation: our own agent ends first, and never one whose car is armed."""

import pathlib
import subprocess
from collections.abc import Sequence

import pytest

from raceday.install import running
from raceday.install.command import carry_out
from raceday.install.config_check import config_of_role
from raceday.install.effects import owed_effects
from raceday.install.facts import MachineFacts
from raceday.install.machine import Machine
from raceday.install.plan import InstallPlan
from raceday.install.role_steps import TakeOver
from raceday.install.steps import EnableService, MakeFolder
from raceday.install.uninstall import uninstall
from shared.errors import OperatorError
from tests.raceday.install.test_carrying_out import TalkingMachine
from vehicle.hardware.stock_software import TAKEN_OVER

STOCK_CORE_UNIT, AGENT = "deepracer-core.service", "raceday-vehicle.service"
TAKE_OVER = TakeOver("deepracer-core", "/etc/raceday/vehicle.toml", "/var/lib/raceday-vehicle/laps.db")


class StockCarMachine(TalkingMachine):
    """A stock car whose own software runs, and is what `raceday vehicle take-over` and `give-back` make of it.

    `agent` is what systemd shows of ours: while it runs it holds the guard's socket, and both are refused.
    """

    def __init__(self, root: pathlib.Path, refusal: str = "", agent: str = "inactive|") -> None:
        super().__init__(root, refusal)
        self.runs_core, self.agent = True, agent
        self.write(f"/etc/systemd/system/{AGENT}", b"", 0o644)

    def attempt(self, words: Sequence[str], *, user: str = "") -> "subprocess.CompletedProcess[str]":
        ran = super().attempt(words, user=user)
        if words[-1] == STOCK_CORE_UNIT and words[1] in ("is-active", "is-enabled"):
            return subprocess.CompletedProcess(words, int(not self.runs_core), "", "")
        if words[-1] == AGENT:
            return self._of_the_agent(words)
        if words[1:2] == ["vehicle"] and self.agent.partition("|")[0] not in ("inactive", "failed"):
            return subprocess.CompletedProcess(words, 2, "", "another guard already listens at vehicle.sock")
        if not ran.returncode and words[1:2] == ["vehicle"]:
            self.runs_core = words[2] == "give-back"
            record = f"/var/lib/raceday-vehicle/{TAKEN_OVER}"
            self.remove(record) if self.runs_core else self.write(record, b"", 0o600)
        return ran

    def _of_the_agent(self, words: Sequence[str]) -> "subprocess.CompletedProcess[str]":
        state, line = self.agent.split("|")
        if words[1] in ("stop", "disable"):
            self.agent = "inactive|"
        elif words[1] in ("start", "restart"):
            self.agent = "active|disarmed, online"
        answers = {
            "--property=ActiveState,StatusText": f"ActiveState={state}\nStatusText={line}\n",
            "--property=ActiveState": f"{state}\n",
        }
        is_away = words[1] == "is-active" and state != "active"
        return subprocess.CompletedProcess(words, 3 if is_away else 0, answers.get(words[2], ""), "")


def test_a_stock_car_is_taken_over_once_and_given_back(tmp_path: pathlib.Path) -> None:
    car = StockCarMachine(tmp_path)
    assert TAKE_OVER.undo(car) == ""  # it was never taken over: its own software is left alone
    assert not TAKE_OVER.is_done(car)
    TAKE_OVER.do(car)
    assert TAKE_OVER.is_done(car)
    assert car.ran[-1].startswith("systemctl is-enabled")
    assert "deepracer-core drives it again" in TAKE_OVER.undo(car)
    assert car.ran[-1] == "/opt/raceday/bin/raceday vehicle give-back --config /etc/raceday/vehicle.toml"
    assert not TAKE_OVER.is_done(car)


def test_a_take_over_that_is_refused_keeps_ours_from_starting(tmp_path: pathlib.Path) -> None:
    car = StockCarMachine(tmp_path, "take-over")
    with pytest.raises(OperatorError, match="taking the car over from deepracer-core did not work"):
        carry_out(car, config_of_role("car"), [TAKE_OVER, EnableService("raceday-vehicle.service")], ("x.service",))
    assert not EnableService("raceday-vehicle.service").is_done(car)


# It runs with mocks until a profile is named; it waits on a car that was installed in an image; or systemd tries it
# again and again, since the stock car's own software runs.
@pytest.mark.parametrize("agent", ["active|disarmed, online", "active|tripped, online: no motors", "activating|"])
def test_our_own_agent_does_not_keep_us_from_taking_the_car_over(tmp_path: pathlib.Path, agent: str) -> None:
    car = StockCarMachine(tmp_path, agent=agent)
    carry_out(car, config_of_role("car"), [TAKE_OVER, EnableService(AGENT)], (AGENT,))
    words = ("stop", "take-over", "restart")
    assert [next(each for each in words if each in line) for line in car.ran if any(w in line for w in words)] == [
        *words
    ]
    assert TAKE_OVER.is_done(car)
    assert car.agent.startswith("active")


def test_a_take_over_that_fails_leaves_our_agent_as_it_was(tmp_path: pathlib.Path) -> None:
    car = StockCarMachine(tmp_path, "take-over", agent="active|disarmed, online")
    with pytest.raises(OperatorError, match="taking the car over from deepracer-core did not work"):
        carry_out(car, config_of_role("car"), [TAKE_OVER], (AGENT,))
    assert car.agent.startswith("active")
    assert "services" in owed_effects(car).effects


@pytest.mark.parametrize("agent", ["active|driving, online", "active|ready, online", "active|"])
def test_no_car_that_is_armed_or_silent_is_taken_over(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, agent: str
) -> None:
    monkeypatch.setattr(running, "STARTS_S", 0)
    car = StockCarMachine(tmp_path, agent=agent)
    for force in (False, True):
        with pytest.raises(OperatorError, match=r"this car is (driving|ready)|does not say how the car is"):
            carry_out(car, config_of_role("car"), [TAKE_OVER], (AGENT,), force=force)
    assert car.agent == agent
    assert not TAKE_OVER.is_done(car)


def test_in_an_image_nothing_is_taken_over(tmp_path: pathlib.Path) -> None:
    assert TAKE_OVER.is_done(Machine(tmp_path))
    assert TAKE_OVER.undo(Machine(tmp_path)) == ""


def test_a_car_that_cannot_be_given_back_is_uninstalled_and_said(tmp_path: pathlib.Path) -> None:
    car, said = StockCarMachine(tmp_path), list[str]()
    TAKE_OVER.do(car)
    EnableService(AGENT).do(car)
    car.failing, car.agent = "give-back", "active|disarmed, online"
    facts = MachineFacts(roles=("car",), has_stock_core=True)
    plan = InstallPlan((TAKE_OVER, MakeFolder("/opt/raceday", 0o755)), (AGENT,))
    assert uninstall(car, plan, facts, "car", said.append, purge=False, yes=False) == 2
    (line,) = [line for line in said if line.startswith("NOT DONE")]
    assert "the car was not given back" in line
    assert line.endswith("sudo systemctl enable --now deepracer-core")
    assert not car.path(f"/etc/systemd/system/{AGENT}").exists()
