"""The phone's control: who holds the car, what goes to the guard, and when the station or the phone gives way."""

import pytest

from shared.errors import Refused
from shared.protocol.messages import CarHeartbeat, CarMode, CarState, DriveOrder, Lease
from vehicle.core.controller import DriveController
from vehicle.core.frame_age import SafetyOptions
from vehicle.core.limiter import DriveLimits
from vehicle.core.messages import ControlTrace, LoopTelemetry, ReloadModel, Setpoint, ThrottleLimit
from vehicle.process.channel import IpcMessage
from vehicle.web.phone_control import LEASE_MS, PhoneControl

MS = 1_000_000


class Bench:
    """A PhoneControl whose messages land in a list."""

    def __init__(self) -> None:
        self.sent: list[IpcMessage] = []
        self.is_reachable = True
        self.stopped_locally = 0
        self.control = PhoneControl("boot-1", self.send, self.stop_locally)
        self.control.on_guard_message(CarHeartbeat(100, "disarmed"))
        self.control.on_guard_message(CarState(True, "disarmed", model="first"))

    def send(self, message: IpcMessage) -> bool:
        if self.is_reachable:
            self.sent.append(message)
        return self.is_reachable

    def stop_locally(self) -> str:
        self.stopped_locally += 1
        return "The car is tripped."

    def mode(self, mode: CarMode, reason: str = "") -> None:
        self.control.on_guard_message(CarState(True, mode, reason, "first"))

    @property
    def sent_names(self) -> list[str]:
        """The messages sent to the guard: the action of an order, the type of all others."""
        return [m.action if isinstance(m, DriveOrder) else type(m).__name__ for m in self.sent]


def lease(grant: str, run_id: str = "") -> Lease:
    return Lease("boot-1", 100, grant, run_id, 800)  # type: ignore[arg-type]


def order(action: str) -> DriveOrder:
    return DriveOrder("s-1", action, "boot-1", 100, 1000)  # type: ignore[arg-type]


def test_start_leases_arms_and_starts_and_hold_renews_for_the_heartbeat_that_was_received() -> None:
    bench = Bench()
    bench.control.start("me", 35, 10.0)
    assert bench.sent_names == ["Lease", "arm", "start"]
    granted, _, started = bench.sent
    assert granted == Lease("boot-1", 100, "drive", "phone", LEASE_MS)
    assert isinstance(started, DriveOrder)
    assert started.throttle_percent == 35
    bench.mode("driving")
    bench.control.on_guard_message(CarHeartbeat(101, "driving"))
    assert bench.control.hold("me", 100, 10.2)
    assert bench.sent[-1] == Lease("boot-1", 100, "drive", "phone", LEASE_MS)  # not 101: the page has not received it
    assert not bench.control.hold("you", 101, 10.3)
    assert bench.control.status("me", 10.3).has_control
    assert not bench.control.status("you", 10.3).has_control


def test_stop_needs_nothing_and_falls_back_to_the_local_socket() -> None:
    bench = Bench()
    bench.control.start("me", 35, 10.0)
    assert bench.control.stop() == "Stopping."
    assert bench.sent_names[-1] == "stop"
    assert not bench.control.hold("me", 101, 10.1)
    bench.is_reachable = False
    assert bench.control.stop() == "The car is tripped."
    assert bench.stopped_locally == 1


@pytest.mark.parametrize(
    ("mode", "match"), [("tripped", "tripped .Emergency stop.*reset"), ("driving", "already driving")]
)
def test_start_is_refused_in(mode: CarMode, match: str) -> None:
    bench = Bench()
    bench.mode(mode, "Emergency stop.")
    with pytest.raises(Refused, match=match):
        bench.control.start("me", 35, 10.0)
    assert bench.sent == []


def test_start_is_refused_without_a_model() -> None:
    bench = Bench()
    bench.control.on_guard_message(CarState(True, "disarmed"))
    with pytest.raises(Refused, match="no model loaded"):
        bench.control.start("me", 35, 10.0)
    assert bench.sent == []


def test_a_trip_lets_go_and_needs_reset_then_start() -> None:
    bench = Bench()
    bench.control.start("me", 35, 10.0)
    bench.mode("tripped", "The newest frame is old.")
    assert not bench.control.hold("me", 101, 10.1)
    bench.control.reset("me", 10.2)
    assert bench.sent_names[-1] == "reset"


def test_another_phone_waits_until_the_first_is_silent() -> None:
    bench = Bench()
    bench.control.start("me", 35, 10.0)
    bench.mode("driving")
    bench.control.hold("me", 100, 11.0)
    with pytest.raises(Refused, match="Another phone"):
        bench.control.reset("you", 12.0)
    bench.mode("stopped")
    bench.control.start("you", 20, 13.0)
    with pytest.raises(Refused, match="does not hold"):
        bench.control.throttle("me", 80)
    bench.control.throttle("you", 60)
    assert bench.sent[-1] == ThrottleLimit(60)


def test_a_run_of_the_station_takes_the_car() -> None:
    bench = Bench()
    bench.control.start("me", 35, 10.0)
    bench.mode("driving")
    assert bench.control.admits(lease("drive", "run-1"), 10.5)
    assert bench.sent_names[-1] == "stop"
    assert not bench.control.hold("me", 101, 10.6)
    with pytest.raises(Refused, match="ask the official"):
        bench.control.start("me", 35, 11.0)
    bench.mode("stopped")
    with pytest.raises(Refused, match="ask the official"):
        bench.control.reload_model(11.0)
    bench.control.start("me", 35, 20.0)  # the run is over


def test_an_idle_station_does_not_take_practice_away_and_does_otherwise() -> None:
    bench = Bench()
    assert bench.control.admits(lease("none"), 9.0)
    bench.control.start("me", 35, 10.0)
    assert not bench.control.admits(lease("none"), 10.5)
    assert bench.control.admits(order("stop"), 10.6)
    assert bench.control.admits(lease("none"), 12.0)  # the phone fell silent


def test_the_stations_emergency_stop_holds_against_the_phone() -> None:
    bench = Bench()
    assert bench.control.admits(order("estop"), 10.0)
    with pytest.raises(Refused, match="ask the official"):
        bench.control.reset("me", 12.0)
    bench.control.admits(lease("none"), 15.0)  # the station is still there
    with pytest.raises(Refused, match="ask the official"):
        bench.control.start("me", 35, 24.0)
    bench.control.admits(order("reset"), 25.0)
    bench.control.start("me", 35, 26.0)


def test_a_model_changes_only_while_the_car_stands() -> None:
    bench = Bench()
    bench.mode("ready")
    with pytest.raises(Refused, match="armed"):
        bench.control.reload_model(10.0)
    bench.mode("stopped")
    bench.control.reload_model(10.0)
    assert bench.sent == [ReloadModel()]


def test_the_status_says_what_the_motors_get() -> None:
    bench = Bench()
    bench.control.on_guard_message(LoopTelemetry(10, 1, 2, 3, tuple(range(1, 201)), (5, 6, 7), 0.0, 0.0))
    bench.control.on_guard_message(ControlTrace(1, "driving", 1, 0, 0.9, 1.0, 0.5, 0.25, 1, 1))
    assert bench.control.status("me", 0.0).throttle == 0.0
    bench.mode("driving")
    status = bench.control.status("me", 0.0)
    assert (status.steering, status.throttle, status.heartbeat, status.picture_seq) == (0.5, 0.25, 100, -1)
    loop = status.loop
    assert (loop.frame_age_p50_us, loop.frame_age_p99_us, loop.policy_p50_us) == (100, 198, 6)
    assert (loop.frames, loop.dropped, loop.repeated, loop.late_ticks) == (10, 1, 2, 3)


def test_the_real_controller_obeys_and_a_late_renewal_does_not_revive() -> None:
    """Against the guard's own controller: the lease counts from the heartbeat, whenever its renewal arrives."""
    controller = DriveController("boot-1", DriveLimits(), SafetyOptions(arm_frames=1), 0, calibrated=True)

    def send(message: IpcMessage) -> bool:
        if isinstance(message, Lease):
            controller.on_lease(message)
        elif isinstance(message, DriveOrder):
            controller.on_order(message)
        return True

    control = PhoneControl("boot-1", send, str)
    controller.set_model_ready()
    seq = 0

    def tick(now_ms: int) -> None:
        nonlocal seq
        seq += 1
        controller.on_setpoint(Setpoint(seq, now_ms * MS, 0.0, 1.0, 1), now_ms * MS)
        controller.tick(now_ms * MS)
        control.on_guard_message(CarState(True, controller.mode, controller.mode_state.reason, "first"))

    control.on_guard_message(CarState(True, "disarmed", model="first"))
    first = controller.next_heartbeat(1000 * MS)
    control.on_guard_message(first)
    control.start("me", 40, 1.0)
    tick(1010)
    assert (controller.mode, controller.throttle_percent) == ("driving", 40)
    for now_ms in range(1100, 1900, 100):
        tick(now_ms)
    later = controller.next_heartbeat(1900 * MS)
    control.on_guard_message(later)
    assert control.hold("me", first.heartbeat, 1.9)  # a renewal that was delayed: it answers the first heartbeat
    tick(1990)
    assert controller.mode == "driving"
    tick(2005)
    assert controller.mode == "tripped"
    assert "lease ran out" in controller.mode_state.reason
    assert not control.hold("me", later.heartbeat, 2.1)
