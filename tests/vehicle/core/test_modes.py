"""The mode table and the ages: only arm, start and everything that driving needs lead to driving."""

import dataclasses
import itertools
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import ConfigError, Refused
from shared.protocol.messages import CarMode
from vehicle.core.frame_age import SafetyOptions, throttle_left, trip_reason
from vehicle.core.modes import ARMED, MODES, DriveReadiness, ModeEvent, ModeState, next_state

ALL: DriveReadiness = DriveReadiness(calibration=True, model=True, frames=True, lease=True)
STATES: tuple[CarMode, ...] = get_args(CarMode)
EVENTS: tuple[ModeEvent, ...] = get_args(ModeEvent)


def test_every_mode_has_its_row_and_every_row_leads_to_a_mode() -> None:
    assert set(MODES) == set(STATES)
    assert {mode for row in MODES.values() for mode in row.values()} == set(STATES)


@pytest.mark.parametrize("mode", STATES)
@pytest.mark.parametrize("event", ["stop", "estop", "trip", "withdraw"])
def test_stopping_is_never_refused_and_never_moves(mode: CarMode, event: ModeEvent) -> None:
    assert next_state(
        ModeState(mode), event, DriveReadiness(calibration=False, model=False, frames=False, lease=False)
    ).mode not in (
        "driving",
        "ready",
    )


def test_the_only_ways_into_driving_ready_and_out_of_tripped() -> None:
    into = {(mode, event) for mode, row in MODES.items() for event, to in row.items() if to == "driving"}
    assert into == {("ready", "start")}
    into = {(mode, event) for mode, row in MODES.items() for event, to in row.items() if to == "ready"}
    assert {event for _, event in into} == {"arm"}
    assert [event for event, to in MODES["tripped"].items() if to != "tripped"] == ["reset"]
    assert MODES["tripped"]["reset"] == "disarmed"


@pytest.mark.parametrize("lacking", list(itertools.product([True, False], repeat=4))[1:])
@pytest.mark.parametrize(("mode", "event"), [("disarmed", "arm"), ("stopped", "arm"), ("ready", "start")])
def test_arm_and_start_need_everything(lacking: tuple[bool, bool, bool, bool], mode: CarMode, event: ModeEvent) -> None:
    with pytest.raises(Refused, match="The car does not yet have "):
        next_state(ModeState(mode), event, DriveReadiness(*lacking))


@pytest.mark.parametrize(
    ("readiness", "sentence"),
    [
        (ALL, ""),
        (DriveReadiness(True, True, True, False), "The car does not yet have a lease from the station."),
        (DriveReadiness(True, True, False, True), "The car does not yet have fresh frames."),
        (DriveReadiness(True, False, True, True), "The car does not yet have a loaded model."),
        (
            DriveReadiness(False, True, True, True),
            "The car does not yet have a calibration (raceday vehicle calibrate).",
        ),
        (DriveReadiness(True, False, False, True), "The car does not yet have a loaded model and fresh frames."),
        (DriveReadiness(True, True, True, True, motors="No bus."), "The car does not yet have motors. No bus."),
        (
            DriveReadiness(True, True, True, True, button="No pin."),
            "The car does not yet have its emergency button. No pin.",
        ),
        (
            DriveReadiness(True, True, False, True, "No camera.", "No bus.", "No pin."),
            "The car does not yet have motors and its emergency button and fresh frames. No bus. No pin. No camera.",
        ),
        (DriveReadiness(True, True, True, True, "It was dark."), ""),
        (DriveReadiness(True, True, False, True, "It is dark."), "The car does not yet have fresh frames. It is dark."),
    ],
)
def test_what_is_missing_is_said(readiness: DriveReadiness, sentence: str) -> None:
    assert readiness.missing == sentence


@pytest.mark.parametrize("mode", STATES)
@pytest.mark.parametrize("event", EVENTS)
def test_every_cell_of_the_table_is_what_happens(mode: CarMode, event: ModeEvent) -> None:
    before, to = ModeState(mode, "before"), MODES[mode].get(event)
    if to is None:
        with pytest.raises(Refused, match=f"^The car is {mode}: it cannot {event} now.$"):
            next_state(before, event, ALL)
    elif mode == to == "tripped":
        assert next_state(before, event, ALL, "later") is before
    else:
        assert next_state(before, event, ALL, "now") == ModeState(to, "now")
        assert next_state(before, event, ALL) == ModeState(to, "")


def test_a_mode_begins_disarmed_and_facts_do_not_change() -> None:
    assert ModeState() == ModeState("disarmed", "")
    assert frozenset({"ready", "driving"}) == ARMED
    for fact, name in ((ModeState(), "mode"), (ALL, "lease")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(fact, name, "driving")
        assert not hasattr(fact, "__dict__")


def test_a_mode_that_came_over_a_wire_is_the_same_mode() -> None:
    read: Any = "".join(("trip", "ped"))  # equal, but not the very same object
    assert next_state(ModeState(read, "the first"), "trip", ALL, "a later one") == ModeState("tripped", "the first")


@given(st.lists(st.tuples(st.sampled_from(EVENTS), st.builds(DriveReadiness, *[st.booleans()] * 4))))
def test_no_walk_drives_without_arm_and_start_since_the_last_stop(walk: list[tuple[ModeEvent, DriveReadiness]]) -> None:
    state, armed, started = ModeState(), False, False
    for event, readiness in walk:
        try:
            state = next_state(state, event, readiness, event)
        except Refused:
            continue
        if event in ("stop", "estop", "trip", "withdraw", "reset"):
            armed = started = False
        armed = armed or (event == "arm" and not readiness.missing)
        started = started or (armed and event == "start" and not readiness.missing)
        assert state.mode != "driving" or (armed and started)


@given(st.lists(st.sampled_from([event for event in EVENTS if event != "reset"])))
def test_a_trip_latches_with_its_first_reason(walk: list[ModeEvent]) -> None:
    state = ModeState("tripped", "the first")
    for event in walk:
        try:
            state = next_state(state, event, ALL, "a later one")
        except Refused as refusal:
            assert "The car is tripped" in str(refusal)  # noqa: PT017 (most walks are refused nowhere)
    assert state == ModeState("tripped", "the first")


SAFETY = SafetyOptions(frame_period_ms=100.0, hold_periods=2.0, trip_periods=5.0)


@pytest.mark.parametrize(("age_ms", "left"), [(-5, 1.0), (0, 1.0), (200, 1.0), (350, 0.5), (500, 0.0), (9_000, 0.0)])
def test_the_ramp(age_ms: int, left: float) -> None:
    assert throttle_left(age_ms * 1_000_000, SAFETY) == pytest.approx(left)


@given(st.integers(-(10**9), 10**10), st.integers(0, 10**9))
def test_older_never_drives_harder(age_ns: int, more_ns: int) -> None:
    assert 0.0 <= throttle_left(age_ns + more_ns, SAFETY) <= throttle_left(age_ns, SAFETY) <= 1.0


@pytest.mark.parametrize(
    ("age_ms", "left_ms", "words"),
    [
        (500, 1, ""),
        (501, 1, "frame is 501 ms old; the limit is 500 ms"),
        (0, 0, "lease ran out"),
        (0, -1, "lease ran out"),
    ],
)
def test_what_trips(age_ms: int, left_ms: int, words: str) -> None:
    reason = trip_reason(age_ms * 1_000_000, left_ms * 1_000_000, SAFETY)
    assert (words in reason) if words else reason == ""


def test_a_ramp_must_have_a_length() -> None:
    with pytest.raises(ConfigError, match="trip_periods"):
        SafetyOptions(hold_periods=3.0, trip_periods=3.0)


NOTHING = DriveReadiness(calibration=False, model=False, frames=False, lease=False)


@pytest.mark.parametrize("mode", ["disarmed", "ready", "stopped", "tripped"])
def test_a_reset_leads_to_disarmed_from_wherever_the_car_stands(mode: CarMode) -> None:
    assert next_state(ModeState(mode, "why"), "reset", NOTHING) == ModeState("disarmed")


def test_a_driving_car_is_not_reset() -> None:
    with pytest.raises(Refused, match="cannot reset now"):
        next_state(ModeState("driving"), "reset", NOTHING)
