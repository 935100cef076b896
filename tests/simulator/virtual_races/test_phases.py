"""The phases of a run: the whole table, penalties that count, and resets that run out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import BadInput
from simulator.virtual_races.phases import (
    NS_PER_S,
    RESETTING,
    Occurrence,
    Phase,
    ResetRules,
    VirtualRunState,
    begin,
    occur,
    on_time,
)

RULES = ResetRules(max_resets=3)
READY, FINISHED, TIME_UP = Occurrence.READY, Occurrence.FINISHED, Occurrence.TIME_UP

WANTED = {
    Phase.PREPARE: {READY: Phase.RUN, TIME_UP: Phase.PARK},
    Phase.RUN: dict.fromkeys(RESETTING, Phase.PAUSE) | {FINISHED: Phase.PARK, TIME_UP: Phase.PARK},
    Phase.PAUSE: {READY: Phase.RUN, FINISHED: Phase.PARK, TIME_UP: Phase.PARK},
    Phase.PARK: {},
}


@pytest.mark.parametrize(("phase", "what"), [(p, o) for p in Phase for o in Occurrence])
def test_every_phase_knows_what_follows(phase: Phase, what: Occurrence) -> None:
    state = VirtualRunState(phase)
    step = occur(state, what, 0, RULES)
    assert step.state.phase is WANTED[phase].get(what, phase)
    assert step.put_back is (step.state.phase is Phase.PAUSE and phase is Phase.RUN)
    if step.state.phase is phase:
        assert step.state == state


@pytest.mark.parametrize(
    ("reset", "penalty_s"),
    [
        (Occurrence.OFF_TRACK, 2),
        (Occurrence.CRASHED, 5),
        (Occurrence.REVERSED, 2),
        (Occurrence.IMMOBILIZED, 2),
    ],
)
def test_a_penalty_is_a_pause_of_its_seconds(reset: Occurrence, penalty_s: int) -> None:
    at_ns = 7 * NS_PER_S
    state = occur(VirtualRunState(Phase.RUN), reset, at_ns, RULES).state
    assert on_time(state, at_ns + penalty_s * NS_PER_S - 1, RULES).phase is Phase.PAUSE
    assert on_time(state, at_ns + penalty_s * NS_PER_S, RULES).phase is Phase.RUN
    assert state.count(reset) == 1


def test_a_countdown_comes_first() -> None:
    rules = ResetRules(countdown_s=10.0)
    state = begin(rules, NS_PER_S)
    assert on_time(state, 11 * NS_PER_S - 1, rules).phase is Phase.PREPARE
    assert on_time(state, 11 * NS_PER_S, rules).phase is Phase.RUN


def test_a_run_is_parked_when_its_resets_are_used_up() -> None:
    state = VirtualRunState(Phase.RUN)
    for _ in range(3):
        step = occur(state, Occurrence.OFF_TRACK, 0, RULES)
        assert step.put_back
        state = on_time(step.state, 60 * NS_PER_S, RULES)
    step = occur(state, Occurrence.CRASHED, 61 * NS_PER_S, RULES)
    assert step.state.phase is Phase.PARK
    assert step.state.ended_by is Occurrence.CRASHED
    assert not step.put_back
    assert step.state.count(Occurrence.OFF_TRACK) == 3


@given(st.lists(st.tuples(st.sampled_from(Occurrence), st.integers(0, 5 * NS_PER_S)), max_size=80))
def test_whatever_happens_resets_stay_within_the_limit_and_a_parked_run_stays(
    happened: list[tuple[Occurrence, int]],
) -> None:
    state, at_ns, parked = begin(RULES, 0), 0, None
    for what, wait_ns in happened:
        at_ns += wait_ns
        state = occur(on_time(state, at_ns, RULES), what, at_ns, RULES).state
        assert len(state.resets) <= RULES.max_resets
        assert (state.ended_by is not None) is (state.phase is Phase.PARK)
        assert parked is None or state == parked
        parked = state if state.phase is Phase.PARK else None


def test_rules_out_of_range_are_refused() -> None:
    with pytest.raises(BadInput, match=r"A penalty or countdown of -1.0 s is not allowed: it must be 0 to 60 s"):
        ResetRules(crashed_s=-1.0)
    with pytest.raises(BadInput, match=r"A run may have 0 to 10000 resets, not -1"):
        ResetRules(max_resets=-1)
