"""Whatever comes in whatever order: the car never moves where the station is told that it stands."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vehicle.bridge.virtual_car import STEP_NS, VirtualCar
from vehicle.core.modes import ARMED

ACTS = (
    "arm",
    "start",
    "stop",
    "estop",
    "reset",
    "grant",
    "withdraw",
    "hang",
    "answer again",
    "away",
    "back",
    "browser",
    "other model",
)


def act(virtual: VirtualCar, what: str) -> None:
    match what:
        case "arm" | "start" | "stop" | "estop" | "reset":
            virtual.order(what)
        case "grant" | "withdraw":
            virtual.grant = "drive" if what == "grant" else "none"
        case "hang":
            virtual.console.hung |= {"/api/start_stop", "/api/drive_mode"}
        case "answer again":
            virtual.console.hung.clear()
        case "away" | "back":
            virtual.is_console_away = what == "away"
        case "browser":
            virtual.is_someone_logged_in = True
        case "other model":
            virtual.car.load("Sample_single_cam", virtual.now_ns)


@settings(max_examples=25)
@given(
    is_leashed=st.booleans(),
    obeys_late=st.booleans(),
    history=st.lists(st.tuples(st.sampled_from(ACTS), st.floats(0.01, 3.0)), max_size=8),
)
def test_it_moves_only_where_the_station_is_told_so(
    is_leashed: bool, obeys_late: bool, history: list[tuple[str, float]]
) -> None:
    virtual = VirtualCar(is_leashed=is_leashed, obeys_late=obeys_late)
    virtual.drive()
    for what, seconds in history:
        act(virtual, what)
        for _ in range(round(seconds * 1e9 / STEP_NS)):
            virtual.step()
            assert virtual.mode in ARMED or not virtual.is_moving, (what, virtual.mode, virtual.reason)
            assert not virtual.is_moving or virtual.bridge.may_move


@settings(max_examples=25)
@given(history=st.lists(st.tuples(st.sampled_from(ACTS), st.floats(0.01, 1.5)), max_size=6))
def test_a_leashed_car_stands_600_ms_after_its_bridge_died_whatever_went_before(
    history: list[tuple[str, float]],
) -> None:
    virtual = VirtualCar(is_leashed=True)
    virtual.drive()
    for what, seconds in history:
        act(virtual, what)
        virtual.run(seconds)
    virtual.is_bridge_alive = False
    virtual.run(0.6)
    for _ in range(200):
        virtual.step()
        assert not virtual.is_moving


@settings(max_examples=25)
@given(history=st.lists(st.tuples(st.sampled_from(ACTS), st.floats(0.01, 1.5)), max_size=6))
def test_a_stop_is_confirmed_in_the_end(history: list[tuple[str, float]]) -> None:
    virtual = VirtualCar()
    virtual.drive()
    for what, seconds in history:
        act(virtual, what)
        virtual.run(seconds)
    virtual.order("estop")
    virtual.console.hung.clear()
    virtual.is_console_away = False
    virtual.run(25)
    assert virtual.mode == "tripped"
    assert not virtual.is_moving
