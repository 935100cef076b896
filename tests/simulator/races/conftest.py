"""Short meetings for tests: `hold_meeting(seed, minutes, kinds, times)` runs one in memory and gives its tally."""

import dataclasses
import pathlib
import tempfile
from collections.abc import Callable, Iterable, Iterator

import pytest

from shared.units import NS_PER_S
from simulator.races.hosts.tally import MeetingTally
from simulator.races.physical import fault_table
from simulator.races.race_day import hold
from simulator.races.simulation import scratch

HoldMeeting = Callable[..., MeetingTally]
USUAL = dict(fault_table.BY_NAME)


@pytest.fixture
def hold_meeting(monkeypatch: pytest.MonkeyPatch) -> Iterator[HoldMeeting]:
    """`times`: how much more often than usual the named faults strike, so that minutes are enough."""
    count = 0
    scratch_folder = tempfile.TemporaryDirectory(prefix="raceday-races-", dir=scratch())

    def run(seed: str, minutes: float, kinds: Iterable[str], times: float = 1.0) -> MeetingTally:
        nonlocal count
        count += 1
        chosen = frozenset(kinds)
        for name in chosen:
            kind = USUAL[name]
            max_rate = {"hour": 1e9, "meeting": 1.0}.get(kind.per, 0.5)
            monkeypatch.setitem(
                fault_table.BY_NAME, name, dataclasses.replace(kind, rate=min(max_rate, kind.rate * times))
            )
        folder = pathlib.Path(scratch_folder.name) / f"meeting-{count}"
        folder.mkdir()
        return hold(seed, round(minutes * 60 * NS_PER_S), chosen, folder)

    yield run
    scratch_folder.cleanup()
