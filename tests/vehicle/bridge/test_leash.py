"""The leash's rules and its file: what holds the car, what cuts it, and that the stock car's own Python reads it."""

import ast
import importlib.resources
import os
import pathlib
import socket
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
    NO_LINE,
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
from vehicle.bridge.mock_console.mock_car import MockCar
from vehicle.bridge.mock_console.mock_console import MockConsole
from vehicle.bridge.mock_console.outputs import CarOutputs
from vehicle.bridge.mock_console.server import MockConsoleServer
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
    for number in range(2, 8):
        leash.on_hold(hold((1000 + number) * MS, number, 7 + number % 2), (1000 + number) * MS)
        assert not leash.is_released, "both releases are used up"
    leash.on_hold(hold(1010 * MS, 9, 9), 1010 * MS)
    assert leash.is_released, "one bridge is left and makes a new one"


def test_a_cut_by_silence_says_how_long_it_was_and_how_late_it_was_noticed() -> None:
    leash = Leash(NONCE)
    leash.on_hold(hold(1000 * MS, 1, 7), 1000 * MS)
    leash.tick(1490 * MS)
    leash.tick(1510 * MS)
    assert leash.why_cut() == "cut by silence: 510000 us after the newest stamp, 20000 us after the tick before"


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
    holder = LeashHolder(0)

    def answer(number: int, state: int, fault: int = 0, line: int = 1) -> None:
        holder.on_state(LeashState(NONCE, number * MS, number, state, 0, line, fault), number * MS)

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


@pytest.mark.parametrize(("line", "is_cut"), [(1, True), (0, False), (NO_LINE, False)])
def test_only_a_line_that_was_read_back_as_cut_proves_a_cut(line: int, is_cut: bool) -> None:
    holder = LeashHolder(0)
    holder.next_hold()
    holder.on_state(LeashState(NONCE, MS, 1, 1, NEUTRAL_NS, line, 0), MS)
    assert (holder.is_cut(MS), holder.has_line) == (is_cut, line != NO_LINE)


def test_a_leash_that_has_a_fault_has_released_nothing() -> None:
    holder = LeashHolder(0)
    holder.request(7)
    holder.next_hold()
    holder.on_state(LeashState(NONCE, MS, 1, 3, 0, 1, 3), MS)
    assert not holder.is_released(MS)


def test_recorded_answers_of_an_earlier_bridge_prove_nothing() -> None:
    earlier, holder = LeashHolder(1000 * MS), LeashHolder(2000 * MS)
    recorded = [LeashState(NONCE, MS, earlier.next_hold().number, 1, NEUTRAL_NS, 1, 0) for _ in range(50)]
    for state in recorded:
        holder.next_hold()
        holder.on_state(state, 2000 * MS)
        assert not holder.is_answering(2000 * MS)


def test_the_outputs_are_cut_released_and_read_back(tmp_path: pathlib.Path) -> None:
    car, outputs = CarOutputs(tmp_path), Outputs(tmp_path)
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
    (folder / "gpiochip434" / "label").write_text("INT3452:00\n")  # 78 lines below 512, as the kernel counted then
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
        line = raceday_leash.find_line(tmp_path, None)
    assert exported == ["436"]
    assert line == folder / "gpio436"
    assert (line / "direction").read_text() == "high", "it begins cut"
    assert [number for _, number in LINES] == [514, 436]


@pytest.mark.parametrize("label", ["pinctrl-bcm2711", "INT3452:00"])
def test_a_pi_whose_numbers_begin_at_512_has_no_line(tmp_path: pathlib.Path, label: str) -> None:
    """There gpio514 is BCM 2, the data line of the bus of the motor's chip; it is exported here by somebody."""
    chip = tmp_path / "sys/devices/platform/soc/fe804000.i2c/i2c-1/1-0040/pwm/pwmchip0"
    gpio = tmp_path / "sys/class/gpio"
    for folder in (chip / "pwm0", tmp_path / "sys/class/pwm", gpio / "gpiochip512", gpio / "gpio514"):
        folder.mkdir(parents=True)
    (tmp_path / "sys/class/pwm/pwmchip0").symlink_to(chip)
    (chip / "pwm0/duty_cycle").write_text("1380000\n")
    (gpio / "gpiochip512/label").write_text(label + "\n")
    for name, text in (("direction", "in\n"), ("value", "0\n")):
        (gpio / "gpio514" / name).write_text(text)
    outputs = Outputs(tmp_path)
    outputs.cut()
    assert (outputs.line, outputs.motor_ns, outputs.fault) == (NO_LINE, NEUTRAL_NS, 0)
    assert (gpio / "gpio514/direction").read_text() == "in\n"
    assert not (gpio / "export").exists()


def test_another_computer_that_counts_from_512_has_no_line(tmp_path: pathlib.Path) -> None:
    (tmp_path / "sys/class/gpio/gpiochip512").mkdir(parents=True)
    (tmp_path / "sys/class/gpio/gpiochip512/label").write_text("pinctrl-rp1\n")
    assert raceday_leash.find_line(tmp_path, None) is None
    assert not (tmp_path / "sys/class/gpio/export").exists()


def test_the_line_is_cut_before_the_chip_is_written(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write to the chip waits for its I2C bus, which may hang."""
    car = CarOutputs(tmp_path)
    car.set_duty(0, 1_380_000)
    written: list[str] = []
    write = raceday_leash._write_text
    monkeypatch.setattr(raceday_leash, "_write_text", lambda file, text: written.append(file.name) or write(file, text))
    Outputs(tmp_path).cut()
    assert written == ["value", "duty_cycle"]


def test_neutral_is_read_anew_at_each_release_and_cut(tmp_path: pathlib.Path) -> None:
    car, outputs = CarOutputs(tmp_path), Outputs(tmp_path)
    calibration = tmp_path / raceday_leash.CALIBRATION
    calibration.parent.mkdir(parents=True)
    outputs.cut()
    calibration.write_text('{"version": 1, "Calibration": {"Motor": {"mid": 1450000}}}')
    outputs.release()
    assert car.motor_ns == 1_450_000
    calibration.write_text('{"version": 1, "Calibration": {"Motor": {"mid": 1460000}}}')
    outputs.cut()
    assert car.motor_ns == 1_460_000


def test_a_systemd_that_does_not_take_a_notice_holds_nothing_up(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    raceday_leash.notify("WATCHDOG=1")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as full:
        full.bind(str(tmp_path / "full"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "full"))
        for _ in range(2000):  # far more than the kernel queues for one that does not read
            raceday_leash.notify("WATCHDOG=1")
        assert full.recv(100) == b"WATCHDOG=1"


def test_a_car_without_a_line_or_a_chip_says_so(tmp_path: pathlib.Path) -> None:
    outputs = Outputs(tmp_path)
    outputs.cut()
    assert (outputs.line, outputs.motor_ns) == (255, 0)
    assert raceday_leash.FAULTS[outputs.fault] == "it finds no PWM chip of the motor"


_MOTOR = '"Motor": {"max": 1603500, "mid": 1450000, "min": 1311000}'
CALIBRATIONS: dict[str, tuple[str, str, int]] = {
    "a version beside": (f'{{"version": 1, "Calibration": {{{_MOTOR}}}}}', "", 1_450_000),
    "a version inside": (f'{{"Calibration": {{"version": 1, {_MOTOR}}}}}', "0.0.8", 1_450_000),
    "no version, an early car": (f'{{"Calibration": {{{_MOTOR}}}}}', "0.0.7", 1_450_000),
    "no version, a later car": (f'{{"Calibration": {{{_MOTOR}}}}}', "0.0.8", NEUTRAL_NS),
    "no version, another computer": (f'{{"Calibration": {{{_MOTOR}}}}}', "F.42", NEUTRAL_NS),
    "nonsense": ("[", "", NEUTRAL_NS),
    "another shape": ('{"version": 1, "Calibration": []}', "", NEUTRAL_NS),
    "a pulse that no servo takes": ('{"version": 1, "Calibration": {"Motor": {"mid": 20000000}}}', "", NEUTRAL_NS),
    "true": ('{"version": 1, "Calibration": {"Motor": {"mid": true}}}', "", NEUTRAL_NS),
}


@pytest.mark.parametrize(("text", "bios", "wanted_ns"), CALIBRATIONS.values(), ids=CALIBRATIONS)
def test_neutral_is_the_cars_own(tmp_path: pathlib.Path, text: str, bios: str, wanted_ns: int) -> None:
    assert neutral_ns(tmp_path) == NEUTRAL_NS == STOCK_CALIBRATION.motor.mid_ns
    for name, content in ((raceday_leash.CALIBRATION, text), (raceday_leash.BIOS_VERSION, bios + "\n")):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(content)
    assert neutral_ns(tmp_path) == wanted_ns


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


def test_a_leash_that_was_stopped_in_order_gives_a_car_back_whose_console_stands(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    car = CarOutputs(tmp_path)
    console = MockConsole(MockCar(CarOutputs()))  # its stop does not touch these outputs: the leash gives them back
    console.car.set_state("auto")
    console.car.set_active(is_active=True)
    car.set_duty(0, 1_380_000)
    server = MockConsoleServer(console)
    server.start()
    try:
        monkeypatch.setitem(os.environ, "SERVICE_RESULT", "success")
        raceday_leash.main(["ended", "--root", str(tmp_path), "--console-port", str(server.direct_port)])
    finally:
        server.close()
    assert (car.motor_ns, car.line) == (NEUTRAL_NS, 0)
    assert not console.car.active["auto"]
