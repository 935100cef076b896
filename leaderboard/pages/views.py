"""A snapshot as the words and figures of the page; the templates only place them."""

from dataclasses import dataclass
from urllib.parse import quote

from leaderboard.core.race import RaceRecord, Venue
from leaderboard.core.states import RaceState
from leaderboard.pages import wording
from leaderboard.pages.league.words import when
from leaderboard.scored_laps import LapShape, lap_line, utc_text
from leaderboard.snapshots import Snapshot, StandingRow
from shared.protocol.results import Evidence, Result
from shared.rules.ranking import RaceRules
from shared.rules.wording import INCIDENTS
from shared.text import Sentence, joined, ntext, text
from shared.tracks.shipped import shipped_name
from shared.units import format_ms
from shared.web.drawing.sparkline import Sparkline


@dataclass(frozen=True, slots=True)
class LapView:
    """One lap chip. `best`: 'race' for the fastest of all shown, 'own' for the racer's fastest, else ''."""

    number: int
    time: str
    best: str
    note: str


@dataclass(frozen=True, slots=True)
class MoveView:
    """Places gained or lost by the last change: a sign, and words for screen readers."""

    sign: str
    count: str
    sentence: str
    kind: str


@dataclass(frozen=True, slots=True)
class RowView:
    """A line of the standing, but for what follows from its place (PlaceView)."""

    key: str
    page: str
    run_key: str
    name: str
    racer: str
    score: str
    score_ms: int
    laps: tuple[LapView, ...]
    attempts: int
    car: str
    model: str
    model_note: str
    virtual: bool
    set_at: str
    set_at_text: str
    corrected: bool
    published: str
    sparkline: Sparkline | None


@dataclass(frozen=True, slots=True)
class PlaceView:
    """What follows from the place of a line."""

    rank: int
    gap: str
    interval: str
    tied: bool
    move: MoveView


@dataclass(frozen=True, slots=True)
class RaceHeaderView:
    """The head of a race's page, and its card on the index."""

    race_id: str
    name: str
    track: str
    kind: str
    venue: str
    state: str
    state_text: str
    counts: str
    ranked_by: str
    rules: tuple[str, ...]
    score_name: str
    entry: str
    opens_at: str | None
    closes_at: str | None
    is_live: bool = False
    replays: bool = False  # runs of it can be replayed on its drawn track
    private: bool = False
    when: Sentence | str = ""


@dataclass(frozen=True, slots=True)
class PodiumPlace:
    """One of the first three of a race."""

    rank: int
    name: str
    score: str


@dataclass(frozen=True, slots=True)
class CardView:
    """A race on the index, with its first three (fewer if fewer have qualified)."""

    race: RaceHeaderView
    podium: tuple[PodiumPlace, ...]


@dataclass(frozen=True, slots=True)
class BoardView:
    """Everything that the page of a race shows; `rows` as HTML, `hidden`: the number of racers left out.

    `kind`: which of the race's tables it is, "" if it has only one.
    """

    race: RaceHeaderView
    version: int
    rows: tuple[str, ...]
    hidden: int
    kind: str = ""


PODIUM = 3
_STATES: dict[RaceState, Sentence] = {
    "draft": text("Draft"),
    "published": text("Not open yet"),
    "open": text("Open"),
    "closed": text("Closed"),
    "provisional": text("Provisional"),
    "final": text("Final"),
    "deleted": text("Deleted"),
}


def place_view(row: StandingRow) -> PlaceView:
    """What follows from the place of this line."""
    placed = row.placed
    gap, interval = (wording.gap(ms, placed.rank) for ms in (placed.gap_ms, placed.interval_ms))
    return PlaceView(placed.rank, gap, interval, placed.tied, move_view(row.moved))


def card(snapshot: Snapshot, now_utc_ns: int, places: int = PODIUM) -> CardView:
    """The card of a race with its first lines, of which `snapshot` has as many."""
    race = race_view(snapshot.race, snapshot.racers, snapshot.results, now_utc_ns)
    podium = tuple(
        PodiumPlace(row.placed.rank, row.name, format_ms(row.placed.score_ms)) for row in snapshot.rows[:places]
    )
    return CardView(race, podium)


def race_view(race: RaceRecord, racers: int, results: int, now_utc_ns: int) -> RaceHeaderView:
    """The head of a race's page: its state at this time, its counts and its rules in words."""
    state = race.state(now_utc_ns)
    ends_utc_ns = race.ends_utc_ns()
    return RaceHeaderView(
        race_id=race.race_id,
        name=race.name,
        track=race.track,
        kind=text("League") if race.kind == "league" else text("Community"),
        venue=VENUES[race.venue],
        state=state,
        state_text=_STATES[state],
        counts=joined(
            (ntext("{n} racer", "{n} racers", n=racers), ntext("{n} result", "{n} results", n=results)), " · "
        ),
        ranked_by=wording.ranked_by(race.rules),
        rules=tuple(wording.rules_in_words(race.rules)),
        score_name=wording.score_name(race.rules),
        entry=text("Anyone may enter.") if race.entry == "open" else text("For registered racers."),
        opens_at=None if race.opens_utc_ns is None else utc_text(race.opens_utc_ns),
        closes_at=None if ends_utc_ns is None else utc_text(ends_utc_ns),
        is_live=race.live,
        replays=race.venue != "physical" and shipped_name(race.track) is not None,
        private=race.visibility == "private",
        when=_when(race, state),
    )


def _when(race: RaceRecord, state: RaceState) -> Sentence | str:
    """When the race opens, or when it closes if it is open; "" if nothing is planned or it is over."""
    if state == "published" and race.opens_utc_ns is not None:
        return text("Opens {when}.", when=when(race.opens_utc_ns, race.zone))
    ends_utc_ns = race.ends_utc_ns()
    if state == "open" and ends_utc_ns is not None:
        return text("Closes {when}.", when=when(ends_utc_ns, race.zone))
    return ""


@dataclass(frozen=True, slots=True)
class KindLink:
    """A link to one table of a race that takes physical and virtual results."""

    kind: Venue
    words: Sentence
    current: bool


VENUES: dict[Venue, Sentence] = {
    "physical": text("Physical"),
    "virtual": text("Virtual"),
    "any": text("Physical and virtual"),
}


def kind_of(snapshot: Snapshot) -> str:
    """Which table is shown, as the address names it; "" where the race has only one."""
    return snapshot.table if len(snapshot.race.tables()) > 1 else ""


def kind_links(snapshot: Snapshot) -> tuple[KindLink, ...]:
    """The tables of the race to choose from; none where it has only one."""
    tables = snapshot.race.tables()
    return tuple(KindLink(each, VENUES[each], each == snapshot.table) for each in tables if len(tables) > 1)


def racer_page(race_id: str, racer: str) -> str:
    """The address of a racer's page."""
    return f"/races/{quote(race_id, safe='')}/racers/{quote(racer, safe='')}"


def run_key(result: Result) -> str:
    """The id of a run's element on its racer's page, fit for HTML whatever the id of its result holds."""
    return f"run-{result.result_id.encode().hex()[:80]}"


def row_view(row: StandingRow, rules: RaceRules, window: tuple[LapShape, ...], fastest_ms: int) -> RowView:
    """A line of the standing; `fastest_ms`: of all laps that are shown."""
    placed, result = row.placed, row.result
    set_at = utc_text(result.finished_utc_ns)
    return RowView(
        key=placed.racer,
        page=racer_page(result.race_id, placed.racer),
        run_key=run_key(result),
        name=row.name,
        racer=placed.racer,
        score=format_ms(placed.score_ms),
        score_ms=placed.score_ms,
        laps=_laps(window, fastest_ms),
        attempts=row.attempts,
        car=result.car,
        model=result.model,
        model_note=_model_remark(result.evidence),
        virtual=result.kind == "virtual",
        set_at=set_at,
        set_at_text=wording.minute_text(result.finished_utc_ns),
        corrected=result.revision > 1,
        published=published_note(result),
        sparkline=lap_line(result.laps, rules, {lap.number for lap in window}),
    )


def published_note(result: Result) -> str:
    """Where a score without laps was published; "" for one that follows from its laps."""
    source = result.evidence
    if result.laps or not result.score_ms:
        return ""
    return text(
        "Published in {file}, line {line}; it cannot be scored again", file=source.journal, line=source.first_seq
    )


def _model_remark(evidence: Evidence) -> str:
    """A remark on the model: the car reported none, or it changed within the run."""
    if evidence.model_by == "nobody":
        return text("no model reported")
    return text("model changed in the run") if evidence.model_changes else ""


def move_view(moved: int | None) -> MoveView:
    """Arrow and words for places won (+), lost (-), none (0), or new in the standing (None)."""
    if moved is None:
        return MoveView("★", text("new"), text("new in the standing"), "new")
    if moved == 0:
        return MoveView("", "", "", "same")
    if moved > 0:
        return MoveView("▲", str(moved), ntext("up {n} place", "up {n} places", n=moved), "up")
    return MoveView("▼", str(-moved), ntext("down {n} place", "down {n} places", n=-moved), "down")


def _laps(window: tuple[LapShape, ...], fastest_ms: int) -> tuple[LapView, ...]:
    own_ms = min((lap.lap_ms for lap in window), default=0)
    return tuple(LapView(lap.number, lap.lap, _best(lap.lap_ms, own_ms, fastest_ms), lap_remark(lap)) for lap in window)


def _best(lap_ms: int, own_ms: int, fastest_ms: int) -> str:
    if lap_ms == fastest_ms:
        return "race"
    return "own" if lap_ms == own_ms else ""


def lap_remark(lap: LapShape) -> str:
    """What happened in a lap, and the penalty in its time."""
    counts = (lap.off_tracks, lap.collisions, lap.resets)
    happened: list[str] = [what.counted(count) for what, count in zip(INCIDENTS.values(), counts, strict=True) if count]
    if lap.penalty_ms:
        happened.append(text("{seconds} s penalty in it", seconds=format_ms(lap.penalty_ms)))
    return joined(happened, ", ")
