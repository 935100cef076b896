"""An inverted level is recognised and reported, however the sensor is wired; a right one never is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import SystemClock
from station.gates.gpio import pins
from station.gates.gpio.gate import GpioGate
from station.gates.pico.firmware.gatewire import pack
from station.gates.pico.session import PicoSession
from station.gates.resting_level import Level, RestingLevelMonitor
from tests.station.core.scripted_race import MS, QUICK, S

Move = tuple[int, str, bool]  # at ms, sensor, broken
RESTS = "is inverted: it rests {}, which is set to mean broken, and is free only for moments. {}."
WRONG_LOW = "The level of strip " + RESTS.format("low", 'Set broken = "high"')
WRONG_HIGH = "The level of strip " + RESTS.format("high", 'Set broken = "low"')
BOTH = "The level of left, right " + RESTS.format("low", 'Set broken = "high"')
ONE_OF_TWO = 'Wire it as right is, or give it a gate of its own with broken = "high".'
SHUT = 'check what stands in it, and its wiring. If nothing does, its level is inverted: set broken = "high".'
PRESSES = [(at + late, "strip", late == 0) for at in range(1000, 2000, 50) for late in (0, 4)]
WAVES = [(at + late, "strip", late == 0) for at in range(1000, 9000, 400) for late in (0, 390)]


def freed(at_ms: int, for_ms: float, sensor: str = "strip") -> list[Move]:
    """The changes of a press on a sensor whose level is inverted."""
    return [(at_ms, sensor, False), (at_ms + int(for_ms), sensor, True)]


def passed(at_ms: int, for_ms: int, sensor: str = "strip") -> list[Move]:
    return [(at_ms, sensor, True), (at_ms + for_ms, sensor, False)]


def warning(level: Level, begun: dict[str, bool], moves: list[Move], at_ms: int) -> str:
    resting = RestingLevelMonitor(level)
    for name, broken in begun.items():
        resting.begin(name, broken, 0)
    for each_ms, name, broken in moves:
        resting.change(name, broken, each_ms * MS)
    return resting.sentence(at_ms * MS)


CASES: dict[str, tuple[Level, dict[str, bool], list[Move], int, str]] = {
    "nothing moved": ("low", {"strip": False}, [], 9000, ""),
    "a strip of the event manager": ("low", {"strip": True}, freed(500, 4) + freed(550, 1), 600, WRONG_LOW),
    "one press is enough": ("low", {"strip": True}, freed(500, 50), 560, WRONG_LOW),
    "a beam that cars free": ("low", {"strip": True}, freed(2000, 120) + freed(9000, 300), 9400, WRONG_LOW),
    "set high, and it rests high": ("high", {"strip": True}, freed(500, 4), 600, WRONG_HIGH),
    "while it is pressed again": ("low", {"strip": True}, [*freed(500, 4), (700, "strip", False)], 710, WRONG_LOW),
    "never free": ("low", {"strip": True}, [], 9000, SHUT),
    "a shoe was taken out of the beam": ("low", {"strip": True}, [(4000, "strip", False)], 4100, ""),
    "and a car came later": ("low", {"strip": True}, [(4000, "strip", False), *passed(7000, 120)], 7050, ""),
    "presses of a right one": ("low", {"strip": False}, PRESSES, 2000, ""),
    "a hand that waves in a right one": ("low", {"strip": False}, WAVES, 9000, ""),
    "a car stood in it and came loose": ("low", {"strip": False}, [*passed(2000, 3000), *passed(5001, 200)], 5300, ""),
    "it began pressed": ("low", {"strip": False}, [(50, "strip", True), *freed(5000, 4)], 8000, WRONG_LOW),
    "both": ("low", {"left": True, "right": True}, freed(500, 4, "left"), 600, BOTH),
    "one of two": ("low", {"left": True, "right": False}, freed(500, 4, "left"), 600, ONE_OF_TWO),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_how_a_sensor_rests(name: str) -> None:
    level, begun, moves, at_ms, sentence = CASES[name]
    sentence_now = warning(level, begun, moves, at_ms)
    assert sentence_now.endswith(sentence) if sentence else sentence_now == ""


@QUICK
@given(st.lists(st.tuples(st.integers(1000, 20_000), st.integers(1, 999)), min_size=1, max_size=20), st.data())
def test_no_right_sensor_is_suspected_and_each_wrong_one_is(gaps: list[tuple[int, int]], data: st.DataObject) -> None:
    """Rests of a second and more between presses of less than a second, at any time after the first press."""
    at_ms, moves, looks_ms = 0, list[tuple[int, bool]](), list[int]()
    for gap_ms, width_ms in gaps:
        at_ms += gap_ms
        moves += [(at_ms, True), (at_ms + width_ms, False)]
        at_ms += width_ms
        looks_ms.append(at_ms + 1)
    look_ms = data.draw(st.sampled_from(looks_ms))
    until = [(at, "s", pressed) for at, pressed in moves if at < look_ms]
    assert warning("low", {"s": False}, until, look_ms) == ""
    inverted = [(at, "s", not pressed) for at, _, pressed in until]
    assert 'set broken = "high"' in warning("low", {"s": True}, inverted, look_ms).replace("Set", "set")


@dataclass
class Hand:
    """Presses a driver's sensor, and reads its health."""

    press: Callable[[], None]
    wrong: Callable[[], str]


@pytest.mark.parametrize(("pull", "broken", "rests", "right"), [
    ("down", "low", 0, "high"),  # the event manager's boards at a gate with default settings
    ("up", "high", 1, "low"),  # an open collector, set high
    ("floating", "low", 0, "high"),  # a board that drives both levels
    ("up", "low", 0, "high"),  # a contact to ground that opens when pressed
    ("down", "high", 1, "low"),  # one to 3.3 V that opens when pressed
])  # fmt: skip
def test_pins_of_any_wiring(monkeypatch: pytest.MonkeyPatch, pull: str, broken: str, rests: int, right: str) -> None:
    for setting, sentence in ((broken, f'broken = "{right}"'), (right, "")):
        factory = MockFactory()
        monkeypatch.setattr(pins, "_opened", {("mock", -1): factory})
        options: dict[str, Any] = {"pins": [17], "factory": "mock", "pull": pull, "broken": setting}
        gate = GpioGate("start", ("strip",), options, SystemClock())
        pin = factory.pin(17)
        rest, press = (pin.drive_high, pin.drive_low) if rests else (pin.drive_low, pin.drive_high)
        rest()
        gate.start({}, lambda _said: None)
        assert gate.health().alive is not bool(sentence)
        for _ in range(3):
            press()
            rest()
            health = gate.health()
            assert (health.alive, sentence in health.sentence) == (not sentence, True)
        gate.close()


def test_a_pico_that_rests_broken_and_what_a_press_shows() -> None:
    session = PicoSession("start", ("strip",), "boot-0", {})
    session.on_data(pack("H", "one", 1, 0, 0b0000), S)
    assert "If nothing does" in session.fault(S)
    for number in range(1, 5, 2):
        session.on_data(pack("E", "one", number, 0, 1, 2_000_000 * number), number * S)
        session.on_data(pack("E", "one", number + 1, 0, 0, 2_000_000 * number + 4_000), number * S + 4 * MS)
        session.on_data(pack("H", "one", 1, number + 1, 0b0000), number * S + 900 * MS)
        assert session.fault(number * S + 900 * MS).endswith('free only for moments. Set broken = "high".')
    right = PicoSession("start", ("strip",), "boot-0", {}, broken_level=1)
    right.on_data(pack("H", "one", 1, 0, 0b0000), S)
    right.on_data(pack("E", "one", 1, 0, 1, 2_000_000), 2 * S)
    right.on_data(pack("E", "one", 2, 0, 0, 2_004_000), 2 * S + 4 * MS)
    assert right.fault(2 * S + 5 * MS) == ""
