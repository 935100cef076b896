"""Leases and orders on their own: whatever cars send, none drives without a permit and none re-arms by itself."""

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.protocol import messages as m
from station.service.cars.car_control import CarControl
from station.service.cars.controlled_car import AFTER_RESET, NEXT_ORDER, DrivePermit
from station.service.cars.order_writer import Reply
from station.views.car_views import CarView

MS = 1_000_000
MODES: tuple[m.CarMode, ...] = ("disarmed", "ready", "driving", "stopped", "tripped")
GOALS = tuple(NEXT_ORDER)


def order_actions(replies: list[Reply]) -> list[str]:
    return [body.action for _, body in replies if isinstance(body, m.DriveOrder)]


def test_an_order_before_the_car_was_heard_waits_for_its_first_beat() -> None:
    cars = CarControl(500, 2000, "n")
    assert cars.order("car-1", "arm", 60, 0) == []
    replies = cars.on_heartbeat("car-1", "b", m.CarHeartbeat(1, "disarmed"), 10)
    order = next(body for _, body in replies if isinstance(body, m.DriveOrder))
    assert (order.action, order.boot, order.heartbeat, order.throttle_percent) == ("arm", "b", 1, 60)


def test_an_order_gets_a_new_id_once_its_time_is_over() -> None:
    cars = CarControl(500, 2000, "n")
    cars.on_heartbeat("car-1", "b", m.CarHeartbeat(1, "disarmed"), 0)
    ids = [body.order_id for _, body in cars.order("car-1", "arm", None, 0) if isinstance(body, m.DriveOrder)]
    for beat in range(2, 45):
        replies = cars.on_heartbeat("car-1", "b", m.CarHeartbeat(beat, "disarmed"), beat * 100 * MS)
        ids += [body.order_id for _, body in replies if isinstance(body, m.DriveOrder)]
    assert sorted(set(ids)) == ["n-1", "n-2", "n-3"]
    assert len(ids) > len(set(ids))


def test_start_arms_first() -> None:
    cars = CarControl(500, 2000, "n")
    cars.permit([DrivePermit("car-1", "run-1", True)])
    cars.on_heartbeat("car-1", "b", m.CarHeartbeat(1, "disarmed"), 0)
    assert order_actions(cars.order("car-1", "start", None, 0)) == ["arm"]
    assert order_actions(cars.on_heartbeat("car-1", "b", m.CarHeartbeat(2, "ready"), 100 * MS)) == ["start"]
    assert order_actions(cars.on_heartbeat("car-1", "b", m.CarHeartbeat(3, "driving"), 200 * MS)) == []
    assert order_actions(cars.on_heartbeat("car-1", "b", m.CarHeartbeat(4, "ready"), 300 * MS)) == []


def test_a_tripped_car_is_not_started_and_says_so() -> None:
    cars = CarControl(500, 2000, "n")
    cars.on_heartbeat("car-1", "b", m.CarHeartbeat(1, "tripped"), 0)
    cars.order("car-1", "start", None, 0)
    assert order_actions(cars.on_heartbeat("car-1", "b", m.CarHeartbeat(2, "tripped"), 100 * MS)) == []
    assert cars.views(200 * MS)[0].alarm == "car-1 is tripped: it cannot start now; use `resume`."


def test_after_an_emergency_stop_there_is_no_lease_until_an_official_says_so() -> None:
    cars = CarControl(500, 2000, "n")
    cars.permit([DrivePermit("car-1", "run-1", True)])
    cars.on_heartbeat("car-1", "b", m.CarHeartbeat(1, "driving"), 0)
    assert order_actions(cars.order("car-1", "estop", None, 0)) == ["estop"]
    assert not cars.views(0)[0].leased
    cars.on_heartbeat("car-1", "b", m.CarHeartbeat(2, "tripped"), 100 * MS)
    assert not cars.views(0)[0].leased
    cars.order("car-1", "resume", None, 0)
    assert cars.views(0)[0].leased


# The goals towards which an order may be sent.
MAY: dict[str, tuple[str, ...]] = {
    "arm": ("arm", "start", "resume", "rearm"),
    "start": ("start", "resume"),
    "reset": ("reset", "resume", "rearm"),
    "stop": (*GOALS, ""),
}
_EVENTS = st.one_of(
    st.tuples(st.just("mode"), st.sampled_from(MODES)),
    st.tuples(st.just("order"), st.sampled_from(GOALS)),
    st.tuples(st.just("permit"), st.booleans()),
)


@settings(deadline=None, max_examples=200)
@given(st.lists(_EVENTS, max_size=40))
def test_whatever_is_said(events: list[tuple[str, object]]) -> None:
    """There is no lease without a permit; `start` and `reset` are sent only towards a goal that an official set."""
    cars, now_ns, permitted, trusted = CarControl(500, 2000, "n"), 0, False, ""
    for beat, (kind, value) in enumerate(events, 1):
        now_ns += 600 * MS
        if kind == "permit":
            permitted = bool(value)
            cars.permit([DrivePermit("car-1", "run-1", True)] if permitted else [])
            continue
        if kind == "order":
            if not (trusted == "estop" and value == "stop"):
                trusted = str(value)
            cars.order("car-1", value, None, now_ns)  # type: ignore[arg-type]
            continue
        replies = cars.on_heartbeat("car-1", "b", m.CarHeartbeat(beat, value), now_ns)  # type: ignore[arg-type]
        lease = next(body for _, body in replies if isinstance(body, m.Lease))
        assert lease.grant == "none" or permitted
        assert all(trusted in MAY.get(action, GOALS) for action in order_actions(replies))
        if value != "tripped":
            trusted = AFTER_RESET.get(trusted, trusted)  # type: ignore[call-overload]
        if trusted in NEXT_ORDER and NEXT_ORDER[trusted].get(value, None) is None:  # type: ignore[call-overload]
            trusted = "" if trusted != "estop" else trusted


def test_free_practice_from_a_phone_is_not_stopped() -> None:
    cars = CarControl(500, 2000, "n")
    assert order_actions(cars.on_state("car-1", m.CarState(True, "driving", practice=True), 0)) == []
    for beat in range(1, 100):
        replies = cars.on_heartbeat("car-1", "b", m.CarHeartbeat(beat, "driving", practice=True), beat * 100 * MS)
        assert order_actions(replies) == []
        assert [body.grant for _, body in replies if isinstance(body, m.Lease)] == ["none"]
        assert cars.views(beat * 100 * MS)[0].practice


def test_a_car_that_drives_without_any_lease_is_stopped() -> None:
    cars = CarControl(500, 2000, "n")
    assert order_actions(cars.on_heartbeat("car-1", "b", m.CarHeartbeat(1, "driving"), 0)) == ["stop"]


def test_practice_ends_with_a_run_and_with_an_emergency_stop() -> None:
    cars = CarControl(500, 2000, "n")
    cars.on_heartbeat("car-1", "b", m.CarHeartbeat(1, "driving", practice=True), 0)
    assert order_actions(cars.order("car-1", "estop", None, 0)) == ["estop"]
    cars.on_heartbeat("car-1", "b", m.CarHeartbeat(2, "tripped"), 100 * MS)
    # A car that drives on nevertheless, under a phone's lease, is stopped while the emergency stop is in force.
    assert order_actions(cars.on_heartbeat("car-1", "b", m.CarHeartbeat(3, "driving", practice=True), 200 * MS)) == [
        "stop"
    ]
    other = CarControl(500, 2000, "n")
    other.permit([DrivePermit("car-1", "run-1", False)])
    replies = other.on_heartbeat("car-1", "b", m.CarHeartbeat(1, "driving", practice=True), 0)
    assert [body.grant for _, body in replies if isinstance(body, m.Lease)] == ["drive"]


def driving_with(percent: int | None, colour: str = "") -> CarView:
    """What the pages show of a car that drives its run, with this charge and colour."""
    cars = CarControl(500, 2000, "n")
    cars.permit([DrivePermit("car-1", "run-1", True)])
    cars.on_heartbeat("car-1", "b", m.CarHeartbeat(1, "driving"), 0)
    cars.on_state("car-1", m.CarState(True, "driving", battery_percent=percent, colour=colour), 0, "b")
    return cars.views(10 * MS)[0]


def test_a_battery_that_is_nearly_empty_in_a_run_is_an_alarm() -> None:
    assert driving_with(9).alarm == "The battery of car-1 is nearly empty: 9 % are left."
    assert driving_with(10).alarm == driving_with(None).alarm == ""


def test_the_pages_show_what_a_car_promises() -> None:
    cars = CarControl(500, 2000, "n")
    cars.on_heartbeat("car-1", "b", m.CarHeartbeat(1, "disarmed"), 0)
    assert cars.views(10 * MS)[0].promise == "lease", "a car that says nothing has our guard"
    cars.on_state("car-1", m.CarState(True, "disarmed", promise="best_effort"), 0, "b")
    assert cars.views(10 * MS)[0].promise == "best_effort"


def test_a_cars_colour_is_taken_only_if_it_is_one() -> None:
    """It goes into a page's drawing, and a car may send anything."""
    assert driving_with(80, "#46C8f5").colour == "#46C8f5"
    for sent in ("red", "url(http://x)", '#46c8f5" onload="', "#46c8f5\n"):
        assert driving_with(80, sent).colour == ""
