"""An absent device does not stop the station: it times and serves, reports what is missing, and it joins later."""

import pathlib
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from shared.clock import SystemClock
from shared.config import parse
from shared.errors import ConfigError, HardwareMissing
from station.build import build_gates, setup
from station.config import StationConfig
from station.core import inputs as e
from station.gates import absent_gate
from station.gates.absent_gate import AbsentGate, make_and_start, start_again
from station.gates.driver import GateDriver, GateHealthReport, GateOutput
from station.gates.gpio import pins
from station.gates.mock import MockGate
from station.service.station import Station
from station.store.journal import Journal
from tests.station.gates.decoders.port_peer import until
from tests.station.gates.decoders.vectors import RC4_SENT
from tests.station.service.station_rig import MS, Rig, S
from tests.station.service.test_real_gates import facts, until_shown
from tests.system.station.test_process import Process, post, until_laps

GATE_01 = """
data_dir = "{data}"
[[gate]]
name = "start"
driver = "decoder"
sensors = ["loop"]
[gate.options]
protocol = "p3"
url = "/dev/there-is-none"
[mqtt]
port = {broker}
[web]
port = {port}
[race]
id = "p"
name = "P"
"""
GATE_02 = """
data_dir = "{data}"
[[gate]]
name = "start"
driver = "mock"
options = {{ every_s = 0.15, width_ms = 20 }}
lockout_s = 0.05
[[gate]]
name = "start-b"
driver = "decoder"
system = "B"
sensors = ["loop"]
[gate.options]
protocol = "rc4"
url = "socket://127.0.0.1:B_PORT"
[mqtt]
port = {broker}
[web]
port = {port}
[drem]
port = DREM_PORT
[race]
id = "p"
name = "P"
rules = {{ min_lap_s = 0.1, max_laps = 200 }}
"""
REASON = "B is switched off"


class Absent:
    """A driver whose device is missing until it is plugged in."""

    def __init__(self) -> None:
        self.there = False
        self.tries = self.closed = 0
        self.put: Callable[[GateOutput], None] | None = None
        self.after: dict[str, int] = {}

    def start(self, after: Mapping[str, int], put: Callable[[GateOutput], None]) -> None:
        self.tries += 1
        if not self.there:
            raise HardwareMissing("the board is not plugged in.")
        self.put, self.after = put, dict(after)

    def health(self) -> GateHealthReport:
        return GateHealthReport(True, "It is there.")

    def close(self) -> None:
        self.closed += 1


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(absent_gate, "RETRY_S", 0.01)


def test_a_driver_that_does_not_start_is_started_again() -> None:
    driver, outputs = Absent(), list[GateOutput]()
    gate = AbsentGate("start", start_again(driver), "the board is not plugged in.")
    assert (gate.health().absent, gate.health().sentence) == (True, "The board is not plugged in.")
    gate.start({"b": 7}, outputs.append)
    until(lambda: driver.tries > 2)
    driver.there = True
    until(lambda: gate.health().alive)
    assert (driver.after, driver.put) == ({"b": 7}, outputs.append)
    gate.close()
    assert driver.closed == 1


def test_one_that_cannot_be_made_is_made_anew_and_closed_when_it_does_not_start() -> None:
    made: list[Absent] = []

    def make() -> Absent:
        made.append(Absent())
        made[-1].there = len(made) > 2
        return made[-1]

    gate = AbsentGate("start", make_and_start(make), "not there.")
    gate.start({}, lambda _said: None)
    until(lambda: gate.health().alive)
    assert [driver.closed for driver in made] == [1, 1, 0]
    gate.close()


def test_a_gate_that_stays_away_is_given_up_at_once() -> None:
    gate = AbsentGate("start", start_again(Absent()), "not there.")
    gate.start({}, lambda _said: None)
    gate.close()
    assert gate._thread is not None
    assert not gate._thread.is_alive()
    AbsentGate("start", start_again(Absent()), "never started.").close()


def test_a_driver_with_a_fault_is_told_and_tried_again(capfd: pytest.CaptureFixture[str]) -> None:
    driver, faults = Absent(), iter([IndexError("no port 3"), IndexError("no port 3"), ValueError("no number")])
    driver.there = True
    healths: list[tuple[str, bool]] = []

    def begin(after: Mapping[str, int], put: Callable[[GateOutput], None]) -> Absent:
        healths.append((gate.health().sentence, gate.health().absent))
        for fault in faults:
            raise fault
        driver.start(after, put)
        return driver

    gate = AbsentGate("start", begin, "not there.")
    gate.start({}, lambda _said: None)
    until(lambda: gate.health().alive)
    gate.close()
    index = "The gate start does not start (IndexError: no port 3); it is tried again."
    number = "The gate start does not start (ValueError: no number); it is tried again."
    assert healths == [("Not there.", True), (index, False), (index, False), (number, False)]
    assert capfd.readouterr().err.count("Traceback") == 2  # each once
    assert driver.closed == 1


def test_one_that_is_made_and_fails_in_its_start_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Absent()

    def start(_after: Mapping[str, int], _put: Callable[[GateOutput], None]) -> None:
        raise IndexError("no port 3")

    monkeypatch.setattr(driver, "start", start)
    with pytest.raises(IndexError):
        make_and_start(lambda: driver)({}, lambda _said: None)
    assert driver.closed == 1


def test_a_driver_that_begins_after_the_close_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    driver, entered, go = Absent(), threading.Event(), threading.Event()
    driver.there = True
    put = list[GateOutput]().append

    def begin(_after: Mapping[str, int], _put: Callable[[GateOutput], None]) -> Absent:
        entered.set()
        assert go.wait(30)
        return driver

    gate = AbsentGate("start", begin, "not there.")
    monkeypatch.setattr(absent_gate, "CLOSE_S", 0.01)
    gate.start({}, put)
    assert entered.wait(30)
    gate.close()  # waits no longer
    assert driver.closed == 0
    go.set()
    until(lambda: driver.closed == 1)
    assert not gate.health().alive


def test_pins_of_another_machine_are_absent_and_a_wrong_setting_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pins, "_opened", {})
    text = 'data_dir = "d"\n[[gate]]\nname = "start"\ndriver = "gpio"\noptions = { pins = [17], chip = 15 }\n'
    config = parse(text, StationConfig)
    [driver] = build_gates(config, SystemClock()).values()
    health = driver.health()
    assert (health.alive, health.absent) == (False, True)
    assert "lgpio" in health.sentence or "gpiochip" in health.sentence or "Raspberry" in health.sentence
    assert setup(config).gates[0].proof == "level"
    with pytest.raises(ConfigError, match="one GPIO number for each"):
        build_gates(parse(text.replace("[17]", "[17, 18]"), StationConfig), SystemClock())


def test_a_station_starts_and_starts_again_in_mid_race_without_its_second_gate(tmp_path: pathlib.Path) -> None:
    rig = Rig(tmp_path / "station.db")
    spare = Absent()
    b = e.GateSpec("spare", system="B")
    rig.setup = replace(rig.setup, gates=(*rig.setup.gates, b))
    rig.station.close()
    rig.gate = MockGate("start", ("beam",), {}, rig.clock)

    def begin() -> None:
        gates: dict[str, GateDriver] = {"start": rig.gate, "spare": spare}
        rig.station = Station(rig.setup, rig.clock, rig.link, gates, Journal(rig.path))
        rig.station.start()

    begin()
    rig.wait(S)
    shown = {gate.name: (gate.alive, gate.absent, gate.sentence) for gate in rig.station.snapshot().gates}
    assert shown["spare"] == (False, True, "The board is not plugged in.")
    order = e.OpenRun(author="judge", racer="Ann", car="car-1", override_reason=REASON)
    rig.give(order)
    rig.go()
    rig.cross(1)
    rig.gate.detach()
    rig.station.journal.close()
    begin()
    rig.cross(5)
    run = rig.station.snapshot().run
    assert run is not None
    assert (run.phase, [lap.lap_ns for lap in run.laps]) == ("running", [5 * S + 200 * MS])
    spare.there = True

    def shown_alive() -> set[str]:
        rig.wait(S)  # the gates' health is read once a second
        return {gate.name for gate in rig.station.snapshot().gates if gate.alive}

    until(lambda: spare.put is not None)
    until(lambda: shown_alive() == {"start", "spare"})  # its thread may not have come back from the driver's start yet
    rig.station.close()


@pytest.mark.slow
def test_a_decoder_that_is_not_plugged_in_is_on_the_page_and_no_traceback(tmp_path: pathlib.Path) -> None:
    process = Process(tmp_path, text=GATE_01)
    try:
        url = process.url()
        [gate] = until_shown(url, lambda now: now["gates"])["gates"]
        assert (gate["alive"], gate["absent"]) == (False, True)
        assert gate["sentence"].startswith("/dev/there-is-none: cannot be opened: it is not there; plug it in")
    finally:
        process.process.terminate()
        process.process.terminate()  # as `timeout` and impatient people do: the clean-up still finishes
        out, err = process.process.communicate(timeout=20)
    assert (process.process.returncode, "Traceback" in out + err) == (0, False)


@pytest.mark.slow
def test_a_times_while_b_is_away_and_b_joins_after_a_restart_in_mid_race(tmp_path: pathlib.Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as other:
        drem_port, b_port = taken.getsockname()[1], other.getsockname()[1]
        other.close()
        text = GATE_02.replace("B_PORT", str(b_port)).replace("DREM_PORT", str(drem_port))
        process = Process(tmp_path, text=text)
        try:
            url = process.url()
            shown = until_shown(url, lambda now: len(now["gates"]) == 2 and now["manager"] is not None)
            assert [gate["absent"] for gate in shown["gates"]] == [False, True]
            assert (shown["manager"]["listening"], str(drem_port) in shown["manager"]["sentence"]) == (False, True)
            post(url, command="open_run", racer="Ann", car="car-1", override_reason=REASON)
            post(url, command="start", by_hand=True)
            until_laps(url, 2)
        finally:
            process.kill()
        again = Process(tmp_path, text=text)
        try:
            url = again.url()
            laps = len(until_laps(url, 2)["run"]["laps"])
            until_laps(url, laps + 2)
            with socket.create_server(("127.0.0.1", b_port)) as listening:
                listening.settimeout(20)
                line, _ = listening.accept()
                with line:
                    line.sendall(RC4_SENT[2])
                    until_shown(url, lambda now: now["gates"][1]["alive"])
            taken.close()
            until_shown(url, lambda now: now["manager"]["listening"])
        finally:
            again.kill()
    assert [fact["reason"] for fact in facts(tmp_path, "GateOverridden")] == [REASON]
