"""Makes a result's id unique across stations, journals and restored backups, from the station, journal and start.

A restored backup continues from an older record and does not know the ids and revisions that were given after it. They
must not be given again, so an id contains the random value of its start, and the first correction after a new start
gets a higher revision than any earlier start can have reached.
"""

from station.core.runs.run_registry import RunIds

REVISIONS_FROM_S = 1_767_225_600  # 2026-01-01: revisions stay below 2^31 until 2094


class ResultIdentity:
    """The parts of a result's id; `journal` and `start` are "" in journals that were made without a name."""

    def __init__(self, ids: RunIds) -> None:
        self.station = self.journal = self.start = ""
        self._ids = ids
        self._min_revision = 1

    def began(self, station: str, start: str) -> None:
        """The station's process started, with this random `start`."""
        self.station, self.start = station, start

    def trusted(self, utc_ns: int) -> None:
        """The time of day is known: from now on, revisions are higher than those of earlier starts."""
        self._min_revision = max(self._min_revision, utc_ns // 1_000_000_000 - REVISIONS_FROM_S)

    def result_id(self, race_id: str, run_id: str) -> str:
        """The id of a run's result when it is due for the first time."""
        if not self.journal:
            return f"{race_id}.{run_id}"
        origin = f"{self.journal}.{self.start}"
        if self._ids.ambiguous(run_id):
            return f"{origin}.{race_id}.{run_id}"
        return f"{self.station}.{origin}.{run_id}"

    def revision_after(self, revision: int, start: str) -> int:
        """The revision that follows `revision`, which was due under `start`."""
        return revision + 1 if start == self.start else max(revision + 1, self._min_revision)
