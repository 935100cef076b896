"""The book of one run: its counted crossings, with all changes by officials and witnesses. Pure.

Called by counting.py for each crossing and by the rulings. Nothing is counted twice, and no incident is lost when two
laps become one. counted_laps.py reads the laps.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from shared.rules.ranking import RaceRules
from shared.units import seconds_to_ns
from station.core.facts import Lap
from station.core.runs.book.counted_laps import CountedLaps, IncidentKind
from station.core.runs.laps import CountedCrossing, LapSegment, resegmented


@dataclass(frozen=True, slots=True)
class MergedSegment:
    """The segment of a crossing that was dropped, as it was then, and the void of the one that it was merged into."""

    segment: LapSegment
    void_before: str


class LapBook(CountedLaps):
    """The laps of one run, and what changes them."""

    def __init__(self, run_id: str, rules: RaceRules, doubts: bool = False, fastest_ns: int | None = None) -> None:
        super().__init__(run_id, rules, doubts, fastest_ns)
        self.flagged: list[CountedCrossing] = []
        self._dropped: set[int] = set()  # the flagged crossings that an official dropped
        self._merged: dict[tuple[str, int], tuple[MergedSegment, ...]] = {}  # by the stamp of a dropped crossing

    def copied(self) -> "LapBook":
        """A copy that shares nothing that a ruling changes."""
        copied = LapBook(self.run_id, self._rules)
        vars(copied).update(vars(self))
        copied.segments = [replace(segment, notes=list(segment.notes)) for segment in self.segments]
        copied.flagged, copied._dropped, copied._known = list(self.flagged), set(self._dropped), dict(self._known)
        copied.doubts, copied._merged = self.doubts.copied(), dict(self._merged)
        return copied

    def change_rules(self, rules: RaceRules) -> None:
        """Judges the laps by other rules from now on; which crossings were counted and flagged stays as it is."""
        self._rules, self._min_lap_ns = rules, seconds_to_ns(rules.min_lap_s)
        self._forget_laps()

    def correct(self, wrong: Callable[[str], bool], by_ns: int) -> None:
        """Adds `by_ns` to times of day of the `wrong` boots; lap times do not depend on those."""
        for segment in self.segments:
            segment.start = _corrected(segment.start, wrong, by_ns)
            if segment.replaced is not None:
                segment.replaced = _corrected(segment.replaced, wrong, by_ns)
        self.flagged = [_corrected(counted, wrong, by_ns) for counted in self.flagged]
        self._forget_laps()

    def approve(self, number: int) -> None:
        """Accepts lap `number` as an official decides, however short it is."""
        for each in self.doubts.held & {number, number - 1}:
            self.segments[each].approved = True
        self._weigh()

    def doubt_again(self, at_ns: int) -> None:
        """Judges the crossing at this stamp by the laps again, although an official had accepted it."""
        for segment in self.segments:
            if segment.start.at_ns == at_ns:
                segment.approved = False
        self._weigh()

    def add(self, counted: CountedCrossing) -> None:
        """Appends the next counted crossing."""
        self.segments.append(LapSegment(counted))
        held = self.doubts.held
        self.doubts.add(self.segments)
        if held or self.doubts.held:
            self._forget_laps()

    def insert(self, counted: CountedCrossing) -> int | None:
        """Divides a lap at this crossing; gives the number of the lap that ends there, None if no lap was on then."""
        place = sum(1 for s in self.segments if s.start.boot != counted.boot or s.start.at_ns < counted.at_ns)
        first, last = self.segments[0].start if self.segments else None, self.segments[-1].start if place else None
        if first is None or last is None or counted.boot != last.boot:
            return None
        if any(s.start.at_ns == counted.at_ns and s.start.boot == counted.boot for s in self.segments):
            return None
        self.segments.insert(place, LapSegment(counted))
        for later in self.segments[place + 1 : place + 2]:
            later.witnessed = later.gap_proposed = False  # the lap that ends there is another one now
        for each in self.segments[place : place + 2]:
            each.approved = True
        self._weigh()
        self.flagged = [m for m in self.flagged if (m.boot, m.at_ns) != (counted.boot, counted.at_ns)]
        return place

    def unmerge(self, place: int) -> None:
        """Gives the incidents that were merged when this crossing was dropped back to the lap that it begins."""
        segment = self.segments[place]
        stamp = segment.start.boot, segment.start.at_ns
        remembered = self._merged.pop(stamp, ())
        if not remembered:
            return
        merged = remembered[-1]
        self._merged[stamp] = remembered[:-1]
        if place:
            self.segments[place - 1].unmerge(merged.segment, merged.void_before)
        segment.take_over(merged.segment)
        self._forget_laps()

    def _remember(self, gone: LapSegment, void_before: str) -> None:
        """Remembers a segment that is dropped, so that the drop can be undone."""
        stamp = gone.start.boot, gone.start.at_ns
        merged = MergedSegment(replace(gone, notes=list(gone.notes)), void_before)
        self._merged[stamp] = (*self._merged.get(stamp, ()), merged)

    def place(self, counted: CountedCrossing) -> int | None:
        """Inserts a crossing at its own stamp, also before the first or after the last.

        Gives its place (from 0); None if it has none.
        """
        counted_crossings = [s.start for s in self.segments]
        if any(
            m.boot != counted.boot or m.at_ns == counted.at_ns for m in (counted_crossings[0], counted_crossings[-1])
        ):
            return None
        if counted.at_ns < counted_crossings[0].at_ns:
            self.begin_at(counted)
            return 0
        return self.insert(counted)

    def begin_at(self, counted: CountedCrossing) -> None:
        """Makes lap 1 begin earlier, at this crossing."""
        self.segments.insert(0, LapSegment(counted))
        self.segments[1].approved = True
        self.flagged = [m for m in self.flagged if (m.boot, m.at_ns) != (counted.boot, counted.at_ns)]
        self._weigh()

    def rebase(self, counted: CountedCrossing, at_ns: int, uncertainty_ns: int) -> bool:
        """Restates the start signal as `at_ns` of the clock that saw the first crossing, so that lap 1 has one clock.

        False if nothing changed: a lap has already ended, or it is the same clock.
        """
        first = self.segments[0].start
        if self.done or first.boot == counted.boot:
            return False
        self.segments[0].start = replace(first, at_ns=at_ns, boot=counted.boot, uncertainty_ns=uncertainty_ns)
        self._forget_laps()
        return True

    def retime(self, number: int, by: CountedCrossing | None) -> CountedCrossing:
        """Times the crossing that ended lap `number` (0: that began lap 1) by another witness; None: by its own source.

        Gives the crossing as it was. A crossing that is re-timed is accepted as an official decides.
        """
        segment = self.segments[number]
        was, own = segment.start, segment.replaced or segment.start
        segment.start, segment.replaced = (own, None) if by is None else (by, own)
        for each in self.segments[number : number + 2]:
            each.witnessed = False
        segment.approved = segment.approved or number > 0
        self._weigh()
        return was

    def take_sensor(self, number: int, counted: CountedCrossing) -> None:
        """Times crossing `number` by the sensor that saw the same pass."""
        self.segments[number].start, self.segments[number].replaced = counted, None
        self._weigh()

    def move(self, number: int, boot: str, at_ns: int) -> None:
        """States crossing `number` on another clock: the same instant, as `at_ns` of the clock of `boot`."""
        self.segments[number].start = replace(self.segments[number].start, boot=boot, at_ns=at_ns)
        self._weigh()

    def withdraw_signal(self) -> None:
        """Removes the start signal that began lap 1; incidents since then do not count."""
        self.segments.clear()
        self._weigh()

    def drop_start(self) -> None:
        """Drops the crossing that began lap 1: the lap begins at the next one, and earlier incidents do not count.

        The next one may have been flagged only because it came too soon after the false one.
        """
        segment = self.segments.pop(0)
        gone = segment.start
        self._remember(segment, "")
        after = self.segments[0].start if self.segments else None
        for counted in sorted(self.flagged, key=lambda each: each.at_ns):
            if counted.crossing in self._dropped or counted.boot != gone.boot or counted.at_ns <= gone.at_ns:
                continue
            if after is None or (after.boot == counted.boot and after.at_ns - counted.at_ns >= self._min_lap_ns):
                self.flagged.remove(counted)
                self.segments.insert(0, LapSegment(counted))
                break
        self._put_aside(gone)
        self._weigh()

    def _put_aside(self, counted: CountedCrossing) -> None:
        """Flags a crossing that an official dropped, so that it can be counted again."""
        self.flagged.append(counted)
        self._dropped.add(counted.crossing)

    def remove(self, crossing: int) -> int:
        """Removes a crossing that was another run's, and gives the place that it had.

        Incidents after it move to the crossing before.
        """
        place = self.place_of(crossing)
        if place == 0:
            self.segments.pop(0)
            self._weigh()
        else:
            self.flagged.remove(self.drop(place))
        return place

    def drop(self, number: int, *, undoes: bool = False) -> CountedCrossing:
        """Drops the false crossing that ended lap `number`, so that the lap and the next become one; gives it.

        `undoes`: this only undoes that it was counted, and will not be undone itself.
        """
        gone, into = self.segments.pop(number), self.segments[number - 1]
        if not undoes:
            self._remember(gone, into.void)
        into.merge(gone)
        self._put_aside(gone.start)
        for later in self.segments[number : number + 1]:
            later.witnessed = later.gap_proposed = False
        self._weigh()
        return gone.start

    def was_dropped(self, crossing: int) -> bool:
        """Whether an official dropped this crossing."""
        return crossing in self._dropped and any(counted.crossing == crossing for counted in self.flagged)

    def replace_crossings(
        self, counted_crossings: Sequence[CountedCrossing], flagged: Sequence[CountedCrossing], gone: Collection[int]
    ) -> None:
        """Replaces the counted and the flagged crossings; those in `gone` were another run's."""
        self.segments = resegmented(self.segments, counted_crossings)
        numbers = {counted.crossing for counted in counted_crossings}
        aside = [
            counted for counted in self.flagged if counted.crossing not in numbers and counted.crossing not in gone
        ]
        self.flagged = aside + [counted for counted in flagged if counted not in aside]
        self._weigh()

    def void(self, number: int, why: str) -> None:
        """Voids lap `number` for the reason `why`; "" restores it."""
        self.segments[number - 1].void = why
        self._forget_laps()

    def penalise(self, number: int, penalty_ns: int, why: str) -> None:
        """Adds a penalty to lap `number`; a negative one takes some back, never below zero in total."""
        segment = self.segments[number - 1]
        segment.penalty_ns = max(0, segment.penalty_ns + penalty_ns)
        segment.notes.append(why)
        self._forget_laps()

    def count_incident(self, number: int, kind: IncidentKind, by: int, why: str = "") -> None:
        """Adds (`by` 1) or removes (`by` -1) an incident of lap `number`; `why` is added to the lap's remarks."""
        segment, counter = self.segments[number - 1], f"{kind}s"
        setattr(segment, counter, getattr(segment, counter) + by)
        segment.notes += [why] if why else []
        self._forget_laps()

    def confirm(self, segment: LapSegment) -> Lap:
        """Confirms the lap that ended at this crossing, by the car's own report; gives the lap."""
        segment.witnessed = True
        number = self.segments.index(segment)
        self._known.pop(number, None)
        self._every, self._ranked = (), ()
        return self.lap(number)


def _corrected(counted: CountedCrossing, wrong: Callable[[str], bool], by_ns: int) -> CountedCrossing:
    return replace(counted, utc_ns=counted.utc_ns + by_ns) if wrong(counted.boot) else counted
