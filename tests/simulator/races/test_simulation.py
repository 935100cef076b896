"""Whole meetings: every seed holds, every fault alone holds, and the same seed is the same history.

RACE_SEED=7/3 repeats one meeting of two hours (seed 7, meeting 3) with all faults.
"""

import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Callable

import pytest

from simulator.races.hosts.tally import COUNTS, INVARIANTS, MeetingTally
from simulator.races.physical.fault_table import BY_NAME
from simulator.races.simulation import Simulation, simulate

ROOT = pathlib.Path(__file__).resolve().parents[3]
ALL = frozenset(BY_NAME)
# The command with meetings of a quarter of an hour, so that half an hour is two of them, for two processes.
SAME = (
    "import sys; from simulator.races import simulation; simulation.MEETING_H = 0.25; "
    "from raceday.__main__ import main; sys.exit(main(sys.argv[1:]))"
)
WORDS = ("race", "simulate", "--seed", "5", "--hours", "0.5", "--json", "--jobs")

# How much more often a fault strikes when it is alone, so that ten minutes see it.
TIMES = {
    "side_by_side": 3,
    "double_trigger": 10,
    "missed_edge": 20,
    "lost_edge": 40,
    "missed_crossing": 25,
    "car_blind": 20,
    "sensor_noise": 15,
    "lost_message": 8,
    "late_message": 10,
    "repeated_message": 10,
    "partition": 25,
    "broker_restart": 25,
    "car_restart": 25,
    "car_trip": 60,
    "cloned_car": 40,
    "station_restart": 25,
    "station_reboot": 25,
    "disk_full": 25,
    "clock_step": 40,
    "untrusted_clock": 3,
    "sync_restart": 40,
    "leaderboard_down": 12,
    "leaderboard_restart": 40,
    "leaderboard_500": 10,
    "leaderboard_500_after_apply": 10,
    "leaderboard_timeout": 10,
    "portal": 10,
    "duplicate_post": 10,
}


def _broken(tally: MeetingTally) -> dict[str, list[str]]:
    return {name: invariant.broken for name, invariant in tally.invariants.items() if not invariant.held}


@pytest.mark.slow
def test_without_faults_every_lap_is_the_truth_and_nothing_needs_an_excuse(
    hold_meeting: Callable[..., MeetingTally],
) -> None:
    tally = hold_meeting("calm/0", 10, [])
    assert _broken(tally) == {}
    assert set(tally.excused) <= {"lap: an official's crossing", "lap: dropped by an official"}
    assert tally.laps > 10
    assert tally.results > 0
    assert all(tally.invariants[name].checked for name in INVARIANTS)


@pytest.mark.slow
@pytest.mark.parametrize("kind", sorted(BY_NAME))
def test_each_fault_alone_breaks_nothing(kind: str, hold_meeting: Callable[..., MeetingTally]) -> None:
    tally = hold_meeting(f"alone-{kind}/0", 10, [kind], TIMES[kind])
    assert tally.faults[kind] > 0, "it must have struck"
    assert set(tally.faults) <= {kind}
    assert _broken(tally) == {}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 7))
def test_seeds_hold_with_all_faults(seed: int, hold_meeting: Callable[..., MeetingTally]) -> None:
    tally = hold_meeting(f"test-{seed}/0", 20 + 10 * (seed % 3), ALL)
    assert _broken(tally) == {}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 4))
def test_seeds_hold_when_everything_fails_at_once(seed: int, hold_meeting: Callable[..., MeetingTally]) -> None:
    tally = hold_meeting(f"storm-{seed}/0", 30, ALL, 4.0)
    assert _broken(tally) == {}


@pytest.mark.slow
def test_one_meeting_by_name(hold_meeting: Callable[..., MeetingTally]) -> None:
    seed = os.environ.get("RACE_SEED")
    tally = hold_meeting(seed or "1/0", 120 if seed else 5, ALL)
    assert _broken(tally) == {}


@pytest.mark.slow
def test_the_same_seed_is_the_same_history_whatever_the_hash_seed_and_the_processes() -> None:
    """Two interpreters with different string hashes, and another number of processes."""
    ends = []
    for hash_seed, jobs in (("1", "1"), ("2", "2")):
        done = subprocess.run(
            [sys.executable, "-c", SAME, *WORDS, jobs],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            timeout=150,
            check=True,
        )
        end = json.loads(done.stdout.splitlines()[-1])
        end.pop("wall_s")
        ends.append(end)
    assert ends[0] == ends[1]
    assert ends[0]["faults"]


@pytest.mark.slow
def test_another_seed_is_another_history(hold_meeting: Callable[..., MeetingTally]) -> None:
    first = hold_meeting("a/0", 6, ALL).heads
    assert first == hold_meeting("a/0", 6, ALL).heads != hold_meeting("a/1", 6, ALL).heads


def test_the_report_says_what_the_contract_asks(tmp_path: pathlib.Path) -> None:
    progress: list[float] = []
    simulation = Simulation(3, 0.1, ALL, jobs=1, keep=tmp_path / "kept")
    document = simulate(simulation, lambda hours, _tally: progress.append(hours)).as_json()
    assert progress == [0.1]
    assert {"seed", "hours", "journal_hash", "faults", "invariants", "wall_s", *COUNTS} <= set(document)
    assert document["invariants"].keys() == INVARIANTS.keys()  # type: ignore[attr-defined]
    assert sorted(p.name for p in (tmp_path / "kept" / "meeting-0000").glob("*.db")) == [
        "board.db",
        "station.db",
        "sync.db",
    ]
