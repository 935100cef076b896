"""Races, attempts and standings, and the pure rules by which results count. Called by board.py.

A standing depends only on the set of accepted results, not on the order in which they arrived: attempts are
counted and ties are broken by when a run was finished; the order of acceptance decides only between runs of
the very same nanosecond. A higher revision of a result replaces the lower one wherever it counts; the lower
one stays stored.
"""

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from shared.errors import Refused
from shared.protocol.results import Result
from shared.rules.person_names import person_name
from shared.rules.ranking import Placed, RaceRules, RunLap, Score, Scored, rank, score_run

Kind = Literal["league", "community"]
Venue = Literal["physical", "virtual"]
EntryPolicy = Literal["open", "registered"]

_INT_LIMIT = 2**63
_DURATION_LIMIT_NS = 10**15
_COUNT_LIMIT = 10**6
_TEXT_LIMIT = 200
_RACE_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.ASCII)


class UnknownRacer(Refused):
    """There is no racer of this name in the race."""


class UnknownRace(Refused):
    """This leaderboard has no race of this id."""


class NotAllowed(Refused):
    """The sender is known, and may not do this here."""


class Conflict(Refused):
    """Another race or entry has this id or name already."""


@dataclass(frozen=True, slots=True)
class RaceRecord:
    """A competition on one track under one set of rules; its window is about when a run was finished (UTC ns).

    `made_by`: the station that created it, "" if the organiser did.
    """

    race_id: str
    name: str
    kind: Kind
    venue: Venue
    track: str
    rules: RaceRules
    entry: EntryPolicy = "open"
    opens_utc_ns: int | None = None
    closes_utc_ns: int | None = None
    closed_utc_ns: int | None = None
    made_by: str = ""

    def ends_utc_ns(self) -> int | None:
        """The earlier of the planned close and the close by hand."""
        ends = [at for at in (self.closes_utc_ns, self.closed_utc_ns) if at is not None]
        return min(ends, default=None)

    def closed(self, now_utc_ns: int) -> "RaceRecord":
        """The race closed by hand now; if it was closed by hand before, it is unchanged."""
        return self if self.closed_utc_ns is not None else dataclasses.replace(self, closed_utc_ns=now_utc_ns)

    def opened(self, now_utc_ns: int) -> "RaceRecord":
        """The race open again: without a close by hand, and without a planned close that has passed."""
        passed = self.closes_utc_ns is not None and self.closes_utc_ns <= now_utc_ns
        return dataclasses.replace(self, closed_utc_ns=None, closes_utc_ns=None if passed else self.closes_utc_ns)

    def state(self, now_utc_ns: int) -> Literal["upcoming", "open", "closed"]:
        """Whether the race is still to open, open, or closed at this time."""
        ends = self.ends_utc_ns()
        if ends is not None and now_utc_ns >= ends:
            return "closed"
        return "upcoming" if self.opens_utc_ns is not None and now_utc_ns < self.opens_utc_ns else "open"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A result at its newest revision. `score_ms` None: withdrawn by a correction. `order`: when first accepted.

    `discarded`: officials took the run out, so it is an attempt no more.
    """

    seq: int
    order: int
    result_id: str
    revision: int
    racer: str
    score_ms: int | None
    finished_utc_ns: int
    discarded: bool = False


@dataclass(frozen=True, slots=True)
class BestAttempt:
    """A racer's best counting attempt, as it stands in a race; `seq` is the result that it comes from."""

    racer: str
    score_ms: int
    set_utc_ns: int
    order: int
    seq: int
    attempts: int

    @property
    def set_key(self) -> int:
        """Sorts equal scores: the one finished earlier first, then the one accepted earlier."""
        return self.set_utc_ns * _INT_LIMIT + self.order


def counted(attempts: Iterable[Attempt], rules: RaceRules) -> list[Attempt]:
    """The attempts of one racer that count: the first `attempts_per_racer`, ordered by when the run was finished."""
    in_order = sorted((a for a in attempts if not a.discarded), key=lambda a: (a.finished_utc_ns, a.order))
    return in_order if rules.attempts_per_racer is None else in_order[: rules.attempts_per_racer]


def line_of(attempts: Iterable[Attempt], rules: RaceRules) -> BestAttempt | None:
    """The best attempt among all those of one racer; None if none of them counts and has a score."""
    known = [a for a in attempts if not a.discarded]
    scored = [a for a in counted(known, rules) if a.score_ms is not None]
    if not scored:
        return None
    best = min(scored, key=lambda a: (a.score_ms or 0, a.finished_utc_ns, a.order))
    assert best.score_ms is not None
    return BestAttempt(best.racer, best.score_ms, best.finished_utc_ns, best.order, best.seq, len(known))


def newest(attempts: Iterable[Attempt]) -> list[Attempt]:
    """The highest revision of each result, with the order in which its first revision was accepted."""
    first: dict[str, int] = {}
    highest: dict[str, Attempt] = {}
    for attempt in attempts:
        first[attempt.result_id] = min(attempt.order, first.get(attempt.result_id, attempt.order))
        if attempt.result_id not in highest or highest[attempt.result_id].revision < attempt.revision:
            highest[attempt.result_id] = attempt
    return [dataclasses.replace(attempt, order=first[attempt.result_id]) for attempt in highest.values()]


def standing(lines: Iterable[BestAttempt], uncertainty_ns: Mapping[int, int] = MappingProxyType({})) -> list[Placed]:
    """All racers ranked, the best first. `uncertainty_ns`: what the result of each line (its `seq`) states."""
    return rank(Scored(line.racer, line.score_ms, line.set_key, uncertainty_ns.get(line.seq, 0)) for line in lines)


def moves(now: Sequence[Placed], before: Sequence[Placed]) -> dict[str, int | None]:
    """Places gained (+) or lost (-) by each racer since `before`; None for one who was not ranked then."""
    ranks = {placed.racer: placed.rank for placed in before}
    return {p.racer: ranks[p.racer] - p.rank if p.racer in ranks else None for p in now}


def accept(race: RaceRecord, result: Result, *, entered: bool, known: bool, provisional: bool = False) -> Score | None:
    """The score of a checked result that may enter `race`; None withdraws it (a correction to 0, whatever its laps).

    `entered`: the racer is registered. `known`: a revision of this result is already in the race; `provisional`: only
    from a station whose clock was not set. When that clock is known and the run was driven outside of the race's
    window after all, the result is withdrawn too. Raises Refused with the sentence for the station's operator.
    """
    _check_race(race, result, entered)
    outside = _outside(race, result) if not known or (provisional and result.evidence.clock_trusted) else ""
    if outside and not known:
        raise Refused(outside)
    if outside:
        return None
    if result.revision >= 2 and result.score_ms == 0:
        return None
    score = score_run(result.laps, race.rules)
    if score is None:
        raise Refused(
            f"The run does not qualify: it holds no {race.rules.consecutive_laps} successful laps in a row "
            f"by the rules of race {race.race_id!r}."
        )
    if score.score_ms != result.score_ms:
        raise Refused(
            f"The posted score is {result.score_ms} ms, the laps make {score.score_ms} ms by the rules of "
            f"race {race.race_id!r}: give station and leaderboard the same rules."
        )
    return score


def _check_race(race: RaceRecord, result: Result, entered: bool) -> None:
    if result.kind != race.venue:
        raise Refused(f"The result is {result.kind}, race {race.race_id!r} is {race.venue}.")
    if race.entry == "registered" and not entered:
        raise Refused(f"Racer {result.racer!r} is not entered in race {race.race_id!r}: register the racer first.")


def _outside(race: RaceRecord, result: Result) -> str:
    """Why the run was not driven within the race's window; "" if it was."""
    # A venue without internet posts late: the window is about when the run was finished, not about the post.
    if race.opens_utc_ns is not None and result.finished_utc_ns < race.opens_utc_ns:
        return f"The run was finished before race {race.race_id!r} opened."
    ends = race.ends_utc_ns()
    if ends is not None and result.finished_utc_ns >= ends:
        return f"The run was finished after race {race.race_id!r} closed."
    return ""


def check_result(result: Result) -> None:
    """Check what can be checked of a result without its race. Raises Refused."""
    racer_name(result.racer)
    _check_texts(result)
    _check_numbers(result)
    _check_laps(result.laps)


def _check_texts(result: Result) -> None:
    # Names are shown to people and stored in databases: short, printable, no invisible characters.
    named = {
        "result_id": result.result_id,
        "run_id": result.run_id,
        "car": result.car,
        "model": result.model,
    }
    for name, text in named.items():
        _check_text(name, text, empty=name in ("car", "model"))
    source = result.evidence
    evidence = [result.model_sha256, source.station, source.journal, source.journal_head, source.public_key]
    for text in (*evidence, source.signature, *source.versions, *source.versions.values()):
        _check_text("evidence", text, empty=True)


def _check_text(name: str, text: str, empty: bool = False) -> None:
    if not empty and not text:
        raise Refused(f"The `{name}` is empty.")
    if len(text) > _TEXT_LIMIT:
        raise Refused(f"The `{name}` has {len(text)} characters; at most {_TEXT_LIMIT} are allowed.")
    if text != text.strip() or not text.isprintable():
        raise Refused(f"The `{name}` holds blanks at its ends or invisible characters.")


def racer_name(racer: str) -> str:
    """A racer's name in the one form that is stored. Raises Refused."""
    if not racer:
        raise Refused("The `racer` is empty.")
    return person_name(racer, max_characters=_TEXT_LIMIT)


def check_name(name: str, text: str, *, empty: bool = False) -> str:
    """Return a name from an admin call, checked as those in results are; `name` is its field. Raises Refused."""
    _check_text(name, text, empty=empty)
    return text


def is_race_id(race_id: str) -> bool:
    """Could a race have this id? No race is looked up."""
    return _RACE_ID.fullmatch(race_id) is not None


def check_race_id(race_id: str) -> str:
    """Return the id if a race can have it; it is also a part of its address. Raises Refused."""
    if not is_race_id(race_id):
        raise Refused(f"{race_id[:80]!r} cannot name a race: use 1 to 64 of a-z, 0-9, '-' and '_'.")
    return race_id


def _check_numbers(result: Result) -> None:
    if not 1 <= result.revision < 2**31:
        raise Refused(f"The result's `revision` is {result.revision}; revisions count from 1.")
    if result.discarded and (result.revision == 1 or result.score_ms != 0):
        raise Refused("A `discarded` result is a correction (`revision` of 2 or more) with `score_ms` 0.")
    if not 0 <= result.finished_utc_ns < _INT_LIMIT:
        raise Refused("The result's `finished_utc_ns` is not a time in nanoseconds since 1970.")
    if not 0 <= result.evidence.uncertainty_ns < _INT_LIMIT:
        raise Refused("The result's `evidence.uncertainty_ns` must be 0 or more.")


def _check_laps(laps: Sequence[RunLap]) -> None:
    last_number = 0
    for lap in laps:
        if not last_number < lap.number < 2**31:
            raise Refused(f"Lap {lap.number} is out of order: laps are numbered upwards from 1.")
        # A lap over a restart of the station has no time: 0, and void.
        min_ns = 1 if lap.valid else 0
        if not min_ns <= lap.lap_ns < _DURATION_LIMIT_NS or not -_INT_LIMIT <= lap.ended_ns < _INT_LIMIT:
            raise Refused(f"Lap {lap.number} has a time that is out of range.")
        counts = (lap.off_tracks, lap.collisions, lap.resets)
        if any(not 0 <= count < _COUNT_LIMIT for count in counts) or not 0 <= lap.penalty_ns < _DURATION_LIMIT_NS:
            raise Refused(f"Lap {lap.number} has an off-track, collision, reset or penalty count that is out of range.")
        last_number = lap.number
