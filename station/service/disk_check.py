"""Will the disk take the next crossing? Checked each second, so that a calm race does not hide a disk that is full.

Called by station.py before it commits.
"""

from station.store.disk_space import disk_space
from station.store.journal import Journal

CHECK_NS = 1_000_000_000


class DiskCheck:
    """`warning` says that the disk is nearly full, "" if it is not."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._next_ns = 0
        self.warning = ""

    def check(self, now_ns: int) -> None:
        """At most once a second; it writes only where the free space is in doubt.

        Raises StorageError if the journal's file is gone, or the disk would refuse a record.
        """
        if self._next_ns - CHECK_NS <= now_ns < self._next_ns:
            return
        self._next_ns = now_ns + CHECK_NS
        self._journal.check_presence()
        space = disk_space(self._journal.path)
        if space.doubtful:
            self._journal.probe()
        self.warning = space.warning(self._journal.path)
