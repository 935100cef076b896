"""Each official's last own acts, newest last, and the counter-ruling that undoes the last one.

Filled by run_index.py from every stored command, also when a start reads the journal again: what could be undone before
a power cut can be undone after it.
"""

from collections import defaultdict, deque
from dataclasses import replace

from shared.errors import Refused
from shared.rules.person_names import name_key
from shared.text import text
from station.core import facts as f
from station.core import inputs as e
from station.core.engine import Engine
from station.core.runs.run import Run
from station.service.archive.undo import OwnAct, can_undo, inverse
from station.views.runs.ruling_words import act_words
from station.views.runs.run_archive import LastAct

REMEMBERED = 20  # acts of one person
LISTED = 5


class OwnActs:
    """The last acts of every official. `undone`: the record of each act to the one that undid it."""

    def __init__(self) -> None:
        self._by_author: defaultdict[str, deque[OwnAct]] = defaultdict(lambda: deque(maxlen=REMEMBERED))
        self.undone: dict[int, int] = {}

    def record(self, act: OwnAct) -> None:
        """Adds a stored command; one that undoes another is no act of its own."""
        if any(isinstance(fact, f.CommandRefused) for fact in act.facts):
            return
        if act.command.undoes:
            self.undone[act.command.undoes] = act.seq
        elif can_undo(act.command):
            self._by_author[name_key(act.command.author)].append(act)

    def undo(self, engine: Engine, request: e.UndoLast) -> e.Command:
        """The counter-ruling to the author's last act that is not undone yet. Raises Refused if there is none."""
        mine = [act for act in self._by_author[name_key(request.author)] if act.seq not in self.undone]
        if not mine:
            raise Refused(text("You have done nothing that could be undone."))
        act = mine[-1]
        run = run_of(engine, act.run_id)
        counter = None if run is None else inverse(act, run)
        if counter is None:
            raise Refused(_why_not(act))
        return replace(counter, moment=request.moment, device=request.device, author=request.author)

    def last(self, engine: Engine, author: str) -> tuple[LastAct, ...]:
        """The person's last acts, newest first."""
        acts = list(self._by_author[name_key(author)])[-LISTED:]
        return tuple(self._shown(engine, act) for act in reversed(acts))

    def _shown(self, engine: Engine, act: OwnAct) -> LastAct:
        undone = act.seq in self.undone
        run = run_of(engine, act.run_id)
        possible = undone or (run is not None and inverse(act, run) is not None)
        why_not = "" if possible else _why_not(act)
        return LastAct(act.seq, act.command.moment.utc_ns, act.run_id, act_words(act.command), why_not, undone)


def run_of(engine: Engine, run_id: str) -> Run | None:
    """The run of this id, of whatever race; None if it is unknown or too old for rulings."""
    races = [engine.race, *engine.races.values()] if engine.race is not None else []
    return next((race.runs[run_id] for race in races if race is not None and run_id in race.runs), None)


def _why_not(act: OwnAct) -> str:
    return text(
        "“{what}” cannot be undone any more: rule on {run} itself.", what=act_words(act.command), run=act.run_id
    )
