"""A LIVE race as the words and figures of its pages; the templates only place them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from leaderboard.core.live.queue import LiveQueue
from leaderboard.core.live.turn import FULL_PERCENT, ON_TRACK, STATE_WORDS, WAITING, QueueItem, QueueState
from leaderboard.live_races.rows import RankedScore
from leaderboard.live_races.service import LiveRaceState
from leaderboard.pages.live.track_view import SectorMark, TrackMap, car_spot, sector_marks, track_map
from shared.rules.person_names import name_key
from shared.text import Sentence, ntext, recorded, text
from shared.units import NS_PER_MS, format_ms

NEXT = 3
NOTHING = "–"
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
    """A turn in the list. `place`: among those who wait, 0 for others; `last`: nobody waits behind it."""

    key: str
    place: int
    last: bool
    name: str
    state: QueueState
    sign: str
    words: Sentence
    reason: str
    launches: Sentence | None


@dataclass(frozen=True, slots=True)
class NowView:
    """Who is on the track. Times are in ms from the moment of drawing; `starts_ms`: until the countdown is over.

    `clock_ms`: of the run, None before it; `speed`: the multiplier. `silent`: nothing is picture from the track.
    """

    key: str
    name: str
    state: QueueState
    words: Sentence
    starts_ms: int
    clock_ms: int | None
    left_ms: int
    speed_percent: int
    speed: str
    silent: bool


@dataclass(frozen=True, slots=True)
class TrackFigures:
    """What is picture from the track, as text; – where nothing is known. `car`: where it is on the map."""

    racer: str
    lap: Sentence | str
    lap_ms: int | None
    last: str
    best: str
    gap: str
    gap_words: Sentence
    speed: str
    resets: Sentence | str
    sectors: tuple[SectorMark, ...]
    car: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class ShortPlace:
    """A place of the standing in short."""

    rank: int
    name: str
    value: str
    on_track: bool


@dataclass(frozen=True, slots=True)
class LiveView:
    """Everything that the pages of a LIVE race show."""

    race_id: str
    race: str
    track: str
    version: int
    entries_open: bool
    run_time_s: int
    now: NowView | None
    figures: TrackFigures
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


@dataclass(frozen=True, slots=True)
class OwnTurn:
    """What a racer may do in the queue now. `speed_percent`: of the own car, 100 while it does not drive."""

    can_join: bool
    has_turn: bool
    speed_percent: int


def own_turn(queue: LiveQueue, account_id: str, *, entered: bool) -> OwnTurn:
    """What the racer with this account may do; `entered`: in the race."""
    own = [each for each in queue.items if each.account_id == account_id]
    active = [each for each in own if each.state in WAITING | ON_TRACK]
    driving = [each for each in own if each.state in ON_TRACK]
    speed_percent = driving[0].speed_percent if driving else FULL_PERCENT
    return OwnTurn(entered and queue.entries_open and not active, bool(active), speed_percent)


def live_view(state: LiveRaceState, now_utc_ns: int) -> LiveView:
    """What the pages show of this state."""
    race, queue = state.race, state.queue
    waiting = queue.waiting
    on_track = queue.on_track
    racing = name_key(on_track.racer) if on_track is not None else ""
    return LiveView(
        race_id=race.race_id,
        race=race.name,
        track=race.track,
        version=queue.version,
        entries_open=queue.entries_open,
        run_time_s=queue.run_time_s,
        now=None if on_track is None else _now(state, on_track, now_utc_ns),
        figures=_figures(state, now_utc_ns),
        lines=_lines_of(queue.items, waiting),
        next=tuple(each.name for each in waiting[:NEXT]),
        waiting=ntext("{n} racer waits", "{n} racers wait", n=len(waiting)),
        top=tuple(_place(rank, each, state.top[0], racing) for rank, each in enumerate(state.top, 1)),
        winner=queue.winner,
        leader=state.top[0].name if state.top else "",
        podium=_podium(queue.winner, state.top),
        map=track_map(race, len(state.picture.message.sectors) or 3 if state.picture else 3),
    )


def _lines_of(items: Sequence[QueueItem], waiting: Sequence[QueueItem]) -> tuple[TurnView, ...]:
    """Who is on the track, then those who wait in their order, then the others, the latest first."""
    places = {each.item_id: place for place, each in enumerate(waiting, 1)}
    on_track = [each for each in items if each.state in ON_TRACK]
    over = [each for each in items if each.state not in ON_TRACK | WAITING]
    over.sort(key=lambda each: (-(each.ended_utc_ns or 0), each.key))
    return tuple(_turn(each, places.get(each.item_id, 0), len(waiting)) for each in (*on_track, *waiting, *over))


def _turn(item: QueueItem, place: int, waiting: int) -> TurnView:
    launches = ntext("{n} launch", "{n} launches", n=item.launches) if item.launches > 1 else None
    words = STATE_WORDS[item.state]
    reason = recorded(item.reason) if item.reason else ""
    return TurnView(
        item.item_id, place, place == waiting, item.name, item.state, _SIGNS[item.state], words, reason, launches
    )


def _now(state: LiveRaceState, item: QueueItem, now_utc_ns: int) -> NowView:
    starts, ends = item.starts_utc_ns or 0, item.ends_utc_ns or 0
    picture = state.picture
    silent = picture is None or not picture.fresh(now_utc_ns) or name_key(picture.message.racer) != name_key(item.racer)
    return NowView(
        key=item.item_id,
        name=item.name,
        state=item.state,
        words=STATE_WORDS[item.state],
        starts_ms=max(0, starts - now_utc_ns) // NS_PER_MS,
        clock_ms=(now_utc_ns - starts) // NS_PER_MS if item.state == "running" else None,
        left_ms=min(ends - now_utc_ns, ends - starts) // NS_PER_MS,
        speed_percent=item.speed_percent,
        speed=f"{item.speed_percent / FULL_PERCENT:.2f}",
        silent=silent,
    )


def _figures(state: LiveRaceState, now_utc_ns: int) -> TrackFigures:
    picture = state.picture
    if picture is None or not picture.fresh(now_utc_ns):
        return _NOTHING_KNOWN
    message = picture.message
    age_ms = max(0, now_utc_ns - picture.received_utc_ns) // NS_PER_MS
    running = message.stage == "running"
    gap, gap_words = _gap(state, message.best_lap_ms)
    return TrackFigures(
        racer=message.racer,
        lap=text("Lap {lap}", lap=message.lap),
        lap_ms=message.lap_ms + age_ms if message.lap_ms is not None and running else message.lap_ms,
        last=_ms(message.last_lap_ms),
        best=_ms(message.best_lap_ms),
        gap=gap,
        gap_words=gap_words,
        speed=NOTHING if message.speed_mps is None else f"{message.speed_mps:.1f} m/s",
        resets=ntext("{n} reset", "{n} resets", n=message.resets),
        sectors=sector_marks(picture),
        car=car_spot(state.race, picture),
    )


_NOTHING_KNOWN = TrackFigures(
    racer="",
    lap=NOTHING,
    lap_ms=None,
    last=NOTHING,
    best=NOTHING,
    gap=NOTHING,
    gap_words=text("Gap to leader"),
    speed=NOTHING,
    resets=NOTHING,
    sectors=sector_marks(None),
    car=None,
)


def _gap(state: LiveRaceState, best_ms: int | None) -> tuple[str, Sentence]:
    """The best lap of this run against the leader, where a single lap decides."""
    words = text("Gap to leader")
    rules = state.race.rules
    one_lap = rules.method == "best_lap" or rules.consecutive_laps == 1
    if not state.top or best_ms is None or not one_lap:
        return NOTHING, words
    behind_ms = best_ms - state.top[0].score_ms
    if behind_ms <= 0:
        return f"−{format_ms(-behind_ms)}", text("Ahead of the leader")
    return f"+{format_ms(behind_ms)}", words


def _place(rank: int, each: RankedScore, first: RankedScore, racing: str) -> ShortPlace:
    value = format_ms(each.score_ms) if rank == 1 else f"+{format_ms(each.score_ms - first.score_ms)}"
    return ShortPlace(rank, each.name, value, bool(racing) and name_key(each.racer) == racing)


def _podium(winner: str, top: Sequence[RankedScore]) -> tuple[ShortPlace, ...]:
    """The declared winner first, then the best of the others; empty without a winner."""
    if not winner:
        return ()
    score = next((each.score_ms for each in top if each.name == winner), None)
    others = [each for each in top if each.name != winner][:2]
    first = ShortPlace(1, winner, NOTHING if score is None else format_ms(score), on_track=False)
    return (
        first,
        *(ShortPlace(rank, each.name, format_ms(each.score_ms), False) for rank, each in enumerate(others, 2)),
    )


def _ms(value: int | None) -> str:
    return NOTHING if value is None else format_ms(value)
