"""The register of the screens: thread-safe, in one JSON file beside the journal. Used by the web app.

A browser registers by itself when it opens a screen; officials name it, choose what it shows, or let it show its name.
"""

import pathlib
import threading
from collections.abc import Callable
from dataclasses import replace

from pydantic import TypeAdapter, ValidationError

from shared.errors import BadInput, Refused
from shared.files import write_whole
from shared.text import text
from station.screens.records import (
    KINDS,
    MAX_COUNTDOWN_S,
    MAX_MESSAGE_CHARS,
    MAX_NAME_CHARS,
    MAX_SCREENS,
    MODES,
    SCENES,
    SOUNDS,
    Screen,
    ScreensView,
)

FILE = "screens.json"
SEEN_EVERY_NS = 5_000_000_000  # how exactly it is shown when a screen was last seen
AWAY_NS = 15_000_000_000  # a screen that has not asked for this long is away
_STORED = TypeAdapter(ScreensView)
_CHOICES: dict[str, tuple[str, ...]] = {"kind": KINDS, "mode": MODES, "sound": SOUNDS}


class ScreenRegister:
    """All screens. Every method is safe from any thread; `view` is replaced as a whole. `log` gets what went wrong."""

    def __init__(self, data_dir: pathlib.Path | None, log: Callable[[str], None] = lambda _: None) -> None:
        """`data_dir` None: nothing is stored. A file that cannot be read is reported, and the register begins anew."""
        self._file = None if data_dir is None else data_dir / FILE
        self._log = log
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self.view = self._read()

    def on_change(self, listener: Callable[[], None]) -> None:
        """`listener` is called after each change, on the thread that made it."""
        self._listeners.append(listener)

    def here(self, screen_id: str, page: str, width: int, height: int, now_utc_ns: int) -> None:
        """A browser says that it is here. Raises Refused if there is no place for one more screen."""
        with self._lock:
            known = next((each for each in self.view.screens if each.screen_id == screen_id), None)
            screen = known or self._new(screen_id, now_utc_ns)
            screen = replace(screen, page=page, width=width, height=height)
            if screen == known and now_utc_ns - screen.seen_utc_ns < SEEN_EVERY_NS:
                return
            self._put(replace(screen, seen_utc_ns=now_utc_ns), store=known is None)
        self._changed()

    def change(self, screen_id: str, **values: str) -> None:
        """Changes a screen's name, kind, mode or sound. Raises BadInput."""
        with self._lock:
            screen = self._known(screen_id)
            for field, value in values.items():
                if field == "name":
                    if not value.strip() or len(value) > MAX_NAME_CHARS:
                        raise BadInput(text("A screen's name has 1 to {limit} characters.", limit=MAX_NAME_CHARS))
                elif value not in _CHOICES.get(field, ()):
                    allowed = ", ".join(_CHOICES.get(field, ("name", *_CHOICES)))
                    raise BadInput(text("A screen's {field} is one of: {allowed}.", field=field[:20], allowed=allowed))
                screen = replace(screen, **{field: value.strip()})  # type: ignore[arg-type]
            self._put(screen)
        self._changed()

    def identify(self, screen_id: str) -> None:
        """Lets a screen show its name large for a few seconds. Raises BadInput."""
        with self._lock:
            screen = self._known(screen_id)
            self._put(replace(screen, identified=screen.identified + 1), store=False)
        self._changed()

    def reload(self, screen_id: str = "") -> None:
        """Lets a screen load its page anew; "": all screens. Raises BadInput."""
        with self._lock:
            chosen = [self._known(screen_id)] if screen_id else self.view.screens
            for screen in chosen:
                self._put(replace(screen, reloaded=screen.reloaded + 1), store=False)
        self._changed()

    def forget(self, screen_id: str) -> None:
        """Removes a screen; it registers anew if it is still open. Raises BadInput."""
        with self._lock:
            gone = self._known(screen_id)
            self._store(replace(self.view, screens=tuple(each for each in self.view.screens if each is not gone)))
        self._changed()

    def show_scene(self, scene: str) -> None:
        """All screens show what the scene has for their kind. Raises BadInput."""
        if scene not in SCENES:
            raise BadInput(text("The scenes are: {scenes}.", scenes=", ".join(SCENES)))
        name = next(each for each in SCENES if each == scene)
        modes = SCENES[name].modes
        with self._lock:
            screens = tuple(replace(each, mode=modes[each.kind]) for each in self.view.screens)
            self._store(replace(self.view, scene=name, screens=screens))
        self._changed()

    def show_message(self, message: str) -> None:
        """All screens show this sentence until it is taken away by "". Raises BadInput."""
        if len(message) > MAX_MESSAGE_CHARS:
            raise BadInput(text("A message has at most {limit} characters.", limit=MAX_MESSAGE_CHARS))
        with self._lock:
            self._store(replace(self.view, message=" ".join(message.split())))
        self._changed()

    def count_down(self, seconds: float, now_utc_ns: int) -> None:
        """All screens count down from now; 0 ends the countdown. Raises BadInput."""
        if not 0 <= seconds <= MAX_COUNTDOWN_S:
            raise BadInput(text("A countdown has at most {limit} hours.", limit=MAX_COUNTDOWN_S // 3600))
        ends = now_utc_ns + round(seconds * 1e9) if seconds else None
        with self._lock:
            self._store(replace(self.view, countdown_utc_ns=ends))
        self._changed()

    def _new(self, screen_id: str, now_utc_ns: int) -> Screen:
        if len(self.view.screens) >= MAX_SCREENS:
            gone = min(self.view.screens, key=lambda each: each.seen_utc_ns)
            if now_utc_ns - gone.seen_utc_ns < AWAY_NS:
                raise Refused(text("There are {limit} screens already.", limit=MAX_SCREENS))
            self.view = replace(self.view, screens=tuple(each for each in self.view.screens if each is not gone))
        taken = {each.name for each in self.view.screens}
        number = next(n for n in range(1, MAX_SCREENS + 2) if f"Screen {n}" not in taken)
        mode = SCENES[self.view.scene].modes["hall"] if self.view.scene else "both"
        return Screen(screen_id, f"Screen {number}", mode=mode)

    def _known(self, screen_id: str) -> Screen:
        known = next((each for each in self.view.screens if each.screen_id == screen_id), None)
        if known is None:
            raise BadInput(text("There is no such screen: it may have been removed."))
        return known

    def _put(self, screen: Screen, *, store: bool = True) -> None:
        """Adds the screen, or replaces the one of the same id in its place."""
        ids = [each.screen_id for each in self.view.screens]
        screens = list(self.view.screens)
        if screen.screen_id in ids:
            screens[ids.index(screen.screen_id)] = screen
        else:
            screens.append(screen)
        view = replace(self.view, screens=tuple(screens))
        if store:
            self._store(view)
        else:
            self.view = view

    def _store(self, view: ScreensView) -> None:
        self.view = view
        if self._file is None:
            return
        try:
            write_whole(self._file, _STORED.dump_json(view))
        except OSError as error:
            # Screens go on without it; after a restart they have the names of before.
            self._log(text("The screens' names could not be stored: {why}", why=error))

    def _read(self) -> ScreensView:
        if self._file is None or not self._file.exists():
            return ScreensView()
        try:
            return _STORED.validate_json(self._file.read_bytes())
        except (OSError, ValidationError) as error:
            first = str(error).splitlines()[0]
            self._log(text("{file} cannot be read, so the screens have to be named anew: {why}", file=FILE, why=first))
            return ScreensView()

    def _changed(self) -> None:
        for listener in self._listeners:
            listener()
