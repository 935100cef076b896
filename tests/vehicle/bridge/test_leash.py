"""The leash's rules and its file: what holds the car, what cuts it, and that the stock car's own Python reads it."""

import ast
import importlib.resources
import os
import pathlib
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vehicle.bridge.core.leash_holder import LeashHolder
from vehicle.bridge.leash import raceday_leash
from vehicle.bridge.leash.raceday_leash import (
    KEY_BYTES,
    LINES,
    NEUTRAL_NS,
    NO_NONCE,
    SILENCE_NS,
    STATES,
    Hold,
    Leash,
    LeashState,
    Outputs,
    neutral_ns,
    read_hold,
    read_key,
    read_state,
)
from vehicle.bridge.mock_console.outputs import CarOutputs
from vehicle.core.pulses import STOCK_CALIBRATION

KEY = b"k" * KEY_BYTES
NONCE = b"n" * 16
MS = 1_000_000
SOURCE = importlib.resources.files("vehicle.bridge.leash").joinpath("raceday_leash.py").read_text()
# What came to the language and the standard library after 3.8, as far as such a program could want it.
NEWER = {"removeprefix", "removesuffix", "cache", "readlink", "is_relative_to", "with_stem", "hardlink_to", "exception"}
NEWER_MODULES = {"tomllib", "zoneinfo", "graphlib"}


def test_the_file_is_python_3_8_of_the_standard_library_alone() -> None:
    tree = ast.parse(SOURCE, feature_version=(3, 8))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            assert node.attr not in NEWER, f"line {node.lineno}: {node.attr} is newer than Python 3.8"
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names]
            for name in names:
                assert name.split(".")[0] not in {"vehicle", "shared"} | NEWER_MODULES
        if isinstance(node, ast.Call):
            assert not any(each.arg in ("strict", "slots", "kw_only") for each in node.keywords), f"line {node.lineno}"
    assert "from __future__ import annotations" in SOURCE, "its annotations are of newer Pythons"


def hold(stamp_ns: int, number: int, release: int, nonce: bytes = NONCE) -> Hold:
    return Hold(nonce, stamp_ns, number, release)


def test_it_begins_cut_and_a_release_lasts_as_long_as_its_stamps_are_fresh() -> None:
    leash = Leash(NONCE)
    assert STATES[leash.state] == "cut at start"
    leash.on_hold(hold(1000 * MS, 1, 7), 1010 * MS)
    assert leash.is_released
    leash.tick(1500 * MS)
    assert leash.is_released
    leash.tick(1500 * MS + 1)
    assert STATES[leash.state] == "cut by silence"


NOT_HELD = {
    "a stamp that is too old": (hold(1000 * MS, 2, 8), 1501 * MS),
    "a stamp of the future": (hold(2000 * MS, 2, 8), 1100 * MS),
    "another start of the leash": (hold(1090 * MS, 2, 8, b"o" * 16), 1100 * MS),
    "no nonce yet": (hold(0, 1, 8, NO_NONCE), 1100 * MS),
    "older than the newest": (hold(999 * MS, 9, 8), 1100 * MS),
    "a repeat of the newest": (hold(1000 * MS, 1, 8), 1100 * MS),
}


@pytest.mark.parametrize(("late", "now_ns"), NOT_HELD.values(), ids=NOT_HELD)
def test_what_is_old_repeated_or_foreign_releases_nothing(late: Hold, now_ns: int) -> None:
    leash = Leash(NONCE)
    leash.on_hold(hold(1000 * MS, 1, 0), 1000 * MS)
    leash.on_hold(late, now_ns)
    assert not leash.is_released


def test_a_cut_ends_only_by_a_new_release() -> None:
    leash = Leash(NONCE)
    leash.on_hold(hold(1000 * MS, 1, 7), 1000 * MS)
    leash.tick(1600 * MS)
    leash.on_hold(hold(1600 * MS, 2, 7), 1600 * MS)
    assert not leash.is_released, "the network came back; the release was over"
    leash.on_hold(hold(1610 * MS, 3, 8), 1610 * MS)
    assert leash.is_released


def test_two_bridges_hold_nothing() -> None:
    leash = Leash(NONCE)
    leash.on_hold(hold(1000 * MS, 1, 7), 1000 * MS)
    leash.on_hold(hold(1001 * MS, 1, 8), 1001 * MS)
    assert not leash.is_released


@given(
    st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 3000), st.integers(0, 3), st.integers(0, 3)), max_size=30)
)
def test_it_is_never_released_beyond_the_newest_stamp_and_the_silence(events: list[tuple[int, int, int, int]]) -> None:
    leash, now_ms, newest_ms = Leash(NONCE), 0, -(10**9)
    for step_ms, stamp_ms, number, release in events:
        now_ms += step_ms
        leash.on_hold(hold(stamp_ms * MS, number, release), now_ms * MS)
        leash.tick(now_ms * MS)
        newest_ms = max(newest_ms, stamp_ms if stamp_ms <= now_ms else newest_ms)
        assert not leash.is_released or now_ms - newest_ms <= SILENCE_NS // MS


def test_datagrams_come_back_as_they_were_and_no_changed_bit_is_let_through() -> None:
    sent = Hold(NONCE, 5, 6, 7, b"\x01\x02\x03")
    packed = sent.pack(KEY)
    assert read_hold(packed, KEY) == sent
    state = LeashState(NONCE, 1, 2, 3, NEUTRAL_NS, 1, 0)
    assert read_state(state.pack(KEY), KEY) == state
    for bit in range(len(packed) * 8):
        changed = bytearray(packed)
        changed[bit // 8] ^= 1 << bit % 8
        assert read_hold(bytes(changed), KEY) is None
    assert read_hold(packed, b"x" * KEY_BYTES) is None
    assert read_state(packed, KEY) is None
    assert read_hold(packed + b"\0", KEY) is None


@given(st.binary(max_size=200))
def test_noise_is_no_datagram(noise: bytes) -> None:
    assert read_hold(noise, KEY) is None
    assert read_state(noise, KEY) is None


def test_a_state_that_this_version_does_not_know_is_refused() -> None:
    body = struct.pack(">4s16sQQBIBB", b"RDS1", NONCE, 1, 2, len(STATES), 0, 0, 0)
    assert read_state(body + raceday_leash._mac(KEY, body), KEY) is None


def test_the_holder_believes_only_answers_to_its_newest_wish() -> None:
    holder = LeashHolder()

    def answer(number: int, state: int, fault: int = 0) -> None:
        holder.on_state(LeashState(NONCE, number * MS, number, state, 0, 0, fault), number * MS)

    assert not holder.is_answering(0)
    assert holder.has_new_request
    assert holder.next_hold().nonce == NO_NONCE
    answer(1, 0)
    assert holder.is_cut(MS)
    holder.request(7)
    assert holder.has_new_request
    assert not holder.is_cut(MS)
    following = holder.next_hold()
    assert (following.nonce, following.release, following.stamp_ns) == (NONCE, 7, MS)
    answer(2, 3)
    assert holder.is_released(2 * MS)
    answer(99, 1)
    assert holder.is_released(2 * MS), "an answer to what was never sent"
    holder.request(0)
    answer(2, 1)
    assert not holder.is_cut(2 * MS), "an answer to an older datagram"
    holder.next_hold()
    answer(3, 1, fault=2)
    assert not holder.is_cut(3 * MS)
    assert "cannot write the motor" in holder.fault
    assert not holder.is_answering(503 * MS + 1)


def test_the_outputs_are_cut_released_and_read_back(tmp_path: pathlib.Path) -> None:
    car, outputs = CarOutputs(tmp_path), Outputs(tmp_path, NEUTRAL_NS)
    car.set_duty(0, 1_380_000)
    assert car.is_moving
    outputs.cut()
    assert (car.motor_ns, car.line, car.is_moving) == (NEUTRAL_NS, 1, False)
    assert (outputs.motor_ns, outputs.line, outputs.fault) == (NEUTRAL_NS, 1, 0)
    car.set_line(0)  # as the console's own stop does
    outputs.cut()
    assert car.line == 1
    outputs.release()
    assert (car.motor_ns, car.line) == (NEUTRAL_NS, 0)
    outputs.show(bytes((255, 0, 51)))
    lights = [tmp_path / f"sys/class/pwm/pwmchip0/pwm{channel}/duty_cycle" for channel in (2, 3, 4)]
    assert [int(light.read_text()) for light in lights] == [10_000_000, 0, 2_000_000]


def test_a_line_that_nobody_exported_is_exported_by_the_number_of_its_kernel(tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "sys/class/gpio"
    (folder / "gpiochip434").mkdir(parents=True)
    exported: list[str] = []

    def write(file: pathlib.Path, text: str) -> bool:
        if file.name == "export":
            exported.append(text)
            (folder / f"gpio{text}").mkdir()
            (folder / f"gpio{text}" / "direction").write_text("in\n")
            return True
        file.write_text(text)
        return True

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(raceday_leash, "_write_text", write)
        line = raceday_leash.find_line(tmp_path)
    assert exported == ["436"]
    assert line == folder / "gpio436"
    assert (line / "direction").read_text() == "high", "it begins cut"
    assert [number for _, number in LINES] == [514, 436]


def test_a_car_without_a_line_or_a_chip_says_so(tmp_path: pathlib.Path) -> None:
    outputs = Outputs(tmp_path, NEUTRAL_NS)
    outputs.cut()
    assert (outputs.line, outputs.motor_ns) == (255, 0)
    assert raceday_leash.FAULTS[outputs.fault] == "it finds no PWM chip of the motor"


CALIBRATIONS: dict[str, tuple[str, int]] = {
    "the stock file": ('{"Calibration": {"Motor": {"max": 1603500, "mid": 1450000, "min": 1311000}}}', 1_450_000),
    "nonsense": ("[", NEUTRAL_NS),
    "another shape": ('{"Calibration": []}', NEUTRAL_NS),
    "a pulse that no servo takes": ('{"Calibration": {"Motor": {"mid": 20000000}}}', NEUTRAL_NS),
    "true": ('{"Calibration": {"Motor": {"mid": true}}}', NEUTRAL_NS),
}


@pytest.mark.parametrize(("text", "wanted_ns"), CALIBRATIONS.values(), ids=CALIBRATIONS)
def test_neutral_is_the_cars_own(tmp_path: pathlib.Path, text: str, wanted_ns: int) -> None:
    (tmp_path / "calibration.json").write_text(text)
    assert neutral_ns(tmp_path / "calibration.json") == wanted_ns
    assert neutral_ns(tmp_path / "none.json") == NEUTRAL_NS == STOCK_CALIBRATION.motor.mid_ns


@pytest.mark.parametrize(
    ("content", "mode", "sentence"),
    [("ab" * 32, 0o644, "chmod 600"), ("zz", 0o600, "cannot be read"), ("abcd", 0o600, "hexadecimal")],
)
def test_a_key_that_is_open_or_wrong_is_refused(tmp_path: pathlib.Path, content: str, mode: int, sentence: str) -> None:
    file = tmp_path / "key"
    file.write_text(content)
    file.chmod(mode)
    with pytest.raises(SystemExit, match=sentence):
        read_key(file)


@pytest.mark.parametrize(("result", "line"), [("signal", 1), ("watchdog", 1), ("success", 1)])
def test_a_leash_that_ended_leaves_the_car_cut_unless_the_console_stands_too(
    tmp_path: pathlib.Path, result: str, line: int, monkeypatch: pytest.MonkeyPatch, free_port: Any
) -> None:
    """Nobody listens at the console's port here: even an orderly end does not give such a car back."""
    car = CarOutputs(tmp_path)
    car.set_duty(0, 1_380_000)
    monkeypatch.setitem(os.environ, "SERVICE_RESULT", result)
    raceday_leash.main(["ended", "--root", str(tmp_path), "--console-port", str(free_port())])
    assert (car.motor_ns, car.line) == (NEUTRAL_NS, line)
