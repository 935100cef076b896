"""Free practice from a phone beside a station that is on: the phone's, until the station has a run for the car."""

import pytest

from shared.errors import Refused
from shared.protocol import messages as m
from station.core.moment import Moment
from station.service.cars.car_control import CarControl
from station.service.cars.controlled_car import DrivePermit
from vehicle.core.controller import DriveController
from vehicle.core.frame_age import SafetyOptions
from vehicle.core.limiter import DriveLimits
from vehicle.core.messages import Setpoint
from vehicle.process.channel import IpcMessage
from vehicle.web.phone_control import PhoneControl

MS = 1_000_000
BOOT, CAR, PHONE = "boot-1", "car-1", "session-1"


class Yard:
    """The real station's cars, car's guard and console's control on one virtual clock and a quick wire."""

    def __init__(self) -> None:
        self.now_ns, self.frame, self.is_phone_there = 10**9, 0, True
        self.controller = DriveController(
            BOOT, DriveLimits(throttle_slew_per_s=100.0), SafetyOptions(frame_period_ms=50.0), 50, calibrated=True
        )
        self.controller.set_model_ready()
        self.cars = CarControl(500, 2000, "n")
        self.control = PhoneControl(BOOT, self.to_guard, lambda: "")
        self.reported: m.CarState | None = None

    @property
    def now_s(self) -> float:
        return self.now_ns / 1e9

    @property
    def seen(self) -> m.CarMode:
        """The car's mode, as the station's page has it."""
        return self.cars.views(self.now_ns)[0].mode

    def to_guard(self, word: IpcMessage) -> bool:
        if isinstance(word, m.Lease):
            self.controller.on_lease(word)
        elif isinstance(word, m.DriveOrder):
            self.controller.on_order(word)
        return True

    def from_station(self, replies: list[tuple[str, m.Body]]) -> None:
        for _, word in replies:
            if isinstance(word, m.Lease | m.DriveOrder) and self.control.admits(word, self.now_s):
                self.to_guard(word)

    def run(self, for_ms: int) -> None:
        """Ticks of 10 ms, frames of 50, beats of 100, and the page's renewals of 200."""
        for _ in range(for_ms // 10):
            self.now_ns += 10 * MS
            tick = self.now_ns // (10 * MS)
            if tick % 5 == 0:
                self.frame += 1
                self.controller.on_setpoint(Setpoint(self.frame, self.now_ns, 0.0, 1.0, 900), self.now_ns)
            self.controller.tick(self.now_ns)
            self.tell_state()
            if tick % 10 == 0:
                beat = self.controller.next_heartbeat(self.now_ns)
                self.control.on_guard_message(beat)
                self.from_station(self.cars.on_heartbeat(CAR, BOOT, beat, self.now_ns))
            if tick % 20 == 0 and self.is_phone_there:
                self.control.hold(PHONE, self.control.status(PHONE, self.now_s).heartbeat, self.now_s)

    def tell_state(self) -> None:
        state = m.CarState(
            True, self.controller.mode, self.controller.mode_state.reason, practice=self.controller.is_practice
        )
        if state != self.reported:
            self.reported = state
            self.control.on_guard_message(state)
            self.from_station(self.cars.on_state(CAR, state, self.now_ns))


@pytest.fixture
def yard() -> Yard:
    made = Yard()
    made.run(500)
    made.control.start(PHONE, 40, made.now_s)
    made.run(500)
    assert made.controller.mode == "driving"
    return made


def test_a_phone_practises_while_a_station_is_on(yard: Yard) -> None:
    for _ in range(30):
        yard.run(1_000)
        assert (yard.controller.mode, yard.seen) == ("driving", "driving")
        assert yard.cars.views(yard.now_ns)[0].practice
    yard.control.stop()
    yard.run(300)
    assert (yard.controller.mode, yard.seen) == ("stopped", "stopped")


def test_a_page_that_is_gone_ends_it_and_says_whose_lease_it_was(yard: Yard) -> None:
    yard.is_phone_there = False
    yard.run(2_000)
    assert yard.controller.mode in ("stopped", "tripped")
    assert "station" not in yard.controller.mode_state.reason or "withdrew" in yard.controller.mode_state.reason
    assert not yard.cars.views(yard.now_ns)[0].practice


def test_a_run_of_the_station_takes_the_car_and_the_phone_may_only_stop(yard: Yard) -> None:
    yard.cars.permit([DrivePermit(CAR, "run-1", running=False)])
    yard.run(500)
    assert yard.controller.mode != "driving"  # practice ended; nothing drives on into a run
    yard.cars.permit([DrivePermit(CAR, "run-1", running=True)])
    yard.from_station(yard.cars.order(CAR, "start", 60, yard.now_ns))
    yard.run(1_000)
    assert (yard.controller.mode, yard.controller.throttle_percent) == ("driving", 60)
    assert not yard.controller.is_practice
    assert yard.control.status(PHONE, yard.now_s).station_runs
    yard.control.stop()
    yard.run(100)
    assert yard.controller.mode == "stopped"


def test_an_emergency_stop_holds_a_practising_car(yard: Yard) -> None:
    yard.from_station(yard.cars.order(CAR, "estop", None, yard.now_ns))
    yard.run(3_000)
    assert yard.controller.mode == "tripped"
    assert yard.control.status(PHONE, yard.now_s).station_runs  # the page says that the official must let go


def test_the_stop_of_all_cars_holds_it_until_it_is_released_and_then_it_is_the_phones_again(yard: Yard) -> None:
    yard.from_station(yard.cars.stop_all("Ruth", Moment("boot", yard.now_ns, 0)))
    yard.run(30_000)
    assert yard.controller.mode == "tripped"
    assert [car.outcome for car in yard.cars.stop_view(Moment("boot", yard.now_ns, 0), connected=True).cars] == [
        "stopped"
    ]
    with pytest.raises(Refused, match="ask the official"):
        yard.control.reset(PHONE, yard.now_s)
    yard.cars.release(Moment("boot", yard.now_ns, 0))
    yard.run(500)
    assert yard.controller.mode == "tripped"  # nothing moves of it
    yard.control.reset(PHONE, yard.now_s)
    yard.run(200)
    yard.control.start(PHONE, 40, yard.now_s)
    yard.run(500)
    assert yard.controller.mode == "driving"


def test_a_second_machine_of_one_name_says_so_on_its_own_page(yard: Yard) -> None:
    assert yard.control.status(PHONE, yard.now_s).refusal == ""
    taken = Yard()
    taken.cars.on_heartbeat(CAR, "another", m.CarHeartbeat(1, "driving"), taken.now_ns)
    taken.run(200)
    assert "Another machine already uses the name car-1" in taken.control.status(PHONE, taken.now_s).refusal
    other = m.Lease("another", 9, "drive", "run-1", 500)  # what is leased to the other is not ours
    assert taken.control.admits(other, taken.now_s)
    assert not taken.control.status(PHONE, taken.now_s).station_runs
    taken.run(5_000)
    assert taken.control.status(PHONE, taken.now_s).refusal == ""  # the other is gone
