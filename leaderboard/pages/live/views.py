"""A LIVE race as the words and figures of its pages; the templates only place them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from leaderboard.core.live.heats import has_heats, last_won, outcome, sides
from leaderboard.core.live.queue import LiveQueue
from leaderboard.core.live.turn import FULL_PERCENT, ON_TRACK, STATE_WORDS, WAITING, QueueItem, QueueState
from leaderboard.live_races.rows import RankedScore
from leaderboard.live_races.service import LiveRaceState
from leaderboard.pages.live.figures import NOTHING, Lead, NowCar, TrackFigures, lead, rival_figures, track_figures
from leaderboard.pages.live.track_view import SectorMark, TrackMap, sector_marks, track_map
from shared.rules.person_names import name_key
from shared.text import Sentence, ntext
from shared.units import NS_PER_MS, format_ms

NEXT = 3
CAR_SIGNS = ("●", "◆")  # of the first car and of the second, on the map too
_SIGNS: dict[QueueState, str] = {
    "pending": "○",
    "called": "◇",
    "countdown": "▷",
    "running": "▶",
    "done": "✓",
    "failed": "✕",
    "skipped": "→",
}


@dataclass(frozen=True, slots=True)
class TurnView:
    """A turn in the list. `place`: among those who wait, 0 for others; `last`: nobody waits behind it.

    `heat`: two drive in it; `pairs`: it may become a heat with the next who waits alone.
    """

    key: str
    place: int
    last: bool
    name: str
    state: QueueState
    sign: str
    words: Sentence
    reason: Sentence | str
    launches: Sentence | None
    heat: bool
    pairs: bool


@dataclass(frozen=True, slots=True)
class NowView:
    """Who is on the track, in one car or in the two of a heat.

    Times are in ms from the moment of drawing. `starts_ms`: until the countdown is over; `clock_ms`: of the run, None
    before it. `silent`: nothing is heard from the track.
    """

    key: str
    name: str
    state: QueueState
    words: Sentence
    starts_ms: int
    clock_ms: int | None
    left_ms: int
    cars: tuple[NowCar, ...]
    silent: bool


@dataclass(frozen=True, slots=True)
class ShortPlace:
    """A place of the standing in short."""

    rank: int
    name: str
    value: str
    on_track: bool


@dataclass(frozen=True, slots=True)
class LiveView:
    """Everything that the pages of a LIVE race show.

    `rival`: the other car of a heat, `between`: who is ahead. `heats`: two drive at once in this race.
    """

    race_id: str
    race: str
    track: str
    version: int
    entries_open: bool
    run_time_s: int
    now: NowView | None
    figures: TrackFigures
    rival: TrackFigures | None
    between: Lead | None
    heats: bool
    lines: tuple[TurnView, ...]
    next: tuple[str, ...]
    waiting: Sentence
    top: tuple[ShortPlace, ...]
    winner: str
    leader: str
    podium: tuple[ShortPlace, ...]
    map: TrackMap | None

    @property
    def line(self) -> tuple[TurnView, ...]:
        """Who is on the track, and those who wait, in order."""
        return tuple(each for each in self.lines if each.place or each.state in ON_TRACK)

    @property
    def map_marks(self) -> tuple[SectorMark, ...]:
        """The levels of the map's sectors: of one car; where two drive, a line cannot show both."""
        return self.figures.sectors if self.rival is None else sector_marks(None)


@dataclass(frozen=True, slots=True)
class OwnTurn:
    """What a racer may do in the queue now. `speed_percent`: of the own car, 100 while it does not drive."""

    can_join: bool
    has_turn: bool
    speed_percent: int


def own_turn(queue: LiveQueue, account_id: str, *, entered: bool) -> OwnTurn:
    """What the racer with this account may do; `entered`: in the race."""
    own = [(each, car) for each in queue.items for car in each.cars if car.account_id == account_id]
    active = [each for each, _ in own if each.state in WAITING | ON_TRACK]
    driving = [car for each, car in own if each.state in ON_TRACK]
    speed_percent = driving[0].speed_percent if driving else FULL_PERCENT
    return OwnTurn(entered and queue.entries_open and not active, bool(active), speed_percent)


def live_view(state: LiveRaceState, now_utc_ns: int) -> LiveView:
    """What the pages show of this state."""
    race, queue = state.race, state.queue
    waiting = queue.waiting
    on_track = queue.on_track
    racing = {name_key(car.racer) for car in on_track.cars} if on_track is not None else set()
    now = None if on_track is None else _now(state, on_track, now_utc_ns)
    won, leader = last_won(queue.items), state.top[0].name if state.top else ""
    return LiveView(
        race_id=race.race_id,
        race=race.name,
        track=race.track,
        version=queue.version,
        entries_open=queue.entries_open,
        run_time_s=queue.run_time_s,
        now=now,
        figures=track_figures(state, now_utc_ns),
        rival=rival_figures(state, on_track, now_utc_ns),
        between=None if now is None else lead(state, now.cars, now_utc_ns),
        heats=has_heats(race),
        lines=_lines_of(queue.items, waiting, has_heats(race)),
        next=tuple(each.names for each in waiting[:NEXT]),
        waiting=ntext("{n} racer waits", "{n} racers wait", n=sum(len(each.cars) for each in waiting)),
        top=tuple(_place(rank, each, state.top[0], racing) for rank, each in enumerate(state.top, 1)),
        winner=queue.winner,
        leader=leader if won is None else sides(won)[0],
        podium=_podium(queue.winner, won, state.top),
        map=track_map(race, len(state.picture.message.sectors) or 3 if state.picture else 3),
    )


def _lines_of(items: Sequence[QueueItem], waiting: Sequence[QueueItem], heats: bool) -> tuple[TurnView, ...]:
    """Who is on the track, then those who wait in their order, then the others, the latest first."""
    places = {each.item_id: place for place, each in enumerate(waiting, 1)}
    on_track = [each for each in items if each.state in ON_TRACK]
    over = [each for each in items if each.state not in ON_TRACK | WAITING]
    over.sort(key=lambda each: (-(each.ended_utc_ns or 0), each.key))
    alone = [each.item_id for each in waiting if heats and not each.rival]
    return tuple(
        _turn(each, places.get(each.item_id, 0), len(waiting), each.item_id in alone[:-1])
        for each in (*on_track, *waiting, *over)
    )


def _turn(item: QueueItem, place: int, waiting: int, pairs: bool) -> TurnView:
    launches = ntext("{n} launch", "{n} launches", n=item.launches) if item.launches > 1 else None
    words = STATE_WORDS[item.state]
    return TurnView(
        item.item_id,
        place,
        place == waiting,
        item.names,
        item.state,
        _SIGNS[item.state],
        words,
        outcome(item),
        launches,
        heat=bool(item.rival),
        pairs=pairs,
    )


def _now(state: LiveRaceState, item: QueueItem, now_utc_ns: int) -> NowView:
    starts, ends = item.starts_utc_ns or 0, item.ends_utc_ns or 0
    picture = state.picture
    silent = picture is None or not picture.fresh(now_utc_ns) or name_key(picture.message.racer) != name_key(item.racer)
    return NowView(
        key=item.item_id,
        name=item.names,
        state=item.state,
        words=STATE_WORDS[item.state],
        starts_ms=max(0, starts - now_utc_ns) // NS_PER_MS,
        clock_ms=(now_utc_ns - starts) // NS_PER_MS if item.state == "running" else None,
        left_ms=min(ends - now_utc_ns, ends - starts) // NS_PER_MS,
        cars=tuple(
            NowCar(car.racer, car.name, sign, car.speed_percent, f"{car.speed_percent / FULL_PERCENT:.2f}")
            for car, sign in zip(item.cars, CAR_SIGNS, strict=False)
        ),
        silent=silent,
    )


def _place(rank: int, each: RankedScore, first: RankedScore, racing: set[str]) -> ShortPlace:
    value = format_ms(each.score_ms) if rank == 1 else f"+{format_ms(each.score_ms - first.score_ms)}"
    return ShortPlace(rank, each.name, value, name_key(each.racer) in racing)


def _podium(winner: str, won: QueueItem | None, top: Sequence[RankedScore]) -> tuple[ShortPlace, ...]:
    """The declared winner first, then who lost the last heat to them, then the best of the others."""
    if not winner:
        return ()
    scores = {each.name: format_ms(each.score_ms) for each in top}
    names = [winner]
    if won is not None and sides(won)[0] == winner:
        names.append(sides(won)[1])
    names += [each.name for each in top if each.name not in names]
    return tuple(
        ShortPlace(rank, name, scores.get(name, NOTHING), on_track=False) for rank, name in enumerate(names[:3], 1)
    )
