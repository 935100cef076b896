"""The checker can fail: each bug put into the product breaks the invariant that guards against it.

A bug is put in by changing one method, the meeting is held, and the named invariant must not hold. Without
the bug every invariant of the same meeting holds, so it is the bug that is detected.
"""

from collections.abc import Callable

import pytest

from simulator.races.hosts.tally import MeetingTally
from tests.simulator.races import publishing_bugs, timing_bugs

pytestmark = pytest.mark.slow
HoldMeeting = Callable[..., MeetingTally]
Patch = pytest.MonkeyPatch
Sabotage = Callable[[Patch], None]

MINUTES = (5, 15, 40)
# What exposes these is rare: they may need a longer meeting.
RARE = {timing_bugs.counts_an_incident_when_it_was_said, publishing_bugs.takes_silence_for_yes}

# Meetings of five minutes that expose what takes longer in the usual one.
SEEDS: dict[Sabotage, str] = {
    timing_bugs.computes_over_a_reboot: "sabotage/2",
    publishing_bugs.takes_silence_for_yes: "sabotage/1",
}

# sabotage, the invariant that must break, the faults that expose it, how much more often than usual
CASES: tuple[tuple[Sabotage, str, tuple[str, ...], float], ...] = (
    (timing_bugs.drops_every_tenth_edge, "no_crossing_lost", (), 1),
    (timing_bugs.forgets_what_the_gate_remembers, "no_crossing_lost", ("station_restart",), 60),
    (timing_bugs.stamps_with_the_time_of_day, "crossings_true", ("clock_step",), 40),
    (timing_bugs.stamps_late, "crossings_true", (), 1),
    (timing_bugs.debounces_by_the_last_edge, "crossings_true", (), 1),
    (timing_bugs.has_no_lockout, "crossings_true", ("double_trigger",), 10),
    (publishing_bugs.misses_every_fifth_crossing, "laps_by_the_rules", (), 1),
    (timing_bugs.takes_a_lap_too_soon, "laps_by_the_rules", ("sensor_noise",), 100),
    (timing_bugs.deletes_laps_that_are_void, "laps_by_the_rules", (), 1),
    (timing_bugs.counts_an_incident_when_it_was_said, "laps_by_the_rules", (), 1),
    (timing_bugs.computes_over_a_reboot, "laps_by_the_rules", ("station_reboot",), 60),
    (timing_bugs.forgets_the_time_limit, "laps_by_the_rules", (), 1),
    (timing_bugs.rounds_scores, "laps_by_the_rules", (), 1),
    (publishing_bugs.leases_to_whoever_beats, "one_lease", ("cloned_car",), 40),
    (publishing_bugs.acknowledges_before_the_commit, "reports_kept", (), 1),
    (publishing_bugs.loses_reports_of_a_known_car, "reports_kept", (), 1),
    (publishing_bugs.forgets_reports_once_sent, "reports_kept", ("broker_restart", "partition"), 60),
    (publishing_bugs.tells_before_the_commit, "shown_is_stored", (), 1),
    (publishing_bugs.shows_a_lap_that_is_not_stored, "shown_is_stored", (), 1),
    (publishing_bugs.accepts_what_the_disk_refused, "rulings_kept", ("disk_full",), 80),
    (publishing_bugs.posts_under_a_new_id_each_time, "applied_once", (), 1),
    (publishing_bugs.changes_the_body_on_a_repeat, "applied_once", ("leaderboard_500_after_apply",), 10),
    (publishing_bugs.applies_a_repeat_again, "applied_once", ("duplicate_post",), 10),
    (publishing_bugs.takes_silence_for_yes, "healed", ("leaderboard_timeout",), 10),
    (publishing_bugs.gives_up_after_one_try, "healed", ("leaderboard_500",), 10),
    (publishing_bugs.gives_up_on_a_wrong_clock, "healed", ("clock_step",), 40),
    (publishing_bugs.ranks_the_worst_run, "standings_agree", (), 1),
    (publishing_bugs.numbers_crossings_by_the_process, "replay_agrees", (), 1),
    (publishing_bugs.rewrites_history, "replay_agrees", (), 1),
)


@pytest.mark.parametrize(("sabotage", "invariant", "kinds", "times"), CASES, ids=[case[0].__name__ for case in CASES])
def test_the_bug_is_seen(
    sabotage: Sabotage,
    invariant: str,
    kinds: tuple[str, ...],
    times: float,
    hold_meeting: HoldMeeting,
    monkeypatch: Patch,
) -> None:
    sabotage(monkeypatch)
    for minutes in (*MINUTES, 120) if sabotage in RARE else MINUTES:  # the shortest meeting that exposes it
        tally = hold_meeting(SEEDS.get(sabotage, "sabotage/0"), minutes, kinds, times)
        broken = {name: inv.broken for name, inv in tally.invariants.items() if not inv.held}
        if invariant in broken:
            return
    pytest.fail(f"only {broken} broke; {tally.faults}")


def test_the_same_meeting_holds_without_a_bug(hold_meeting: HoldMeeting) -> None:
    kinds = sorted({kind for case in CASES for kind in case[2]})
    tally = hold_meeting("sabotage/0", 40, kinds, 10)
    assert {name: inv.broken for name, inv in tally.invariants.items() if not inv.held} == {}
