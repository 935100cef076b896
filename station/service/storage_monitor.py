"""Watches the journal and its disk: is the file there, is there enough space, and does a write return?

Called by station.py: the timing thread calls `check` before each commit, the live thread calls `check_timing_thread`.
Changes go to the pages, the log and MQTT. `fault` holds the inputs that wait while the disk refuses records.
"""

from collections.abc import Callable
from dataclasses import replace

from shared.errors import StorageError
from shared.link.interface import Link
from shared.protocol import messages as m
from shared.text import text
from station.service.inbox import QueuedInput
from station.service.storage_fault import StorageFault
from station.service.thread_watchdog import ThreadWatchdog, late_sentence
from station.store.disk_space import disk_space
from station.store.journal import Journal
from station.views.current_view import CurrentView
from station.views.system_views import StoreView

CHECK_NS = 1_000_000_000  # so that a full disk is noticed even while nothing is written
TIMING = text("The station is timing.")


class StorageMonitor:
    """The station's monitor. `watchdog` counts the rounds of the timing thread."""

    def __init__(self, journal: Journal, link: Link, view: CurrentView, log: Callable[[str], None]) -> None:
        """`log` gets each sentence for the operator's log."""
        self._journal, self._link, self._view, self._log = journal, link, view, log
        self.fault = StorageFault(self._on_fault)
        self.watchdog = ThreadWatchdog()
        self._warning = ""  # the disk is nearly full
        self._next_check_ns = 0
        self._late_s = 0

    def check(self, now_ns: int, *, storing: bool) -> None:
        """Called before each commit; `storing`: whether the commit has anything to store.

        Raises StorageError if the journal's file is gone, or the disk would refuse a record.
        """
        if not self._next_check_ns - CHECK_NS <= now_ns < self._next_check_ns:
            self._next_check_ns = now_ns + CHECK_NS
            self._check_disk()
        if storing:
            self._journal.check_presence()

    def recover(self, now_ns: int, restore: Callable[[], None]) -> list[QueuedInput]:
        """Tries the disk again if that is due, and restores the engine by `restore` if it accepts writes.

        Returns the inputs that waited, in order; empty while the disk still refuses.
        """
        if not self.fault.due(now_ns):
            return []
        try:
            self._journal.probe()
            restore()
        except StorageError as error:
            self.fault.set_sentence(str(error))
            return []
        return self.fault.release()

    def check_timing_thread(self, now_ns: int, rate: float) -> None:
        """On the live thread: reports that the timing thread hangs and for how long, and when it runs again."""
        late_s = self.watchdog.late_s(now_ns, rate)
        if late_s == self._late_s:
            return
        was_late, self._late_s = bool(self._late_s), late_s
        if not late_s:
            self._log("The journal responds again.")
            self._publish(self.fault.sentence)
            self.show()
            return
        sentence = late_sentence(late_s)
        self._view.update(store=replace(self._view.snapshot().store, ok=False, sentence=sentence))
        if not was_late:
            self._log(sentence)
            self._publish(sentence)

    def show(self) -> None:
        """Updates what the pages show: how much is stored, how much waits, and what is wrong."""
        head, fault = self._journal.head, self.fault
        sentence = fault.sentence or self._warning
        self._view.update(store=StoreView(not fault.on, sentence, fault.held, head.seq, head.hex))

    def _check_disk(self) -> None:
        """Checks the file and the free space; tries a write only if the disk looks full or read-only."""
        self._journal.check_presence()
        space = disk_space(self._journal.path)
        if space.doubtful:
            self._journal.probe()
        before, self._warning = self._warning, space.warning(self._journal.path)
        if self._warning != before:
            self.show()

    def _on_fault(self, sentence: str) -> None:
        self.show()
        self._log(sentence or "The disk accepts records again; the inputs that waited are stored now.")
        self._publish(sentence)

    def _publish(self, sentence: str) -> None:
        self._link.publish(m.StationStatus(True, sentence[:500] or TIMING))
