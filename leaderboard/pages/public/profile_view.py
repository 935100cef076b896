"""A racer across races as words and figures: badges, bests, races, and the own attempts. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from leaderboard.core.race import RaceRecord
from leaderboard.core.rank import Attempt
from leaderboard.core.seasons.records import TrackRecord
from leaderboard.pages import wording
from leaderboard.pages.attempts.views import STATES
from leaderboard.pages.views import VENUES, racer_page
from leaderboard.profiles.racer import RacerProfile, RacerRace
from leaderboard.scored_laps import utc_text
from shared.text import Sentence, joined, ntext, recorded, text
from shared.units import format_ms

_OVER = ("closed", "provisional", "final")
_MEDALS: dict[int, Sentence] = {1: text("Winner"), 2: text("Second place"), 3: text("Third place")}


@dataclass(frozen=True, slots=True)
class BadgeView:
    """Something won: a place on the podium of a race that is over (`kind` "1" to "3"), or a record that stands."""

    kind: Literal["1", "2", "3", "record"]
    sign: str
    words: Sentence
    of: str
    path: str


@dataclass(frozen=True, slots=True)
class BestView:
    """The best score on a track by one way of scoring."""

    track: str
    what: str
    score: str
    race: str
    path: str


@dataclass(frozen=True, slots=True)
class EnteredView:
    """A race that the racer entered. `place` "": no run has qualified."""

    race: str
    path: str
    about: str
    place: str
    of: Sentence
    score: str
    attempts: int


@dataclass(frozen=True, slots=True)
class OwnAttemptView:
    """An attempt of the reader's own. `reason`: why it does not count."""

    race: str
    path: str
    at: str
    at_text: str
    score: str
    state: str
    state_text: Sentence
    reason: str


@dataclass(frozen=True, slots=True)
class ProfileView:
    """The page of a racer. `attempts` empty for all but the racer."""

    alias: str
    name: str
    own: bool
    counts: str
    badges: tuple[BadgeView, ...]
    bests: tuple[BestView, ...]
    races: tuple[EnteredView, ...]
    more: bool
    attempts: tuple[OwnAttemptView, ...]


def profile_view(profile: RacerProfile, records: Collection[TrackRecord], now_utc_ns: int) -> ProfileView:
    """The page of this racer; `records`: those of the tracks where the racer leads a race."""
    races = profile.races
    podiums = [each for each in races if each.race.state(now_utc_ns) in _OVER and (each.rank or 9) <= 3]
    wins = sum(each.rank == 1 for each in podiums)
    counted = (
        ntext("{n} race", "{n} races", n=len({each.race.race_id for each in races})),
        ntext("{n} win", "{n} wins", n=wins),
        ntext("{n} podium", "{n} podiums", n=len(podiums)),
    )
    return ProfileView(
        alias=profile.account.alias,
        name=profile.account.name or profile.account.alias,
        own=profile.own,
        counts=joined(counted, " · "),
        badges=(*(_record(each) for each in _held(races, records)), *(_medal(each) for each in podiums)),
        bests=_bests(races),
        races=tuple(_entered(each) for each in races),
        more=profile.more,
        attempts=tuple(_attempt(race, attempt) for race, attempt in profile.attempts),
    )


def _held(races: Sequence[RacerRace], records: Collection[TrackRecord]) -> list[TrackRecord]:
    own = {(each.race.race_id, each.racer) for each in races}
    return [each for each in records if (each.race_id, each.racer) in own]


def _record(record: TrackRecord) -> BadgeView:
    words = text("Track record: {score}", score=format_ms(record.score_ms))
    return BadgeView("record", "◆", words, record.key.track, f"/races/{record.race_id}")


def _medal(entered: RacerRace) -> BadgeView:
    rank = entered.rank or 0
    kind: Literal["1", "2", "3"] = "1" if rank == 1 else "2" if rank == 2 else "3"
    return BadgeView(
        kind, "★" if rank == 1 else "☆", _MEDALS[rank], entered.race.name, f"/races/{entered.race.race_id}"
    )


def _bests(races: Sequence[RacerRace]) -> tuple[BestView, ...]:
    best: dict[tuple[str, ...], RacerRace] = {}
    for each in races:
        if each.score_ms is None or not each.race.track:
            continue
        rules = each.race.rules
        laps = "" if rules.method == "best_lap" else str(rules.consecutive_laps)
        key = (each.race.track, each.race.direction, each.race.race_type, each.table, rules.method, laps)
        if key not in best or each.score_ms < (best[key].score_ms or 0):
            best[key] = each
    return tuple(_best(each) for _, each in sorted(best.items(), key=lambda item: item[0]))


def _best(entered: RacerRace) -> BestView:
    race = entered.race
    what = joined((wording.score_name(race.rules), VENUES[entered.table]), " · ")
    return BestView(
        race.track, what, format_ms(entered.score_ms or 0), race.name, racer_page(race.race_id, entered.racer)
    )


def _entered(entered: RacerRace) -> EnteredView:
    race = entered.race
    return EnteredView(
        race=race.name,
        path=racer_page(race.race_id, entered.racer) if entered.rank is not None else f"/races/{race.race_id}",
        about=race.track,
        place="" if entered.rank is None else str(entered.rank),
        of=ntext("of {n} racer", "of {n} racers", n=entered.ranked),
        score="" if entered.score_ms is None else format_ms(entered.score_ms),
        attempts=entered.attempts,
    )


def _attempt(race: RaceRecord, attempt: Attempt) -> OwnAttemptView:
    at = utc_text(attempt.finished_utc_ns)
    return OwnAttemptView(
        race=race.name,
        path=f"/races/{race.race_id}/attempts",
        at=at,
        at_text=wording.minute_text(attempt.finished_utc_ns),
        score="" if attempt.score_ms is None else format_ms(attempt.score_ms),
        state=attempt.state,
        state_text=STATES[attempt.state],
        reason=recorded(attempt.reason),
    )
