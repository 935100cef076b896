"""What the buttons of a LIVE race's control do: a word in the field `act`, and mostly the turn that it is about."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from leaderboard.core.access import Caller
from leaderboard.core.live.queue import FULL_PERCENT, PLAIN_MOVES, LiveQueue, PlainMove
from leaderboard.live_races.service import LiveRaces
from leaderboard.web.forms import PostedForm
from shared.errors import Refused
from shared.text import text


@dataclass(frozen=True, slots=True)
class ControlPress:
    """A button that was pressed: by whom, in which race, on which version of the queue, about which turn."""

    live: LiveRaces
    caller: Caller
    race_id: str
    form: PostedForm
    item_id: str
    now_utc_ns: int

    @property
    def version(self) -> int:
        """The version that the page showed. Raises Refused."""
        return number(self.form, "version")

    def place(self) -> int:
        """The turn's place among those who wait, 0 if it does not."""
        waiting = self.live.state(self.race_id, self.now_utc_ns).queue.waiting
        return next((place for place, each in enumerate(waiting, 1) if each.item_id == self.item_id), 0)


def press(live: LiveRaces, caller: Caller, race_id: str, form: PostedForm, now_utc_ns: int) -> LiveQueue:
    """Do what the form's button says; the queue as it is then. Raises Refused, Conflict, NotAllowed."""
    word, _, item_id = form.get("act").partition(" ")
    action = _ACTIONS.get(word)
    if action is None:
        raise Refused(text("This button does nothing here: load the page again."))
    return action(ControlPress(live, caller, race_id, form, item_id, now_utc_ns))


def press_own(live: LiveRaces, caller: Caller, race_id: str, form: PostedForm, now_utc_ns: int) -> None:
    """Do what a racer's own button says: join the queue, or set the speed of the own car. Raises Refused."""
    match form.get("act"):
        case "join":
            live.add(caller, race_id, (), now_utc_ns, entries=False)
        case "speed":
            live.set_speed(caller, race_id, now_utc_ns, number(form, "percent"))
        case "full-speed":
            live.set_speed(caller, race_id, now_utc_ns, FULL_PERCENT)
        case _:
            raise Refused(text("This button does nothing here: load the page again."))


def number(form: PostedForm, name: str) -> int:
    """A whole number of the form. Raises Refused."""
    written = form.get(name)
    if not written.isascii() or not written.isdigit() or len(written) > 15:
        raise Refused(text("The field {name} is no number: load the page again.", name=name))
    return int(written)


def _move(p: ControlPress, place: int) -> LiveQueue:
    return p.live.move(p.caller, p.race_id, p.version, p.now_utc_ns, p.item_id, place)


def _launch(p: ControlPress) -> LiveQueue:
    return p.live.launch(p.caller, p.race_id, p.version, p.now_utc_ns, p.item_id)


def _add(p: ControlPress, *, entries: bool) -> LiveQueue:
    racers = () if entries else (p.form.get("racer"),)
    if racers == ("",):
        raise Refused(text("Write the racer's name first."))
    return p.live.add(p.caller, p.race_id, racers, p.now_utc_ns, entries=entries)


def _settings(p: ControlPress) -> LiveQueue:
    entries_open = p.form.get("entries_open") == "yes"
    run_time_s = number(p.form, "run_time_s")
    return p.live.set_up(p.caller, p.race_id, p.version, p.now_utc_ns, entries_open=entries_open, run_time_s=run_time_s)


def _speed(p: ControlPress, percent: int) -> LiveQueue:
    return p.live.set_speed(p.caller, p.race_id, p.now_utc_ns, percent)


def _decide(p: ControlPress, racer: str | None) -> LiveQueue:
    return p.live.declare(p.caller, p.race_id, p.version, p.now_utc_ns, racer)


def _plain(move: PlainMove) -> Callable[[ControlPress], LiveQueue]:
    def act(p: ControlPress) -> LiveQueue:
        return p.live.act(p.caller, p.race_id, p.version, p.now_utc_ns, p.item_id, move)

    return act


def _relaunch(p: ControlPress) -> LiveQueue:
    return p.live.relaunch(p.caller, p.race_id, p.version, p.now_utc_ns, p.item_id)


def _remove(p: ControlPress) -> LiveQueue:
    return p.live.remove(p.caller, p.race_id, p.version, p.now_utc_ns, p.item_id)


def _clear(p: ControlPress) -> LiveQueue:
    return p.live.clear(p.caller, p.race_id, p.version, p.now_utc_ns)


_ACTIONS: Mapping[str, Callable[[ControlPress], LiveQueue]] = {
    "up": lambda p: _move(p, p.place() - 1),
    "down": lambda p: _move(p, p.place() + 1),
    "place": lambda p: _move(p, number(p.form, "place")),
    "launch": _launch,
    "relaunch": _relaunch,
    "remove": _remove,
    "clear": _clear,
    "add": lambda p: _add(p, entries=False),
    "entries": lambda p: _add(p, entries=True),
    "settings": _settings,
    "speed": lambda p: _speed(p, number(p.form, "percent")),
    "full-speed": lambda p: _speed(p, FULL_PERCENT),
    "decide": lambda p: _decide(p, None),
    "undecide": lambda p: _decide(p, ""),
} | {move: _plain(move) for move in PLAIN_MOVES}
