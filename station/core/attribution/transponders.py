"""Whose transponder is it? The owner of each id by the config and by officials, and its passes in this race.

Called by attribution.py for each crossing with an id. Ids are compared as in transponder_ids.py. An id that no decoder
has sent exactly as written may also be read in another notation, as long as it fits a single owner; if it fits two, it
belongs to neither, and a sentence explains why. What an official assigns is matched by the same rule: in a notation
other than the config's or the decoder's, it is still the same transponder.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace

from shared.errors import Refused
from shared.protocol.topics import checked_device
from shared.text import text
from station.core import facts as f
from station.core import inputs as e
from station.core.attribution.transponder_ids import IdReading, plain_id, reading, the_hexadecimal
from station.core.runs.racer_names import RacerNames
from station.core.runs.recount import TransponderPass
from station.core.runs.run import Run

MAX_LETTERS = 128  # of an id
MAX_UNKNOWN = 64  # unknown transponders that officials are asked about at a time
REMEMBERED = 128  # transponders whose passes in this race are remembered
PASSES = 512  # passes that are remembered of each
BY_NUMBER = 3  # edition from which an official may give an id in any notation, and runs are counted again


@dataclass(frozen=True, slots=True)
class TransponderOwner:
    """The owner of a transponder that was read (`known` None: no owner here).

    `why`: how the owner is known, or why there is none. `given`: what an official assigned, perhaps to nobody.
    """

    known: e.Transponder | None
    why: str
    given: e.Transponder | None = None


@dataclass(slots=True)
class UnknownId:
    """A transponder without a known owner, and how often it passed in this race."""

    transponder: str
    count: int = 0


Passes = deque[TransponderPass]


class Transponders:
    """The transponders of the config, those that officials have assigned since, and the unknown ones."""

    def __init__(self, names: RacerNames) -> None:
        self._names = names
        self._configured: tuple[e.Transponder, ...] = ()
        self._assigned: dict[str, e.Transponder] = {}  # by plain id; without car and racer: it has no owner here
        self._exact_ids: set[str] = set()  # known ids that were read exactly as written: they need no other notation
        self._owners: dict[str, TransponderOwner] = {}  # by id as read: looked up once, until an assignment changes
        self.unknown_transponders: dict[str, UnknownId] = {}
        self._passes: dict[str, Passes] = {}  # in this race, by plain id, whether or not the owner is right

    @property
    def any(self) -> bool:
        """Whether any transponder has a known owner."""
        return bool(self._configured or self._assigned)

    def configure(self, known: tuple[e.Transponder, ...]) -> None:
        """Sets the config's transponders; what an official assigned stays, unless the config changed for that id."""
        before = {plain_id(each.id): each for each in self._configured}
        for each in known:
            if before.get(plain_id(each.id)) != each:
                self._withdraw(each.id)
        self._configured = known
        self._owners.clear()
        for each in known:
            self.unknown_transponders.pop(plain_id(each.id), None)
        for unknown in [each for each in self.unknown_transponders.values() if self._by_number]:
            if self.of(unknown.transponder).known is not None:
                del self.unknown_transponders[plain_id(unknown.transponder)]

    def assign(self, transponder: e.Transponder) -> list[TransponderPass]:
        """Assigns a transponder to a car, to a racer or to nobody; gives its passes so far, in any notation.

        The passes stay remembered: an official who named the wrong owner may name the right one later.
        """
        if self._by_number:
            if plain_id(transponder.id) in self._passes:
                self._exact_ids.add(plain_id(transponder.id))
            self._withdraw(transponder.id)
        self._assigned[plain_id(transponder.id)] = transponder
        self._owners.clear()
        same = self._read_as(transponder)
        for key in same:
            self.unknown_transponders.pop(key, None)
        return [each for key in same for each in self._passes[key]]

    def rename_owner(self, was: str, racer: str) -> None:
        """The racer who was called `was` is called `racer` now; his transponders and their passes stay his."""
        key = self._names.key(was)
        for each in [each for each in self._all() if each.racer and self._names.key(each.racer) == key]:
            self._assigned[plain_id(each.id)] = replace(each, racer=racer)
        self._owners.clear()

    def is_assigned(self, transponder: str) -> bool:
        """Whether an official named its owner."""
        return bool(self._matching(transponder, self._assigned.values()))

    def is_known(self, transponder: str) -> bool:
        """Whether the config or an official names its owner."""
        return bool(self._matching(transponder, self._all()))

    @property
    def recounts_runs(self) -> bool:
        """Whether runs are counted again when an owner changes; not while records of an older edition replay."""
        return self._by_number

    def passes_of(self, run: Run) -> list[TransponderPass]:
        """The passes of the run's car and racer while it was on, in the order of arrival."""
        own = [
            each
            for passes in self._passes.values()
            if (known := self._owner_of(passes).known) is not None and self.is_of(known, run)
            for each in passes
            if run.run_id in each.on and each.run in ("", run.run_id)
        ]
        return sorted(own, key=lambda each: each.crossing.number)

    @property
    def _by_number(self) -> bool:
        """Whether an id that an official gives is found in any notation; not in replays of an older edition."""
        return self._names.edition >= BY_NUMBER

    def _withdraw(self, transponder: str) -> None:
        """Withdraws what an official assigned for this id so far."""
        for each in self._matching(transponder, self._assigned.values()):
            del self._assigned[plain_id(each.id)]

    def _matching(self, transponder: str, among: Iterable[e.Transponder]) -> list[e.Transponder]:
        """Those `among` the known ids that this one means: by the same text, else surely by number, else possibly."""
        every, written = tuple(among), reading(transponder)
        same = [each for each in every if plain_id(each.id) == written.plain]
        if same or not self._by_number:
            return same
        readings = [(each, the_hexadecimal(reading(each.id), written)) for each in every]
        sure = [each for each, hexadecimal in readings if hexadecimal is not None and hexadecimal.sure]
        return sure or [
            each
            for each, hexadecimal in readings
            if hexadecimal is not None and hexadecimal.plain not in self._exact_ids
        ]

    def _owner_of(self, passes: Passes) -> TransponderOwner:
        return self.of(passes[0].crossing.transponder)

    def _read_as(self, transponder: e.Transponder) -> list[str]:
        """The keys of `_passes` under which the transponder that was just assigned was read."""
        if self._by_number:
            return [key for key, passes in self._passes.items() if self._owner_of(passes).given == transponder]
        same = [key for key in self._passes if key == plain_id(transponder.id)]
        return same or [key for key, passes in self._passes.items() if self._owner_of(passes).known == transponder]

    def remember(self, passing: TransponderPass) -> None:
        """Stores the pass of a transponder."""
        key = plain_id(passing.crossing.transponder)
        passes = self._passes.pop(key, None)
        self._passes[key] = passes = deque(maxlen=PASSES) if passes is None else passes
        passes.append(passing)
        if len(self._passes) > REMEMBERED:
            del self._passes[next(iter(self._passes))]

    def forget(self) -> None:
        """Forgets all passes, because another race begins."""
        self.unknown_transponders.clear()
        self._passes.clear()

    def of(self, read: str) -> TransponderOwner:
        """The owner of the transponder that was `read`."""
        if self._names.exact:
            known = next((each for each in reversed(self._configured) if each.id == read), None)
            return TransponderOwner(known, text("its transponder {read}", read=read))
        if read not in self._owners:
            if len(self._owners) > 4 * MAX_UNKNOWN:
                self._owners.clear()
            self._owners[read] = self._find(read)
        return self._owners[read]

    def is_of(self, known: e.Transponder, run: Run) -> bool:
        """Whether this transponder is on the run's car, or carried by its racer."""
        of_racer = bool(known.racer) and self._names.key(known.racer) == self._names.key(run.racer)
        return of_racer or (bool(known.car) and known.car == run.car)

    def has_any(self, run: Run) -> bool:
        """Whether the run's car or racer has a transponder."""
        return any(self.is_of(known, run) for known in self._all())

    def count_unknown(self, crossing: f.Crossing) -> f.UnknownTransponder | None:
        """Counts a pass of an unknown transponder, and asks who owns it; None if an official assigned it to nobody."""
        key = plain_id(crossing.transponder)
        if key in self._assigned or (self._by_number and self.of(crossing.transponder).given is not None):
            return None
        unknown = self.unknown_transponders.pop(key, None) or UnknownId(crossing.transponder)
        self.unknown_transponders[key] = unknown
        if len(self.unknown_transponders) > MAX_UNKNOWN:
            del self.unknown_transponders[next(iter(self.unknown_transponders))]
        unknown.count += 1
        return f.UnknownTransponder(crossing.transponder, crossing.number, unknown.count)

    def _all(self) -> list[e.Transponder]:
        """The config's transponders, as changed by officials since; from edition 3 on, also those without an owner."""
        if not self._configured:
            gone = set()
        else:
            gone = {each.id for given in self._assigned.values() for each in self._matching(given.id, self._configured)}
        every = [*(each for each in self._configured if each.id not in gone), *self._assigned.values()]
        return [each for each in every if each.car or each.racer or self._by_number]

    def _find(self, read: str) -> TransponderOwner:
        every, meant = self._all(), reading(read)
        same = [each for each in every if each.id == read] or [
            each for each in every if plain_id(each.id) == meant.plain
        ]
        if same:
            if plain_id(same[0].id) not in self._exact_ids:
                self._exact_ids.add(plain_id(same[0].id))
                self._owners.clear()
            why = text("its transponder {read}", read=read)
            if same[0].id != read:
                why = text("its transponder {read} (known here as {id})", read=read, id=same[0].id)
            return self._named_owner(same[0], read, why)
        candidates = [each for each in every if self._may_be(each, meant)]
        if self._by_number:  # what an official assigned last overrides any other reading
            candidates = [each for each in candidates if plain_id(each.id) in self._assigned][-1:] or candidates
        owners = {(each.car, each.racer) for each in candidates}
        if len(owners) > 1:
            names = " or ".join(f"{each.id} of {each.car or each.racer}" for each in candidates)
            return TransponderOwner(
                None,
                text(
                    "the transponder {read} may be {names}: write both ids as the decoder sends them",
                    read=read,
                    names=names,
                ),
            )
        if owners:
            why = text(
                "its transponder {read} (known here as {id}; one of the two is hexadecimal)",
                read=read,
                id=candidates[0].id,
            )
            return self._named_owner(candidates[0], read, why)
        return TransponderOwner(None, text("the transponder {read} has no owner here", read=read))

    def _may_be(self, known: e.Transponder, read: IdReading) -> bool:
        """The same number in two notations, unless that is a guess and the known id was sent exactly as written."""
        hexadecimal = the_hexadecimal(reading(known.id), read)
        if hexadecimal is None:
            return False
        return plain_id(known.id) not in self._exact_ids or (self._by_number and hexadecimal.sure)

    def _named_owner(self, known: e.Transponder, read: str, why: str) -> TransponderOwner:
        given = self._assigned.get(plain_id(known.id))
        if not (known.car or known.racer):
            return TransponderOwner(None, text("the transponder {read} has no owner here", read=read), given)
        return TransponderOwner(known, why, given)


def checked_owner(command: e.AssignTransponder, names: RacerNames) -> e.Transponder:
    """The transponder with the owner that an official names. Raises Refused for an invalid id, car or name."""
    written = command.transponder
    if not (written.isprintable() and 0 < len(written) <= MAX_LETTERS) or written != written.strip():
        raise Refused(text("A transponder's id has 1 to {max_letters} printable characters.", max_letters=MAX_LETTERS))
    car = checked_device(command.car) if command.car else ""
    racer = names.checked(command.racer) if command.racer and not car else ""
    return e.Transponder(command.transponder, car, racer)
