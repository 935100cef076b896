"""Free practice from a phone while a station is on: the phone holds the car until the station has a run for it."""

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


class PracticeSetup:
    """The station's real car control, the car's controller and the console's control, on one virtual clock."""

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
    def station_mode(self) -> m.CarMode:
        """The car's mode, as the station's page shows it."""
        return self.cars.views(self.now_ns)[0].mode

    def to_guard(self, message: IpcMessage) -> bool:
        if isinstance(message, m.Lease):
            self.controller.on_lease(message)
        elif isinstance(message, m.DriveOrder):
            self.controller.on_order(message)
        return True

    def from_station(self, replies: list[tuple[str, m.Body]]) -> None:
        for _, reply in replies:
            if isinstance(reply, m.Lease | m.DriveOrder) and self.control.admits(reply, self.now_s):
                self.to_guard(reply)

    def run(self, for_ms: int) -> None:
        """Ticks of 10 ms; a frame every 50, a heartbeat every 100, and a renewal by the page every 200."""
        for _ in range(for_ms // 10):
            self.now_ns += 10 * MS
            tick = self.now_ns // (10 * MS)
            if tick % 5 == 0:
                self.frame += 1
                self.controller.on_setpoint(Setpoint(self.frame, self.now_ns, 0.0, 1.0, 900), self.now_ns)
            self.controller.tick(self.now_ns)
            self.report_state()
            if tick % 10 == 0:
                heartbeat = self.controller.next_heartbeat(self.now_ns)
                self.control.on_guard_message(heartbeat)
                self.from_station(self.cars.on_heartbeat(CAR, BOOT, heartbeat, self.now_ns))
            if tick % 20 == 0 and self.is_phone_there:
                self.control.hold(PHONE, self.control.status(PHONE, self.now_s).heartbeat, self.now_s)

    def report_state(self) -> None:
        state = m.CarState(
            True, self.controller.mode, self.controller.mode_state.reason, "m", practice=self.controller.is_practice
        )
        if state != self.reported:
            self.reported = state
            self.control.on_guard_message(state)
            self.from_station(self.cars.on_state(CAR, state, self.now_ns))


@pytest.fixture
def setup() -> PracticeSetup:
    setup = PracticeSetup()
    setup.run(500)
    setup.control.start(PHONE, 40, setup.now_s)
    setup.run(500)
    assert setup.controller.mode == "driving"
    return setup


def station_sentence(setup: PracticeSetup) -> str:
    return setup.control.status(PHONE, setup.now_s).station


def test_a_phone_practises_while_a_station_is_on(setup: PracticeSetup) -> None:
    for _ in range(30):
        setup.run(1_000)
        assert (setup.controller.mode, setup.station_mode) == ("driving", "driving")
        assert setup.cars.views(setup.now_ns)[0].practice
    assert station_sentence(setup) == "A station is on: practice is allowed until it calls this car for a run."
    setup.control.stop()
    setup.run(300)
    assert (setup.controller.mode, setup.station_mode) == ("stopped", "stopped")


def test_a_page_that_is_gone_ends_it_and_says_whose_lease_it_was(setup: PracticeSetup) -> None:
    setup.is_phone_there = False
    setup.run(2_000)
    assert setup.controller.mode in ("stopped", "tripped")
    assert "station" not in setup.controller.mode_state.reason or "withdrew" in setup.controller.mode_state.reason
    assert not setup.cars.views(setup.now_ns)[0].practice


def test_a_run_of_the_station_takes_the_car_and_the_phone_may_only_stop(setup: PracticeSetup) -> None:
    setup.cars.permit([DrivePermit(CAR, "run-1", running=False)])
    setup.run(500)
    assert setup.controller.mode != "driving"  # practice ended; nothing drives on into a run
    setup.cars.permit([DrivePermit(CAR, "run-1", running=True)])
    setup.from_station(setup.cars.order(CAR, "start", 60, setup.now_ns))
    setup.run(1_000)
    assert (setup.controller.mode, setup.controller.throttle_percent) == ("driving", 60)
    assert not setup.controller.is_practice
    assert setup.control.status(PHONE, setup.now_s).station_runs
    assert station_sentence(setup) == "The station runs this car now: practice is off until its run is over."
    setup.control.stop()
    setup.run(100)
    assert setup.controller.mode == "stopped"


def test_an_emergency_stop_holds_a_practising_car(setup: PracticeSetup) -> None:
    setup.from_station(setup.cars.order(CAR, "estop", None, setup.now_ns))
    setup.run(3_000)
    assert setup.controller.mode == "tripped"
    assert setup.control.status(PHONE, setup.now_s).station_runs
    assert "practice is off until an official releases it" in station_sentence(setup)
    setup.now_ns += 60 * 10**9  # nothing is heard of it any more
    assert station_sentence(setup) == "No station is on: practice is allowed."


def test_the_stop_of_all_cars_holds_it_until_it_is_released_and_then_it_is_the_phones_again(
    setup: PracticeSetup,
) -> None:
    setup.from_station(setup.cars.stop_all("Ruth", Moment("boot", setup.now_ns, 0)))
    setup.run(30_000)
    assert setup.controller.mode == "tripped"
    assert [car.outcome for car in setup.cars.stop_view(Moment("boot", setup.now_ns, 0), connected=True).cars] == [
        "stopped"
    ]
    with pytest.raises(Refused, match="ask the official"):
        setup.control.reset(PHONE, setup.now_s)
    setup.cars.release(Moment("boot", setup.now_ns, 0))
    setup.run(500)
    assert setup.controller.mode == "tripped"  # the release alone moves nothing
    setup.control.reset(PHONE, setup.now_s)
    setup.run(200)
    setup.control.start(PHONE, 40, setup.now_s)
    setup.run(500)
    assert setup.controller.mode == "driving"


def test_a_second_machine_of_one_name_says_so_on_its_own_page(setup: PracticeSetup) -> None:
    assert setup.control.status(PHONE, setup.now_s).refusal == ""
    second = PracticeSetup()
    second.cars.on_heartbeat(CAR, "another", m.CarHeartbeat(1, "driving"), second.now_ns)
    second.run(200)
    assert "Another machine already uses the name car-1" in second.control.status(PHONE, second.now_s).refusal
    other = m.Lease("another", 9, "drive", "run-1", 500)  # what is leased to the other is not ours
    assert second.control.admits(other, second.now_s)
    assert not second.control.status(PHONE, second.now_s).station_runs
    second.run(5_000)
    assert second.control.status(PHONE, second.now_s).refusal == ""  # the other is gone
