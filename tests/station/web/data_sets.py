"""What a page has to show in the geometry tests: each set a whole view, with the results that go along. Named by it."""

from dataclasses import dataclass, field, replace

from station.core.event.records import EventCar, EventInfo, RaceState
from station.screens.records import Screen, ScreensView
from station.views.audit.audit_trail import AuditEntry
from station.views.event_view import EventView, RaceLine, RacerLine
from station.views.queue_view import QueueLine, QueueView
from station.views.race_views import StandingLine, UncountedCrossing, UnknownTransponderView
from station.views.results.race_results import RaceResults
from station.views.trackside.announcements import Announcement
from station.views.trackside.commentary import CommentaryView, LapTime, RunLaps
from station.views.trackside.devices import StartLightsView, StopButtonView
from station.views.trackside.sectors import SectorLevel, SectorView
from station.views.views import View
from tests.station.exports.sample_results import sample
from tests.station.web import extreme_views, operate_views
from tests.station.web.extreme_views import LONG, LONG_RULES, MANY, NAMES, SLOW_MS, STOPPED, names
from tests.station.web.sample_views import EMPTY, FULL_GATE, RUN, SPLIT, TOGETHER, TROUBLE, VIEW, S

NOW_UTC_NS = VIEW.clock.utc_ns
TEN_MINUTES_MS = 619_412
CODE = "K7QX2"


@dataclass(frozen=True)
class DataSet:
    """A view, and the results of its race; without any race there are none."""

    view: View
    results: dict[str, RaceResults] = field(default_factory=dict)


def racers(count: int) -> tuple[RacerLine, ...]:
    """So many racers on file, the awkward ones first."""
    return tuple(
        RacerLine(
            name,
            "IN",
            f"Team {name}"[:64],
            "#d62828",
            "m" * 64,
            "c" * 64,
            (f"E200:{place:08x}" * 3, f"9{place}"),
            place % 2 == 0,
            CODE if place == 0 else f"C{place}",
            place % 4,
        )
        for place, name in enumerate(names(count))
    )


def event(count: int, name: str = "W" * 64) -> EventView:
    """An event with so many racers, three races and three cars."""
    titled: tuple[tuple[str, str, RaceState], ...] = (
        ("race-1", "W" * 64, "running"),
        ("two", "決勝", "draft"),
        ("three", name, "closed"),
    )
    races = tuple(
        RaceLine(
            race_id,
            title,
            "e-1",
            LONG_RULES,
            12,
            "V" * 64,
            "clockwise",
            "physical",
            6,
            state,
            race_id == "race-1",
            99,
            count,
            NAMES[0],
            SLOW_MS,
            3600.0,
            official_by_two=True,
        )
        for race_id, title, state in titled
    )
    cars = (
        EventCar("c" * 64, "stock", ("E2:" * 20,), "#2563eb"),
        EventCar("car-1", "agent", (), ""),
        EventCar("d" * 64, "none", (), ""),
    )
    info = EventInfo("e-1", name, "V" * 64, "clockwise", 1234.56, "America/Argentina/ComodRivadavia")
    return EventView(info, races, races[2:], racers(count), cars, names_of(NAMES[:3]))


def names_of(given: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{name[:30]} (unlisted)" for name in given)


def standing(count: int, first_ms: int) -> tuple[StandingLine, ...]:
    """So many racers, a thousandth apart."""
    return tuple(
        StandingLine(n, name, first_ms + n - 1, n - 1, min(1, n - 1), n == 3, 2, "")
        for n, name in enumerate(names(count), 1)
    )


def queue(count: int) -> QueueView:
    """So many racers who wait, the first of them called, each later than planned."""
    lines = (
        QueueLine(
            name, n, NOW_UTC_NS + n * 240 * S, 61 * (n % 2), called=n == 1, no_shows=n % 3, replaces="run-3" * (n == 2)
        )
        for n, name in enumerate(names(count), 1)
    )
    return QueueView(tuple(lines), NOW_UTC_NS, 240 * S)


def results(count: int, first_ms: int, *, official: bool) -> dict[str, RaceResults]:
    """The results of the race that is on."""
    return {"race-1": replace(sample(count, official=official, base_ms=first_ms), race_id="race-1")}


def raced(count: int, first_ms: int = 9_412, lap_s: int = 4) -> DataSet:
    """A usual run before so many ranked racers; the lap on the track is `lap_s` old."""
    run = replace(RUN, racer=NAMES[2], lap_started_ns=VIEW.clock.now_ns - lap_s * S)
    view = replace(
        VIEW,
        run=run,
        runs=(run,),
        standing=standing(count, first_ms),
        queue=queue(min(count, 9)),
        event=event(count, "Autumn Summit 2026"),
    )
    return DataSet(view, results(count, first_ms, official=False))


LEVELS: tuple[SectorLevel, ...] = ("best", "own", "slower", "unknown", "pending")
SECTORS = tuple(
    SectorView(number, None if level == "pending" else 599_999_000_000, level) for number, level in enumerate(LEVELS, 1)
)


def laps_of(number: int, racer: str, laps: int) -> RunLaps:
    times = tuple(LapTime(lap, SLOW_MS - lap, lap % 7 != 0, held=lap % 14 == 0) for lap in range(1, laps + 1))
    return RunLaps(f"run-{number}", racer, 99, number == 7, number % 2 == 1, SLOW_MS, times)


LONG_RUN = replace(extreme_views.LONG_RUN, sectors=SECTORS, last_sectors=SECTORS)
WORST = replace(
    LONG,
    race=replace(LONG.race, best_lap_ns=SLOW_MS * 1_000_000, best_racer=NAMES[2]),  # type: ignore[type-var]
    run=LONG_RUN,
    runs=(LONG_RUN,),
    event=event(60),
    queue=queue(60),
    procedure=operate_views.with_runs(VIEW, LONG_RUN).procedure,
    gates=(replace(FULL_GATE, name="g" * 40), SPLIT),
    uncounted=tuple(
        UncountedCrossing(n, "g" * 40, "s" * 40, NOW_UTC_NS, "The transponder is unknown here.", "E200:" * 8)
        for n in range(3)
    ),
    unknown_transponders=tuple(UnknownTransponderView("E200:" * 10 + str(n), 999) for n in range(3)),
    notice="The station was restarted in the middle of the lap; " * 3,
    commentary=CommentaryView(
        current=(laps_of(7, NAMES[0], 60),),
        leaders=tuple(laps_of(20 + number, racer, 9) for number, racer in enumerate(NAMES[:5])),
        histories=(tuple(laps_of(40 + number, NAMES[0], 3) for number in range(8)),),
    ),
    announcements=tuple(Announcement(n, "lap", f"{NAMES[n % 8]}, lap {n}: 9 minutes 59.999.", 0) for n in range(1, 13)),
    button=StopButtonView("The contact of the stop button at the station is open: somebody pressed it."),
    lights=StartLightsView(3, "The pin GPIO17 of the start lights is taken by another program."),
)
SCREENS = ScreensView(
    tuple(Screen(f"screen-{n}" * 2, name, "hall", "both", seen_utc_ns=NOW_UTC_NS, width=1920, height=1080)
          for n, name in enumerate(NAMES)),
    "heat", "M" * 120, NOW_UTC_NS + 86_399 * S,
)  # fmt: skip
ACTS = tuple(
    AuditEntry(
        NOW_UTC_NS + n * S,
        name,
        "محمد " * 8,
        "Change the race autumn-summit-of-all-the-leagues-2026-qualifying",
        "run-1234567890",
        "lap 3: 1:10:00.588, score: 59:59.700, place 200",
        "no score",
        "x" * 200,
        "",
        n,
    )
    for n, name in enumerate(names(120))
)


def of_operate(view: View) -> DataSet:
    """A state of race control, with a usual event around it."""
    usual = raced(9)
    return DataSet(replace(view, standing=usual.view.standing, event=usual.view.event), usual.results)


WORST_SET = DataSet(WORST, results(60, TEN_MINUTES_MS, official=True))
SETS: dict[str, DataSet] = {
    "worst": WORST_SET,
    "no-race": DataSet(EMPTY),
    "0-racers": DataSet(
        replace(raced(0).view, run=None, runs=()),
        results(0, 9_412, official=False),
    ),
    "1-racer": raced(1),
    "9-racers": raced(9),
    "200-racers": raced(200),
    "over-1:00": raced(9, 72_123, 72),
    "over-10:00": raced(9, TEN_MINUTES_MS, 619),
    "3-cars": of_operate(replace(operate_views.THREE, gates=TOGETHER.gates)),
    "6-cars": DataSet(replace(WORST, race=MANY.race, runs=MANY.runs, procedure=VIEW.procedure), WORST_SET.results),
    "queued": of_operate(operate_views.QUEUED),
    "staged": of_operate(operate_views.STAGED),
    "paused": of_operate(operate_views.PAUSED),
    "over": of_operate(operate_views.OVER),
    "test-mode": DataSet(replace(WORST, mode="test"), WORST_SET.results),
    "trouble": DataSet(
        replace(WORST, broker=TROUBLE.broker, sync=TROUBLE.sync, cars=TROUBLE.cars, gates=TROUBLE.gates)
    ),
    "stopped": DataSet(replace(WORST, stop=STOPPED), WORST_SET.results),
}
