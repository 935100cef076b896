"""Which station, journal and life of it: what makes a result's id unique over stations, journals and restores.

A backup that is put back goes on from an older record: ids and revisions that were given after it, in a life that it
knows nothing of, must not be given again. So an id carries what is drawn at each start, and the first correction in
a new life gets a revision that is higher than any that an older life can have reached.
"""

from station.core.runs.run_registry import RunIds

REVISIONS_FROM_S = 1_767_225_600  # 2026-01-01: revisions stay below 2^31 until 2094


class ResultIdentity:
    """`journal` and `start` are "" in journals from before they had a name."""

    def __init__(self, ids: RunIds) -> None:
        self.station = self.journal = self.start = ""
        self._ids = ids
        self._min_revision = 1

    def began(self, station: str, start: str) -> None:
        """The station's process started, with the random `start` of this life."""
        self.station, self.start = station, start

    def trusted(self, utc_ns: int) -> None:
        """The time of day is known: revisions of this life are above those of lives that began earlier."""
        self._min_revision = max(self._min_revision, utc_ns // 1_000_000_000 - REVISIONS_FROM_S)

    def result_id(self, race_id: str, run_id: str) -> str:
        """The id of a run's result that is due for the first time."""
        if not self.journal:
            return f"{race_id}.{run_id}"
        mine = f"{self.journal}.{self.start}"
        if self._ids.ambiguous(run_id):
            return f"{mine}.{race_id}.{run_id}"
        return f"{self.station}.{mine}.{run_id}"

    def revision_after(self, revision: int, start: str) -> int:
        """The revision that follows one that was due in the life `start`."""
        return revision + 1 if start == self.start else max(revision + 1, self._min_revision)
