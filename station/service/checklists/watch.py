"""Watches the station for its checklists, on a thread of its own. Started by commands/station.py."""

import threading
import time
from collections.abc import Callable
from typing import Protocol

from shared.text import text
from station.checklists.records import ChecklistFacts
from station.checklists.register import ChecklistRegister
from station.service.checklists.sightings import at_start, sightings_after
from station.views.views import View

BETWEEN_S = 0.1  # a press of the stop button lasts longer
FACTS_S = 3.0


class WatchedStation(Protocol):
    """What the watch needs of the station."""

    def snapshot(self) -> View:
        """The newest view."""

    def wait_for_change(self, version: int, timeout_s: float) -> View | None:
        """The newest view once its version is above `version`; None if `timeout_s` goes by without a change."""


class ChecklistWatch:
    """Tells the register what is seen. `facts` reads what no view has; it is called from the watch's thread only."""

    def __init__(
        self,
        station: WatchedStation,
        register: ChecklistRegister,
        facts: Callable[[], ChecklistFacts],
        log: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._station, self._register, self._facts, self._log = station, register, facts, log
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="checklists", daemon=True)

    def start(self) -> None:
        """Begins to watch."""
        self._register.set_sightings(at_start(self._register.view.sightings))
        self._thread.start()

    def close(self) -> None:
        """Ends at once; idempotent."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self, view: View) -> None:
        """Takes in one view."""
        register = self._register
        register.set_sightings(sightings_after(register.view.sightings, view, register.view.facts))

    def read_facts(self) -> None:
        """Reads what is beside the view."""
        self._register.set_facts(self._facts())

    def _run(self) -> None:
        try:
            self._watch()
        except Exception as error:  # whatever it is: what is no longer watched must not stay ticked
            why = f"{type(error).__name__}: {error}"[:200]
            fault = text("The station no longer watches for its checklists ({why}): start it again.", why=why)
            self._log(fault)
            self._register.set_watch_fault(fault)

    def _watch(self) -> None:
        version, read_s = -1, -FACTS_S
        while not self._ending.is_set():
            if time.monotonic() - read_s >= FACTS_S:
                read_s = time.monotonic()
                self.read_facts()
            view = self._station.wait_for_change(version, 0.0)  # the event below is waited for, so that `close` ends it
            if view is not None:
                version = view.version
                self.look(view)
            self._ending.wait(BETWEEN_S)
