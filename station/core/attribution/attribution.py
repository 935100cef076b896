"""Whose crossing is it? Decided by its transponder, by the only run on the track, or by weighing all cars on it.

A stage of the engine's pipeline: a crossing comes in; what comes out is handed on to the race (`AssignedCrossing`) or
is final (`Unattributed`). Called by engine.py; calls transponders.py and, with several cars on the track,
multi_car.py. Example: with one car on the track, its run gets each crossing at once.
"""

from collections.abc import Iterable, Iterator, Sequence

from shared.text import text
from station.core import facts as f
from station.core import inputs as e
from station.core.attribution.decisions import Step
from station.core.attribution.multi_car import MultiCarAttribution
from station.core.attribution.transponders import Transponders, UnknownId, checked_owner
from station.core.attribution.wrong_owner import LastRead, OwnerChange, recount_runs
from station.core.race.counting import AssignedCrossing
from station.core.race.crossing_changes import count_late, remove_from_others
from station.core.race.race import Race
from station.core.runs.racer_names import RacerNames
from station.core.runs.recount import TransponderPass
from station.core.runs.run import Run
from station.core.timing.utc_scale import UtcScale

LINE: e.GateKind = "start_finish"
OWNERS = 256  # owners of transponders whose last reading is remembered


class Attribution:
    """For the open race: who owns the transponders that are read, and which cars are on the track together."""

    def __init__(self, scale: UtcScale, names: RacerNames) -> None:
        self._scale, self._names = scale, names
        self._transponders = Transponders(names)
        self._last_read: LastRead = {}
        self._race: Race | None = None
        self._multi_car: MultiCarAttribution | None = None

    @property
    def several(self) -> bool:
        """Whether more than one car may break the beam now."""
        return self._multi_car is not None and self._multi_car.on

    @property
    def undecided(self) -> f.Crossing | None:
        """The oldest crossing that waits for a decision; None if there is none."""
        return None if self._multi_car is None else self._multi_car.undecided

    @property
    def unknown_transponders(self) -> tuple[UnknownId, ...]:
        """Transponders that passed in this race and have no known owner; the latest last."""
        return tuple(self._transponders.unknown_transponders.values())

    def configure(self, transponders: tuple[e.Transponder, ...]) -> None:
        """Sets the known transponders to those of the station's config."""
        self._transponders.configure(transponders)

    def open(self, race: Race) -> None:
        """Crossings are assigned to runs of this race from now on; forgets what was read in another race."""
        if self._race is not race:
            self._race, self._multi_car = race, MultiCarAttribution(race, self._scale)
            self._transponders.forget()

    def assign(
        self, crossing: f.Crossing, kind: e.GateKind, source: f.Source = "gate", lockout_ns: int = 0
    ) -> Iterable[Step]:
        """The steps that follow from this crossing: its own, unless it has to wait, and those of older ones.

        `lockout_ns`: the gate's lockout, within which it cannot see another car pass.
        """
        race, multi_car = self._race, self._multi_car
        if race is None or multi_car is None:
            return [f.Unattributed(crossing.number, text("no race is open"))]
        if crossing.transponder and (owner := self._by_transponder(race, crossing)) is not None:
            if isinstance(owner, f.Unattributed):
                return [owner]
            multi_car.named(owner, crossing.at_ns)
            return [
                AssignedCrossing(owner, crossing, kind, source, self._transponders.of(crossing.transponder).why, 100)
            ]
        step = multi_car.if_clear(crossing, kind, source)
        if step is not None:
            return [step]
        if crossing.direction < 0:
            return [f.Unattributed(crossing.number, text("it went backwards through the gate"))]
        if kind == "split":
            return [f.Unattributed(crossing.number, text("several cars are on the track"))]
        return multi_car.crossing(crossing, source, lockout_ns)

    def remember(
        self, crossing: f.Crossing, source: f.Source, lockout_ns: int, facts: Sequence[f.Fact]
    ) -> list[f.UnknownTransponder]:
        """Remembers a transponder's crossing of the line, since its owner may turn out to be somebody else.

        `facts`: what became of the crossing. Gives the question to an official if the owner is unknown.
        """
        race = self._race
        if self._names.exact or race is None:
            return []
        on = tuple(run.run_id for run in race.on_track if run.released)
        attributed = {fact.crossing: fact.run_id for fact in facts if isinstance(fact, f.Attributed)}
        run_id = attributed.get(crossing.number, "")
        self._transponders.remember(TransponderPass(crossing, on, source, lockout_ns, run_id))
        if attributed:
            return []
        if self._transponders.of(crossing.transponder).known is not None:
            if on and not self._owner_is_on(race, crossing):  # the named owner may be wrong
                race.add_doubtful(crossing)
            return []
        must_ask = self._transponders.any or self.several
        question = self._transponders.count_unknown(crossing) if must_ask else None
        if question is None:
            return []
        race.add_doubtful(crossing)
        return [question]

    def is_twin(self, crossing: f.Crossing, lockout_ns: int) -> bool:
        """Whether the same car's other transponder was already read in this pass; else remembers this reading.

        Of two transponders on one car, only the first reading counts as the crossing.
        """
        known = self._transponders.of(crossing.transponder).known
        if known is None or self._names.exact:
            return False
        on_track = self._race.on_track if self._race is not None else []
        run = next((run.run_id for run in on_track if self._transponders.is_of(known, run)), "")
        owner = (crossing.gate, run or f"{known.car} of {known.racer}")
        last = self._last_read.get(owner)
        if (
            last is not None
            and last.boot == crossing.boot
            and last.transponder != crossing.transponder
            and abs(crossing.at_ns - last.at_ns) < lockout_ns
        ):
            return True
        self._last_read.pop(owner, None)
        self._last_read[owner] = crossing
        if len(self._last_read) > OWNERS:
            del self._last_read[next(iter(self._last_read))]
        return False

    def remember_twin(self, crossing: f.Crossing, lockout_ns: int) -> None:
        """Remembers the second reading: it is a crossing of its own if one of the two transponders is another car's."""
        race = self._race
        if race is None or not self._transponders.recounts_runs:
            return
        owner = self._by_transponder(race, crossing)
        run_id = owner.run_id if isinstance(owner, Run) else ""
        on = tuple(run.run_id for run in race.on_track if run.released)
        self._transponders.remember(TransponderPass(crossing, on, "gate", lockout_ns, run_id))

    def settle(self) -> Iterator[Step]:
        """The steps of all crossings that wait, decided now because the cars on the track are about to change."""
        return self._multi_car.decide_all() if self._multi_car is not None else iter(())

    def sync(self, now: e.Moment) -> None:
        """Updates which cars are on the track, after a command or the end of a run."""
        if self._multi_car is not None:
            self._multi_car.sync(now)

    def tick(self, now: e.Moment) -> Iterable[Step]:
        """The steps of the crossings that have waited long enough: no further report is expected."""
        return self._multi_car.tick(now) if self._multi_car is not None and self._multi_car.on else ()

    def report(self, report: e.CarReport) -> None:
        """Adds a car's report of a passing; it only matters with several cars on the track."""
        if self._multi_car is not None:
            self._multi_car.report(report)

    def ruled(self, run: Run) -> None:
        """An official gave the run a crossing: its car was at the line then."""
        if self._multi_car is not None:
            self._multi_car.named(run, run.book.segments[-1].start.at_ns)

    def change_owner(self, command: e.AssignTransponder) -> OwnerChange:
        """Assigns a transponder to the car or racer that the command names; pass the change to `recount`.

        Raises Refused for an invalid id, car or name.
        """
        known = checked_owner(command, self._names)
        again, was_unknown = self._transponders.is_assigned(known.id), not self._transponders.is_known(known.id)
        return OwnerChange(known, self._transponders.assign(known), again, was_unknown, command)

    def rename_owner(self, was: str, racer: str) -> None:
        """The transponders that `was` carries are `racer`'s, because he has another name now."""
        self._transponders.rename_owner(was, racer)

    def recount(self, change: OwnerChange) -> Iterable[Step]:
        """Counts the transponder's earlier passes for its new owner; gives facts, and crossings still to be counted."""
        if self._race is None or not change.passes:
            return ()
        if self._transponders.recounts_runs:
            return recount_runs(self._race, self._transponders, change, self._last_read)
        return self._taken_over(self._race, change)

    def _taken_over(self, race: Race, change: OwnerChange) -> Iterator[Step]:
        """The steps of `recount` by the rules of an older edition, for its journals."""
        for run in tuple(race.runs.values()):
            crossings = [each.crossing for each in change.passes if run.run_id in each.on]
            if crossings and self._transponders.is_of(change.known, run):
                if run.on or change.again:
                    yield from remove_from_others(race, run, crossings, change.command)
                free = [crossing for crossing in crossings if race.holder(crossing.number) is None]
                yield from _count_afterwards(race, run, free, change.command)

    def _owner_is_on(self, race: Race, crossing: f.Crossing) -> bool:
        known = self._transponders.of(crossing.transponder).known
        return known is not None and any(self._transponders.is_of(known, run) for run in race.on_track)

    def _by_transponder(self, race: Race, crossing: f.Crossing) -> Run | f.Unattributed | None:
        """The run of the transponder's owner; None if the transponder does not decide.

        It does not if its owner is unknown, and no run or one without a transponder is on.
        """
        owner = self._transponders.of(crossing.transponder)
        if (known := owner.known) is None:
            if not race.on or any(not self._transponders.has_any(run) for run in race.on_track):
                return None
            why = (
                text("the transponder {read} has no owner here", read=crossing.transponder)
                if self._names.exact
                else owner.why
            )
            return f.Unattributed(crossing.number, why)
        run = next((run for run in race.on_track if self._transponders.is_of(known, run)), None)
        if run is not None:
            return run
        name = known.car or known.racer
        return f.Unattributed(
            crossing.number, text("its transponder belongs to {name}, who is not on the track", name=name)
        )


def _count_afterwards(
    race: Race, run: Run, crossings: list[f.Crossing], command: e.AssignTransponder
) -> Iterator[Step]:
    """Passes newer than the run's last crossing count as if they came now; older ones are placed by their stamps."""
    earlier: list[f.Crossing] = []
    for crossing in crossings:
        last = run.book.segments[-1].start if run.book.segments else None
        if run.book.near(crossing.boot, crossing.at_ns):
            continue  # the same pass, read by the car's other transponder
        if run.on and (last is None or last.boot != crossing.boot or last.at_ns < crossing.at_ns):
            why = text(
                "its transponder {transponder}, given by {author}",
                transponder=crossing.transponder,
                author=command.author,
            )
            race.doubtful.pop(crossing.number, None)
            yield AssignedCrossing(run, crossing, LINE, "gate", why, 100)
        else:
            earlier.append(crossing)
    yield from count_late(race, run, earlier, command)
