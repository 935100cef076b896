"""The register of the checklists: thread-safe, in one JSON file beside the journal. Used by the web app and the watch.

What an official ticks is on the disk before it is shown. What the station saw is written when it changes; if the disk
refuses that, it is said once, and nothing but what was seen in the last while is lost at a restart.
"""

import pathlib
import threading
from collections.abc import Callable
from dataclasses import replace

from shared.errors import BadInput, StorageError
from shared.files import remedy_of, write_whole
from shared.text import text
from station.checklists.items import ITEMS
from station.checklists.records import ChecklistFacts, ChecklistsView, HandTick, StationSightings
from station.checklists.stored_file import FILE, MAX_BYTES, StoredChecklists, as_bytes, checklists_in

UNREADABLE = f"{FILE}.unreadable"


class ChecklistRegister:
    """Every method is safe from any thread; `view` is replaced as a whole. `log` gets what went wrong."""

    def __init__(self, data_dir: pathlib.Path | None, log: Callable[[str], None] = lambda _: None) -> None:
        """`data_dir` None: nothing is stored. A file that cannot be read is put aside and reported."""
        self._file = None if data_dir is None else data_dir / FILE
        self._log = log
        self._refused = ""
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        stored = self._read()
        self.view = ChecklistsView(stored.ticks, stored.sightings)

    def on_change(self, listener: Callable[[], None]) -> None:
        """`listener` is called after each change, on the thread that made it."""
        self._listeners.append(listener)

    def tick(self, key: str, person: str, now_utc_ns: int, *, on: bool, device: str = "") -> HandTick:
        """An official says that a line is done, or that it is not. Raises BadInput, StorageError."""
        item = ITEMS.get(key)
        if item is None:
            raise BadInput(text("There is no such line on the checklists."))
        if item.by_station:
            raise BadInput(text("The station ticks this line by itself, once it is so."))
        tick = HandTick(key, person, now_utc_ns, on, device)
        with self._lock:
            ticks = tuple(each for each in self.view.ticks if each.key != key)
            self._put(replace(self.view, ticks=(*ticks, tick)))
        self._changed()
        return tick

    def set_sightings(self, sightings: StationSightings) -> None:
        """What the station has seen by now."""
        with self._lock:
            if sightings == self.view.sightings:
                return
            changed = replace(self.view, sightings=sightings)
            try:
                self._put(changed)
                self._refused = ""
            except StorageError as error:
                self.view = changed
                if not self._refused:
                    self._log(str(error))
                self._refused = str(error)
        self._changed()

    def set_facts(self, facts: ChecklistFacts) -> None:
        """What was read from beside the view; it is never stored."""
        with self._lock:
            if facts == self.view.facts:
                return
            self.view = replace(self.view, facts=facts)
        self._changed()

    def set_watch_fault(self, fault: str) -> None:
        """Why nobody watches the station for its lines any more; it is never stored."""
        with self._lock:
            self.view = replace(self.view, watch_fault=fault)
        self._changed()

    def _put(self, view: ChecklistsView) -> None:
        """Stores the view, then shows it. Raises StorageError."""
        if self._file is not None:
            try:
                write_whole(self._file, as_bytes(StoredChecklists(view.ticks, view.sightings)), is_durable=True)
            except BadInput:
                raise StorageError(
                    text(
                        "The checklists are larger than {limit} MB and are not stored: move {file} away, and start the "
                        "station again.",
                        limit=MAX_BYTES // 1_000_000,
                        file=FILE,
                    )
                ) from None
            except OSError as error:
                why = error.strerror or type(error).__name__
                raise StorageError(
                    text("The checklists could not be stored ({why}): {remedy}.", why=why, remedy=remedy_of(error))
                ) from None
        self.view = view

    def _read(self) -> StoredChecklists:
        if self._file is None or not self._file.exists():
            return StoredChecklists()
        try:
            return checklists_in(self._file.read_bytes())
        except (OSError, BadInput) as error:
            self._log(
                text(
                    "{file} cannot be read and is kept as {aside}, so the checklists begin anew: {why}",
                    file=FILE,
                    aside=UNREADABLE,
                    why=str(error),
                )
            )
            self._put_aside(self._file)
            return StoredChecklists()

    def _put_aside(self, file: pathlib.Path) -> None:
        try:
            file.replace(file.with_name(UNREADABLE))
        except OSError as error:
            self._log(text("{file} could not be put aside: {why}", file=FILE, why=error.strerror or ""))

    def _changed(self) -> None:
        for listener in self._listeners:
            listener()
