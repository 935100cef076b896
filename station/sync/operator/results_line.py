"""How posting goes in one line, as sync reports it to systemd, and as the doctor reads it again. Pure.

Such as "results: 12 posted, 1 waiting, 0 rejected: The leaderboard was not reached." Told by unit_status.py.
"""

import re
from dataclasses import dataclass

from station.views.system_views import SyncView

_LINE = re.compile(
    r"results: (?P<posted>\d+) posted, (?P<waiting>\d+) waiting, (?P<rejected>\d+) rejected(?: \((?P<race>[^)]+)\))?: "
    r"(?P<sentence>.+)",
    re.ASCII,
)
_NO_RACE = "race unknown"


@dataclass(frozen=True, slots=True)
class ReportedResults:
    """How many results are posted, wait or were rejected; `race_unknown`: the leaderboard lacks the race that is on."""

    posted: int
    waiting: int
    rejected: int
    sentence: str
    race_unknown: bool = False

    @property
    def is_good(self) -> bool | None:
        """None while some wait: none of them is lost, but none is on the board either."""
        if self.rejected or self.race_unknown:
            return False
        return None if self.waiting else True

    def line(self) -> str:
        """As systemd is told."""
        race = f" ({_NO_RACE})" if self.race_unknown else ""
        counts = f"{self.posted} posted, {self.waiting} waiting, {self.rejected} rejected"
        return f"results: {counts}{race}: {' '.join(self.sentence.split())}"


def reported_results(view: SyncView) -> ReportedResults:
    """As the pages' Sync tile has it."""
    return ReportedResults(view.posted, view.pending, view.rejected, str(view.sentence), view.race_unknown)


def read_results_line(line: str) -> ReportedResults | None:
    """What was told; None for anything else."""
    found = _LINE.fullmatch(line.strip())
    if found is None:
        return None
    posted, waiting, rejected = (int(found[name]) for name in ("posted", "waiting", "rejected"))
    return ReportedResults(posted, waiting, rejected, found["sentence"], found["race"] == _NO_RACE)
