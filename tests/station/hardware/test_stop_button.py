"""The stop button at the station: it stops all cars at once, without web or disk; a broken wire counts as pressed."""

import pathlib
import time
from collections.abc import Iterator

import pytest
from gpiozero.pins.mock import MockFactory

from shared.drivers import names
from shared.errors import ConfigError, HardwareMissing
from shared.link.mock import MockLink
from shared.protocol import messages as m
from station.commands.replay import check
from station.config import DriverChoice
from station.core import inputs as e
from station.gates.gpio import pins
from station.hardware.gpio_stop_button import GpioStopButton
from station.hardware.mock import MockStopButton
from station.service.station import Station
from station.service.trackside.stop_button import StopButtonMonitor
from station.views.command_answers import Accepted, Declined
from station.web.presenters.health import alarms, health_lines
from tests.station.full_disk import full_disk
from tests.station.service.station_rig import MS, Rig, S, WireCar, orders

OPEN = "The stop button is pressed, or its wire is broken."


class ButtonRig(Rig):
    """A station with a mock stop button."""

    def __init__(self, path: pathlib.Path, *, absent: bool = False) -> None:
        self.button = MockStopButton({})
        self.absent = absent
        super().__init__(path)

    def make_button(self) -> MockStopButton:
        if self.absent:
            raise HardwareMissing("the stop button: GPIO26 is in use.")
        return self.button

    def make_station(self, link: MockLink) -> Station:
        return Station(*self.parts(link), button=StopButtonMonitor(self.make_button))


@pytest.fixture
def rig(tmp_path: pathlib.Path) -> Iterator[ButtonRig]:
    rig = ButtonRig(tmp_path / "station.db")
    yield rig
    rig.station.close()


@pytest.fixture
def factory(monkeypatch: pytest.MonkeyPatch) -> Iterator[MockFactory]:
    factory = MockFactory()
    monkeypatch.setitem(pins._opened, ("mock", -1), factory)
    yield factory
    factory.reset()


def test_a_press_stops_all_cars_and_is_recorded_as_the_buttons(rig: ButtonRig) -> None:
    car = WireCar(rig)
    car.beat("driving")
    rig.button.press()
    rig.settle()
    assert "estop" in orders(car.collect(m.DriveOrder))
    stop = rig.station.stop_state()
    assert (stop.on, stop.author) == (True, "stop button")
    engine = rig.station._restored.engine
    assert engine.stop.on is not None
    assert engine.stop.on.reason == "The stop button was pressed, or its wire is broken."
    check(rig.station.journal)  # it replays to the same facts


def test_the_order_leaves_on_the_buttons_own_thread_before_the_record(
    rig: ButtonRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody pumps here: neither the timing thread nor the web has a part in it."""
    car = WireCar(rig)
    car.beat("driving")
    sent: list[m.Body] = []
    monkeypatch.setattr(rig.link, "publish", lambda body, _device="": sent.append(body))
    head = rig.station.journal.head.seq
    begun = time.perf_counter()
    rig.button.press()
    took_ms = (time.perf_counter() - begun) * 1000
    assert [body.action for body in sent if isinstance(body, m.DriveOrder)] == ["estop"]
    assert rig.station.journal.head.seq == head
    assert took_ms < 50


def test_one_opening_is_one_stop_and_the_next_opening_is_another(rig: ButtonRig) -> None:
    def stops() -> int:
        return sum(b"AllStopped" in facts for facts in rig.facts())

    rig.button.press()
    for _ in range(5):
        rig.wait(100 * MS)
    assert stops() == 1
    rig.button.release()
    rig.wait(100 * MS)
    rig.button.press()
    rig.wait(100 * MS)
    assert stops() == 2


def test_the_stop_is_not_released_while_the_contact_is_open(rig: ButtonRig) -> None:
    rig.button.unplug()
    rig.settle()
    assert rig.give(e.ReleaseStop(author="Ruth")) == Declined(OPEN)
    assert alarms(rig.station.snapshot())[0] == OPEN
    rig.button.release()
    rig.wait(100 * MS)
    rig.wait(100 * MS)
    assert isinstance(rig.give(e.ReleaseStop(author="Ruth")), Accepted)
    assert not rig.station.stop_state().on
    assert OPEN not in alarms(rig.station.snapshot())


def test_a_station_that_starts_with_an_open_contact_starts_stopped(tmp_path: pathlib.Path) -> None:
    rig = ButtonRig(tmp_path / "station.db")
    rig.button.press()
    rig.restart()
    rig.settle()
    assert rig.station.stop_state().on
    rig.station.close()


def test_an_absent_button_keeps_all_cars_stopped_and_is_tried_again(tmp_path: pathlib.Path) -> None:
    rig = ButtonRig(tmp_path / "station.db", absent=True)
    rig.settle()
    answer = rig.give(e.ReleaseStop(author="Ruth"))
    assert isinstance(answer, Declined)
    assert "GPIO26 is in use" in answer.sentence
    assert "remove [stop_button]" in answer.sentence
    line = next(line for line in health_lines(rig.station.snapshot()) if line.key == "stop-button")
    assert (line.level, line.state) == ("bad", "open")
    rig.absent = False
    rig.wait(3 * S)
    rig.wait(100 * MS)
    assert isinstance(rig.give(e.ReleaseStop(author="Ruth")), Accepted)
    rig.station.close()


def test_a_full_disk_does_not_keep_the_button_from_stopping(tmp_path: pathlib.Path) -> None:
    with full_disk() as disk:
        rig = ButtonRig(tmp_path / "station.db")
        car = WireCar(rig)
        car.beat("driving")
        disk.full = True
        rig.button.press()
        rig.settle()
        assert "estop" in orders(car.collect(m.DriveOrder))
        assert disk.refused
        disk.full = False
        rig.station.close()


def test_the_pin_is_high_when_pressed_torn_or_unplugged(factory: MockFactory) -> None:
    pin = factory.pin(26)
    button = GpioStopButton({"pin": 26, "factory": "mock"})
    opened: list[str] = []
    button.start(lambda: opened.append("opened"))
    assert pin.pull == "up"
    assert button.reason() == OPEN  # nothing is connected
    pin.drive_low()
    assert button.reason() == ""
    pin.drive_high()
    assert opened == ["opened"]
    pin.drive_low()
    assert button.reason() == OPEN  # a moment is enough
    assert button.reason() == ""
    button.close()
    button.close()
    assert "cannot be read" in button.reason()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [({"pin": 99, "factory": "mock"}, "`pin`"), ({"factory": "mock"}, "pin"), ({"pin": 4, "pins": 1}, "pins")],
)
def test_a_wrong_setting_is_one_sentence(options: dict[str, object], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        GpioStopButton(options)


def test_a_pin_that_is_taken_is_one_sentence(factory: MockFactory) -> None:
    first = GpioStopButton({"pin": 26, "factory": "mock"})
    with pytest.raises(HardwareMissing, match=r"the stop button: GPIO26 is in use"):
        GpioStopButton({"pin": 26, "factory": "mock"})
    first.close()


def test_a_machine_without_pins_says_what_to_do() -> None:
    with pytest.raises(HardwareMissing, match="the stop button: "):
        GpioStopButton({"pin": 26})


def test_both_drivers_are_installed_by_name() -> None:
    assert {"gpio", "mock"} <= set(names("raceday.stop_buttons")) & set(names("raceday.start_lights"))
    assert DriverChoice("mock").options == {}
