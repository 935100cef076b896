"""What the buttons of a LIVE race's control do: a word in the field `act`, and mostly the turn that it is about."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from leaderboard.core.access import Caller
from leaderboard.core.live.queue import LiveQueue
from leaderboard.core.live.turn import FULL_PERCENT, PLAIN_MOVES, PlainMove
from leaderboard.evaluations.brackets.live_heats import LiveBrackets
from leaderboard.live_races.service import LiveRaces
from leaderboard.web.forms import PostedForm
from shared.errors import Refused
from shared.text import text


@dataclass(frozen=True, slots=True)
class ControlPress:
    """A button that was pressed: by whom, in which race, on which version of the queue, about which turn."""

    live: LiveRaces
    brackets: LiveBrackets
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


def press(
    live: LiveRaces, brackets: LiveBrackets, caller: Caller, race_id: str, form: PostedForm, now_utc_ns: int
) -> LiveQueue:
    """Do what the form's button says; the queue as it is then. Raises Refused, Conflict, NotAllowed."""
    word, _, item_id = form.get("act").partition(" ")
    action = _ACTIONS.get(word)
    if action is None:
        raise Refused(text("This button does nothing here: load the page again."))
    return action(ControlPress(live, brackets, caller, race_id, form, item_id, now_utc_ns))


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


def _add_heat(p: ControlPress) -> LiveQueue:
    first, second = p.form.get("racer"), p.form.get("rival")
    if not first or not second:
        raise Refused(text("Write the names of both racers first."))
    return p.live.heats.add(p.caller, p.race_id, first, second, p.now_utc_ns)


def _add_bracket(p: ControlPress) -> LiveQueue:
    return p.brackets.add_ready(p.caller, p.race_id, p.item_id, p.now_utc_ns)


def _pair(p: ControlPress) -> LiveQueue:
    """A turn with the next one that waits alone."""
    waiting = p.live.state(p.race_id, p.now_utc_ns).queue.waiting
    behind = [each for each in waiting[p.place() :] if not each.rival]
    if not behind:
        raise Refused(text("Nobody behind waits alone."))
    return p.live.heats.pair(p.caller, p.race_id, p.version, p.now_utc_ns, p.item_id, behind[0].item_id)


def _pair_all(p: ControlPress) -> LiveQueue:
    return p.live.heats.pair(p.caller, p.race_id, p.version, p.now_utc_ns)


def _part(p: ControlPress) -> LiveQueue:
    return p.live.heats.part(p.caller, p.race_id, p.version, p.now_utc_ns, p.item_id)


def _settings(p: ControlPress) -> LiveQueue:
    entries_open = p.form.get("entries_open") == "yes"
    run_time_s = number(p.form, "run_time_s")
    return p.live.set_up(p.caller, p.race_id, p.version, p.now_utc_ns, entries_open=entries_open, run_time_s=run_time_s)


def _speed(p: ControlPress, percent: int) -> LiveQueue:
    return p.live.set_speed(p.caller, p.race_id, p.now_utc_ns, percent, p.form.get("whose"))


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
    "heat": _add_heat,
    "bracket": _add_bracket,
    "pair": _pair,
    "pair-all": _pair_all,
    "part": _part,
    "entries": lambda p: _add(p, entries=True),
    "settings": _settings,
    "speed": lambda p: _speed(p, number(p.form, "percent")),
    "full-speed": lambda p: _speed(p, FULL_PERCENT),
    "decide": lambda p: _decide(p, None),
    "undecide": lambda p: _decide(p, ""),
} | {move: _plain(move) for move in PLAIN_MOVES}
