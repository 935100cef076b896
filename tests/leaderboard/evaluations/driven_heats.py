"""A bracket of four whose first heat a farm drove in three runs, for the tests of what is shown of it."""

from dataclasses import replace

import sqlalchemy as sa

from leaderboard.core.access import Caller
from leaderboard.core.race import RaceRecord
from leaderboard.core.seasons.bracket import BracketSettings
from leaderboard.evaluations.race_conditions import wanted_conditions
from leaderboard.services import LeaderboardServices
from leaderboard.store import race_rows, season_rows
from leaderboard.store.season_rows import BracketRecord
from leaderboard.store.tables import ENTRIES
from shared.protocol.farm_shows import HeatReport, HeatRun
from shared.traces.encoding import encode, trace_sha256
from shared.traces.trace import DriveTrace, OtherCar
from shared.tracks.shipped import shipped_outline
from tests.shared.traces.driven import driven_on

FARM = Caller(key_id="farm-1", key_scopes=frozenset({"farm"}))
HEAT = 1


def together(first: DriveTrace, second: DriveTrace) -> tuple[DriveTrace, DriveTrace]:
    """Both traces with the other car in them, and their penalties served, as those of a heat are."""

    def seen(own: DriveTrace, other: DriveTrace) -> DriveTrace:
        frames, rest = other.frames, range(len(own.frames))
        columns = (frames.x_tenths_mm, frames.y_tenths_mm, frames.yaw_mdeg)
        beside = OtherCar(*(tuple(column[min(n, len(column) - 1)] for n in rest) for column in columns))
        return replace(own, others=(beside,), penalties_served=True)

    return seen(first, second), seen(second, first)


def driven_run(
    speeds_mps: tuple[float, float], run: HeatRun, off_at_s: float = 0.0
) -> tuple[HeatRun, tuple[DriveTrace, DriveTrace]]:
    """Two laps of both at these speeds, as a run and its traces; the second leaves the road at `off_at_s`."""
    outline = shipped_outline("reinvent_base")
    first, second = together(
        driven_on(outline, 2, speeds_mps[0]), driven_on(outline, 2, speeds_mps[1], off_at_s=off_at_s)
    )
    return replace(run, traces=(trace_sha256(first), trace_sha256(second))), (first, second)


RUNS = (
    driven_run((2.0, 1.9), HeatRun(0, 0, "first_to_finish", ("", ""), by_ms=930), off_at_s=6.0),
    driven_run((1.8, 1.85), HeatRun(1, 1, "first_to_finish", ("", ""), by_ms=53)),
    driven_run((1.7, 1.6), HeatRun(0, 0, "farther", ("", ""), by_mm=2340)),
)


def drive(services: LeaderboardServices, bracket_id: str, race: RaceRecord, now_utc_ns: int) -> HeatReport:
    """Let a farm drive the first heat: its traces are kept, its result is entered. Returns what was reported."""
    for _, traces in RUNS:
        for trace in traces:
            services.traces.keep(FARM, trace_sha256(trace), encode(trace), now_utc_ns)
    with services.board.store.read() as db:
        sha256 = wanted_conditions(db, race).sha256
    runs = tuple(run for run, _ in RUNS)
    report = HeatReport(0, (17_700, 18_630), tuple(s for run in runs for s in run.traces), sha256, 900, runs)
    services.heats.report(FARM, bracket_id, HEAT, report, now_utc_ns)
    return report


def driven_bracket(services: LeaderboardServices, race: RaceRecord, names: list[str], now_utc_ns: int) -> str:
    """The id of a bracket of this race, whose first four racers are called so; its first heat is driven."""
    racers = [f"{race.race_id}-{number}" for number in range(1, 5)]
    bracket_id = f"bracket-{race.race_id}"
    with services.board.store.write() as db:
        race_rows.add_race(db, race, now_utc_ns)
        for racer, name in zip(racers, names, strict=True):
            entry = {"race_id": race.race_id, "racer": racer, "name": name, "entered_utc_ns": 1}
            db.execute(sa.insert(ENTRIES), entry | {"account_id": f"account-{racer}"})
        settings = BracketSettings(4, driven=True)
        made = BracketRecord(bracket_id, race.race_id, "", "Cup", settings, tuple(racers))
        season_rows.add_bracket(db, made, now_utc_ns)
    drive(services, bracket_id, race, now_utc_ns)
    return bracket_id
