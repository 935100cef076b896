"""The bridge's decisions on virtual time, against the mock console of both versions, without and with the leash."""

import pytest

from shared.units import NS_PER_S
from tests.vehicle.bridge.virtual_car import VirtualCar
from vehicle.bridge.mock_console.mock_console import ConsoleVersion

VERSIONS: list[ConsoleVersion] = ["stock", "community"]


@pytest.fixture(params=[(version, leashed) for version in VERSIONS for leashed in (False, True)], ids=str)
def virtual(request: pytest.FixtureRequest) -> VirtualCar:
    version, is_leashed = request.param
    return VirtualCar(version, is_leashed)


def test_it_arms_drives_and_stops_and_says_what_is_so(virtual: VirtualCar) -> None:
    assert not virtual.bridge.is_online(virtual.now_ns), "before its first stop is confirmed it is no car"
    virtual.drive(30)
    virtual.run(0.5)
    assert virtual.is_moving
    assert virtual.car.throttle_scale == pytest.approx(0.3)
    state = virtual.bridge.state(virtual.now_ns)
    assert (state.model, state.throttle_percent, state.battery_percent) == ("Sample_single_cam", 30, 90)
    assert state.promise == ("leash" if virtual.is_leashed else "best_effort")
    virtual.order("stop")
    virtual.run(0.1)
    assert virtual.mode == "stopped"
    assert not virtual.is_moving


def test_the_calls_come_in_the_order_that_works_and_each_is_read_back(virtual: VirtualCar) -> None:
    virtual.drive()
    wanted = ["stop", "mode", "load", "loading", "mode", "throttle", "loading", "start"]
    calls = [kind for kind in virtual.log if kind != "battery"]
    position = 0
    for kind in calls:
        position += position < len(wanted) and kind == wanted[position]
    assert position == len(wanted), calls
    assert "emergency_stop" not in " ".join(virtual.console.calls)


def test_a_lease_that_runs_out_stops_and_trips_it(virtual: VirtualCar) -> None:
    virtual.drive()
    virtual.bridge.on_lease = lambda *_: None  # type: ignore[method-assign]  # the broker is gone
    virtual.run(0.7)
    assert virtual.mode == "tripped"
    assert "lease ran out" in virtual.reason
    assert not virtual.is_moving


def test_a_withdrawn_lease_is_the_ordinary_end(virtual: VirtualCar) -> None:
    virtual.drive()
    virtual.grant = "none"
    virtual.run(0.3)
    assert virtual.mode == "stopped"
    assert not virtual.is_moving


def test_nothing_starts_without_a_lease(virtual: VirtualCar) -> None:
    virtual.run(6)
    virtual.order("arm")
    virtual.run(3)
    assert virtual.mode == "disarmed"
    assert "start" not in virtual.log
    assert "was refused" in virtual.reason


def test_a_stop_that_the_console_does_not_confirm_is_repeated_and_said() -> None:
    virtual = VirtualCar()
    virtual.drive()
    virtual.run(0.5)
    virtual.console.hung.add("/api/start_stop")
    virtual.obeys_late = False
    before = virtual.log.count("stop")
    virtual.order("estop")
    virtual.run(5)
    assert virtual.log.count("stop") - before == 5, "each second one, although none has been answered"
    assert virtual.mode == "driving", "nobody has confirmed that it stands"
    assert virtual.is_moving
    assert "has not confirmed the stop for 5 s" in virtual.reason
    virtual.console.hung.clear()
    virtual.run(2)
    assert virtual.mode == "tripped"
    assert not virtual.is_moving


def test_the_leash_stops_what_a_hung_console_does_not() -> None:
    virtual = VirtualCar(is_leashed=True)
    virtual.drive()
    virtual.console.hung.add("/api/start_stop")
    virtual.order("estop")
    virtual.run(0.2)
    assert not virtual.is_moving
    assert virtual.mode == "tripped", "the leash has confirmed it"
    virtual.run(3)
    assert "has not confirmed the stop" in virtual.reason, "what the console owes is still said"
    virtual.order("reset")
    virtual.run(0.1)
    assert virtual.mode == "tripped", "there is no way on before the console has followed"


def test_a_dead_bridge_leaves_a_stock_car_driving_and_a_leashed_one_standing() -> None:
    for is_leashed in (False, True):
        virtual = VirtualCar(is_leashed=is_leashed)
        virtual.drive()
        virtual.run(0.5)
        virtual.is_bridge_alive = False
        virtual.run(0.6)
        assert virtual.is_moving is not is_leashed
        virtual.run(60)
        assert virtual.is_moving is not is_leashed


def test_a_start_that_hangs_and_is_obeyed_late_is_stopped_after_all() -> None:
    virtual = VirtualCar()
    virtual.grant = "drive"
    virtual.run(6)
    virtual.order("arm")
    virtual.run(1.5)
    assert virtual.mode == "ready"
    virtual.console.hung.add("/api/start_stop")
    virtual.order("start")
    virtual.run(0.1)
    virtual.console.hung.clear()  # the start hangs on; the stop finds a console that answers
    virtual.order("stop")
    virtual.run(3)
    assert virtual.mode == "ready", "a confirmation counts for nothing while the start may still be obeyed"
    virtual.run(7.5)
    assert virtual.mode == "stopped"
    assert not virtual.is_moving


def test_somebody_in_a_browser_is_left_alone_until_the_car_is_needed() -> None:
    virtual = VirtualCar()
    virtual.run(8)
    virtual.is_someone_logged_in = True
    virtual.run(120)
    assert virtual.is_someone_logged_in, "an idle bridge does not throw a person out"
    assert "Somebody has logged in" in virtual.reason
    virtual.drive()
    assert not virtual.is_someone_logged_in
    virtual.is_someone_logged_in = True
    virtual.order("stop")
    virtual.run(0.2)
    assert virtual.mode == "stopped"
    assert not virtual.is_someone_logged_in, "a stop takes the login back at once"


def test_a_person_at_the_console_of_a_driving_car_is_thrown_out_each_half_minute_at_most() -> None:
    virtual = VirtualCar()
    virtual.drive()
    thrown_out = 0
    for _ in range(120):
        thrown_out += not virtual.is_someone_logged_in
        virtual.is_someone_logged_in = True
        virtual.run(1)
    assert virtual.mode == "driving"
    assert 3 <= thrown_out <= 6


def test_a_person_who_drives_by_hand_is_not_fought() -> None:
    virtual = VirtualCar()
    virtual.run(8)
    virtual.car.set_state("manual")
    virtual.car.set_active(is_active=True)
    virtual.run(60)
    assert virtual.car.state == "manual"
    assert virtual.bridge.state(virtual.now_ns).model, "it can be armed, which sets the mode back"
    virtual.drive()
    assert virtual.car.state == "auto"


def test_another_model_in_the_console_trips_a_driving_car_and_is_replaced_when_it_is_armed() -> None:
    virtual = VirtualCar()
    virtual.drive()
    virtual.car.models.append("Other")
    virtual.car.load("Other", virtual.now_ns)
    virtual.run(3)
    assert virtual.mode == "tripped"
    assert "another model" in virtual.reason
    virtual.order("reset")
    virtual.run(0.1)
    virtual.drive()
    assert virtual.car.loaded == "Sample_single_cam"


def test_a_model_that_is_not_on_the_car_is_said_and_no_start_follows() -> None:
    virtual = VirtualCar()
    virtual.car.models.clear()
    virtual.grant = "drive"
    virtual.run(6)
    virtual.order("arm")
    virtual.run(1)
    assert "does not load the model" in virtual.reason
    assert "start" not in virtual.log


def test_a_console_that_went_away_makes_the_car_offline_and_forgets_the_model() -> None:
    virtual = VirtualCar()
    virtual.run(8)
    assert virtual.bridge.is_online(virtual.now_ns)
    virtual.is_console_away = True
    virtual.run(16)
    assert not virtual.bridge.is_online(virtual.now_ns)
    assert "does not answer" in virtual.reason
    virtual.is_console_away = False
    virtual.run(12)
    assert virtual.bridge.is_online(virtual.now_ns)
    assert virtual.car.loaded


def test_a_driving_car_whose_console_is_silent_is_stopped_and_stays_online_with_the_truth() -> None:
    virtual = VirtualCar()
    virtual.drive()
    virtual.is_console_away = True
    virtual.run(13)
    assert virtual.mode == "driving"
    assert virtual.bridge.is_online(virtual.now_ns)
    assert "has not confirmed the stop" in virtual.reason


def test_a_start_that_the_leash_does_not_let_go_for_trips() -> None:
    virtual = VirtualCar(is_leashed=True)
    virtual.grant = "drive"
    virtual.run(6)
    virtual.order("arm")
    virtual.run(1.5)
    assert virtual.mode == "ready"
    assert virtual.leash is not None
    virtual.leash.on_hold = lambda *_: None  # type: ignore[method-assign]
    virtual.order("start")
    virtual.run(2.5)
    assert virtual.mode == "tripped"
    assert "start" not in virtual.log


def test_orders_that_are_old_repeated_or_unknown_do_nothing() -> None:
    virtual = VirtualCar()
    virtual.drive()
    virtual.order("stop")
    virtual.run(0.2)
    stops = virtual.log.count("start")
    virtual.now_ns += 10 * NS_PER_S
    virtual.order("start")
    assert virtual.mode == "stopped"
    assert virtual.log.count("start") == stops


def test_a_leash_without_a_line_promises_nothing_and_confirms_nothing() -> None:
    virtual = VirtualCar(is_leashed=True, has_line=False)
    virtual.drive()
    assert virtual.bridge.promise == "best_effort"
    virtual.console.hung.add("/api/start_stop")
    virtual.obeys_late = False
    virtual.order("estop")
    virtual.run(3)
    assert virtual.mode == "driving", "its own software may write its pulse over neutral: only the console confirms"
    virtual.console.hung.clear()
    virtual.run(2)
    assert virtual.mode == "tripped"


def test_a_start_that_was_not_answered_is_followed_by_stops_for_half_a_minute_confirmed_or_not() -> None:
    """A packet that waited in a Wi-Fi gap arrives after the stop was confirmed."""
    virtual = VirtualCar()
    virtual.grant = "drive"
    virtual.run(6)
    virtual.order("arm")
    virtual.run(1.5)
    virtual.order("start")
    while "start" not in virtual.log:
        virtual.step()
    virtual.is_console_away = True
    virtual.run(0.3)
    virtual.is_console_away = False
    virtual.run(2)
    assert virtual.mode == "tripped"
    assert "may still obey it" in virtual.reason
    virtual.car.set_active(is_active=True)  # the start arrives
    virtual.run(0.2)
    assert virtual.is_moving
    assert virtual.bridge.may_move
    virtual.run(1.2)
    assert not virtual.is_moving
    stops = virtual.log.count("stop")
    virtual.run(20)
    assert virtual.log.count("stop") - stops == 20
    virtual.run(10)
    assert "may still obey it" not in virtual.reason
    assert not virtual.bridge.may_move


def test_a_login_that_was_taken_is_taken_back_before_the_start_not_within_it() -> None:
    virtual = VirtualCar()
    virtual.grant = "drive"
    virtual.run(6)
    virtual.order("arm")
    virtual.run(1.5)
    assert virtual.mode == "ready"
    virtual.is_someone_logged_in = True
    virtual.order("start")
    virtual.run(0.3)
    assert virtual.mode == "driving"
    assert [kind for kind in virtual.log if kind != "battery"][-2:] == ["loading", "start"]
