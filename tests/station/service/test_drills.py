"""The failure drills that need no car: a beam that stays dark, and a station whose power is cut in a run.

`docs/failure-drills.md` says what was measured here, on virtual time; the drills with a moving car were measured in the
demo, and those of the car's own faults in tests/system/vehicle/test_faults.py.
"""

import pathlib
from collections.abc import Iterator

import pytest

from shared.rules.ranking import RaceRules
from station.commands.replay import check
from station.core import inputs as e
from station.core.facts import Lap
from station.views.command_answers import Accepted, Declined
from station.web.pages.operate.checklist import checklist
from station.web.presenters.health import alarms
from tests.station.service.station_rig import MS, Rig, S

STUCK_S = 5.0  # `stuck_s` as it is shipped
SHOWN_S = 0.35  # until a page shows it: the live thread refreshes four times a second


@pytest.fixture
def rig(tmp_path: pathlib.Path) -> Iterator[Rig]:
    made = Rig(tmp_path / "station.db", RaceRules())
    yield made
    made.station.close()


def seconds_until_blocked(rig: Rig) -> float:
    """How long after now, in s of the station's clock, the pages say that the beam is blocked."""
    since_ns = rig.clock.now_ns()
    while not rig.station.snapshot().gates[0].stuck:
        assert rig.clock.now_ns() - since_ns < 60 * S
        rig.wait(50 * MS)
    return (rig.clock.now_ns() - since_ns) / S


def test_a_beam_that_stays_dark_is_said_and_no_run_starts_on_it(rig: Rig) -> None:
    rig.open()
    rig.go()
    for _ in range(3):
        rig.cross(8.0)
    rig.gate.edge("beam", broken=True)
    assert STUCK_S <= seconds_until_blocked(rig) <= STUCK_S + SHOWN_S
    view = rig.station.snapshot()
    assert alarms(view)[-1] == "Gate start: something blocks the beam of beam."
    assert len(_laps(rig)) == 2
    rig.wait(30 * S)
    assert len(_laps(rig)) == 2  # a beam that stays dark makes no further crossing
    assert isinstance(rig.give(e.FinishRun(author="judge")), Accepted)

    refused = rig.give(e.OpenRun(author="judge", racer="Ben", car="car-2"))
    assert isinstance(refused, Declined)
    assert "blocked: beam" in refused.sentence
    timed = e.OpenRun(author="judge", racer="Ben", car="car-2", hand_timed=True, reason="the beam is dark")
    assert isinstance(rig.give(timed), Accepted)
    run = rig.station.snapshot().run
    assert run is not None
    first = checklist(rig.station.snapshot(), run).lines[0]
    assert first.why == "Something blocks the beam of beam."


@pytest.mark.parametrize(("after_s", "valid", "asked"), [
    (0, [True, True], []),  # within the lockout of the last pass
    (3, [True, True, False], ["false_crossing"]),  # much shorter than a lap: held, and an official is asked
    (6, [True, True, True], []),  # as long as a quick lap: nothing tells it from a car
])  # fmt: skip
def test_the_breaking_itself_is_one_crossing(rig: Rig, after_s: int, valid: list[bool], asked: list[str]) -> None:
    rig.open()
    rig.go()
    for _ in range(3):
        rig.cross(8.0)
    rig.wait(after_s * S)
    rig.gate.edge("beam", broken=True)
    seconds_until_blocked(rig)
    rig.wait(30 * S)
    run = rig.station.snapshot().run
    assert run is not None
    assert [lap.valid for lap in run.laps] == valid
    assert [each.kind for each in run.proposals] == asked


def test_a_beam_that_is_free_again_is_ready_at_once_and_the_long_pass_is_one(rig: Rig) -> None:
    rig.open()
    rig.go()
    rig.cross(8.0)
    rig.gate.edge("beam", broken=True)
    seconds_until_blocked(rig)
    rig.gate.edge("beam", broken=False)
    for _ in range(3):  # the edge is stored, then shown at the next refresh
        rig.wait(250 * MS)
    view = rig.station.snapshot()
    assert (view.gates[0].stuck, alarms(view)) == ((), [])
    rig.cross(8.0)
    assert len(_laps(rig)) <= 2
    check(rig.station.journal)


@pytest.mark.parametrize("off_s", [4, 20, 90])
def test_after_a_power_cut_the_run_goes_on_and_only_the_lap_across_is_void(rig: Rig, off_s: int) -> None:
    rig.open()
    rig.go()
    for _ in range(3):
        rig.cross(8.0)
    rig.wait(3 * S)
    rig.clock.reboot("boot-1")  # another boot of the machine: its clock says nothing of how long it was off
    rig.clock.advance(rig.clock.now_ns() + off_s * S)
    rig.restart()
    rig.settle()
    run = rig.station.snapshot().run
    assert run is not None
    assert (run.phase, [lap.lap_ns for lap in run.laps]) == ("running", [8_200 * MS, 8_200 * MS])
    for _ in range(3):
        rig.cross(8.0)
    laps = _laps(rig)
    assert [lap.valid for lap in laps] == [True, True, False, True, True]
    assert "restarted within this lap" in laps[2].reason or "reboot" in laps[2].reason
    assert [lap.lap_ns for lap in laps if lap.valid] == [8_200 * MS] * 4
    check(rig.station.journal)


def _laps(rig: Rig) -> tuple[Lap, ...]:
    run = rig.station.snapshot().run
    assert run is not None
    return run.laps
