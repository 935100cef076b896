"""The battery gauges: the stock car's on I2C behind a fake bus, the kernel's, none, the mock; and their names."""

import errno
import os
import pathlib

import pytest

from shared import drivers
from shared.clock import ManualClock
from shared.errors import ConfigError, HardwareMissing
from vehicle.hardware.batteries.deepracer import ADDRESS, REGISTER, DeepracerBattery, bus_number
from vehicle.hardware.batteries.kernel import KernelBattery
from vehicle.hardware.batteries.mock import MockBattery
from vehicle.hardware.batteries.none import NoBattery


def test_the_drivers_are_found_by_name() -> None:
    found = {name: drivers.find("raceday.batteries", name) for name in drivers.names("raceday.batteries")}
    assert found == {"kernel": KernelBattery, "deepracer": DeepracerBattery, "none": NoBattery, "mock": MockBattery}


class Gauge:
    """One I2C bus of the kernel with the gauge on it; an address without a device is EREMOTEIO."""

    def __init__(self, reading: int | None) -> None:
        self.reading = reading
        self.opened: list[int] = []
        self.closed = 0

    def open(self, number: int) -> "Gauge":
        if number == 9:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        self.opened.append(number)
        return self

    def read_byte_data(self, i2c_addr: int, register: int) -> int:
        if self.reading is None or i2c_addr != ADDRESS:
            raise OSError(errno.EREMOTEIO, os.strerror(errno.EREMOTEIO))
        assert register == REGISTER
        return self.reading

    def close(self) -> None:
        self.closed += 1


def buses(folder: pathlib.Path) -> pathlib.Path:
    """/sys/class/i2c-dev of a stock car: links below their devices."""
    links = folder / "class"
    links.mkdir()
    for number, device in ((0, "0000:00:17.0/i2c_designware.4"), (5, "0000:00:17.3/i2c_designware.7"), (6, "i915")):
        target = folder / "devices" / "pci0000:00" / device / f"i2c-{number}" / "i2c-dev" / f"i2c-{number}"
        target.mkdir(parents=True)
        (links / f"i2c-{number}").symlink_to(target)
    return links


@pytest.mark.parametrize(
    ("wanted", "number"), [("0000:00:17.3", 5), ("0000:00:17", 7), ("0000:00:99.9", 7), ("9", 9), ("i2c-6", 6)]
)
def test_the_bus_is_found_by_its_device(tmp_path: pathlib.Path, wanted: str, number: int) -> None:
    assert bus_number(wanted, buses(tmp_path)) == number


def test_the_stock_gauge_says_per_cent_and_the_bus_is_closed_each_time(tmp_path: pathlib.Path) -> None:
    gauge = Gauge(0xCB)
    battery = DeepracerBattery({}, ManualClock(), buses(tmp_path), gauge.open)
    assert [battery.percent(), battery.percent()] == [60, 60]
    gauge.reading = 0x10
    assert battery.percent() is None
    assert gauge.opened == [5, 5, 5]
    assert gauge.closed == 3


def test_a_gauge_that_does_not_answer_and_a_bus_that_is_refused_are_sentences(tmp_path: pathlib.Path) -> None:
    gauge = Gauge(None)
    with pytest.raises(HardwareMissing, match=r"at address 0x3f of /dev/i2c-5 does not answer \(Remote I/O error\)"):
        DeepracerBattery({}, ManualClock(), buses(tmp_path), gauge.open).percent()
    assert gauge.closed == 1
    with pytest.raises(HardwareMissing, match=r"/dev/i2c-9 cannot be opened \(Permission denied\).*i2c-dev"):
        DeepracerBattery({"bus": "9"}, ManualClock(), tmp_path, gauge.open).percent()
    with pytest.raises(HardwareMissing, match=r"/dev/i2c-4095 cannot be opened \(No such file"):  # smbus2 itself
        DeepracerBattery({"bus": "4095"}, ManualClock()).percent()


@pytest.mark.parametrize(
    ("text", "percent"), [("83\n", 83), ("0", 0), ("", None), ("x", None), ("101", None), ("-1", None)]
)
def test_the_kernels_battery_and_none_is_made_up(tmp_path: pathlib.Path, text: str, percent: int | None) -> None:
    (tmp_path / "AC").mkdir()
    (tmp_path / "BAT0").mkdir()
    (tmp_path / "BAT0" / "capacity").write_text(text)
    battery = KernelBattery({"folder": str(tmp_path)}, ManualClock())
    assert battery.percent() == percent
    assert KernelBattery({"folder": str(tmp_path / "gone")}, ManualClock()).percent() is None


def test_the_mock_rounds_as_the_gauge_and_fails_when_told_to(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "charge"
    battery = MockBattery({"percent": 87, "file": str(file)}, ManualClock())
    assert battery.percent() == 80
    file.write_text("19\n")
    assert battery.percent() == 10
    file.write_text("fail")
    with pytest.raises(HardwareMissing, match="set to fail"):
        battery.percent()


def test_none_says_nothing_and_takes_no_options() -> None:
    assert NoBattery({}, ManualClock()).percent() is None
    with pytest.raises(ConfigError, match="unknown key `bus`"):
        NoBattery({"bus": "7"}, ManualClock())
