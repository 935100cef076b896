"""A league with the worst that its pages may have to show, served on loopback, for the tests of the look.

200 racers with names of 40 characters, in a race, in a season, in a queue, and behind an invitation; a season with
teams, prizes, a bracket, an event and a series; LIVE races, one with its winner; submissions in every state; a long
description; and three people: nobody, a racer, and an admin who organises.
"""

import json
import pathlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI

from leaderboard.accounts.limits import SessionPeriods
from leaderboard.accounts.sessions import open_session
from leaderboard.app import create_app
from leaderboard.build import open_board
from leaderboard.config import LeaderboardConfig
from leaderboard.core.access import ADMIN, Caller, Grant
from leaderboard.core.league.records import EventRecord
from leaderboard.core.league.series import CalendarRule
from leaderboard.core.submissions.submission import ModelSubmission
from leaderboard.credentials import Credentials
from leaderboard.evaluations.interruptions import set_aside
from leaderboard.services import LeaderboardServices
from leaderboard.store.evaluations import node_rows
from leaderboard.store.submissions import submission_rows
from leaderboard.store.tables import ENTRIES
from shared.conditions import ENGINE
from shared.protocol.farm import ClaimRequest
from shared.protocol.live import LiveMessage, RivalCar
from shared.protocol.results import Evidence, encode_result
from shared.traces.encoding import encode, trace_sha256
from shared.traces.trace import OtherCar, TraceBox
from shared.tracks.shipped import shipped_names, shipped_outline
from shared.web.server import listen
from tests.leaderboard import sample_races, signed_in
from tests.leaderboard.evaluations.driven_heats import driven_bracket
from tests.leaderboard.league.test_pictures import picture
from tests.leaderboard.seasons.sample_season import SIXTH_MONTH, fill
from tests.leaderboard.submissions.every_state import submitted
from tests.shared.traces.driven import driven_on
from tests.shared.web.sample_refusals import hostile_day
from tests.station.web.extreme_views import names
from vehicle.web.server import ConsoleServer

LONG = "W" * 40
DAY_NS = 24 * 3600 * 10**9
OLGA = Caller("account-olga", "olga", "Olga", frozenset({Grant("admin")}), "a session")
WORDS = "# About\n\nA **description** with a [link](https://raceday.example) and " + "Donaudampfschiff" * 12


@dataclass(frozen=True, slots=True)
class LeagueWorld:
    """The served league: its address, the session of each person, and what its addresses hold of names and ids."""

    url: str
    sessions: dict[str, str]
    names: dict[str, str]
    app: FastAPI


@contextmanager
def league_world(folder: pathlib.Path) -> Iterator[LeagueWorld]:
    """The league, for as long as the block lasts."""
    held, now = open_board(folder / "board.db"), SIXTH_MONTH
    seasons = fill(held)
    racers = names(200)
    shared_fields = {"track": "re:Invent 2018", "description": WORDS, "season_id": "cup-2027", "owner": "account-olga"}
    held.create_race(sample_races.race("worst", name=LONG, edition=3, closes_utc_ns=now + 10**15, **shared_fields), now)
    held.create_race(sample_races.race("live", name=LONG, live=True, **shared_fields), now)
    people = {
        "racer": signed_in.account(held.store, "w" * 30),
        "admin": signed_in.account(held.store, "olga", Grant("admin")),
    }
    submitted(held.store, "virtual", people["racer"], now, in_work_per_racer=100, **shared_fields)
    with held.store.write() as db:
        entry = {"race_id": "worst", "racer": racers[0], "name": racers[0], "entered_utc_ns": 1}
        db.execute(ENTRIES.insert().values(**entry, account_id=people["racer"]))
        sessions = {
            name: open_session(db, account, "a test", now, SessionPeriods()).token for name, account in people.items()
        }
    for number, racer in enumerate(racers):
        for run, score_ms in enumerate((599_999 - number, 599_000 - number)[: 2 if number < 20 else 1]):
            one = sample_races.result(
                f"worst-{number}-{run}", racer, (score_ms,) * 3, race_id="worst", car="c" * 64, model="m" * 64
            )
            assert held.apply(one.webhook_id, encode_result(one), now - 10**12 + number * 10**9).status == 201
    app, feed = create_app(held, Credentials((), "x" * 32), LeaderboardConfig(), lambda: now, refusals=hostile_day())
    team = seasons.members.add_team(ADMIN, "cup-2027", LONG, now)
    named = {
        "racer": quote(racers[0], safe=""),
        "alias": "w" * 30,
        "team": team.team_id,
        "bracket": seasons.brackets.brackets(ADMIN)[0].bracket.bracket_id,
    }
    named |= _organise(app.state.services, racers, now)
    duel = sample_races.race(
        "duel", name=LONG, venue="virtual", track="reinvent_base", race_type="head_to_head", owner="account-olga"
    )
    named["duel"] = driven_bracket(app.state.services, duel, racers[:4], now)
    server = ConsoleServer(app, listen("127.0.0.1", 0, "league"))
    server.start()
    try:
        yield LeagueWorld(f"http://127.0.0.1:{server.port}", sessions, named, app)
    finally:
        feed.close()
        server.close()


def _drive_a_heat(services: LeaderboardServices, racers: list[str], now: int) -> None:
    """Two on the track at once, another heat that waits, and one who waits alone."""
    live = services.live
    live.add(ADMIN, "heat", racers[:6], now, entries=False)
    queue = live.heats.pair(ADMIN, "heat", 1, now)
    live.heats.part(ADMIN, "heat", queue.version, now, queue.waiting[-1].item_id)
    live.launch(ADMIN, "heat", queue.version + 1, now - 20 * 10**9)
    rival = RivalCar(
        racers[1], lap=3, last_lap_ms=62_123, best_lap_ms=61_999,
        sectors=(21_000, 20_003, None), track_share=0.3, speed_mps=3.05, resets=10,
    )  # fmt: skip
    message = LiveMessage(
        "heat", racers[0], "c", 1, lap=3, last_lap_ms=62_123, best_lap_ms=61_999, rival=rival, ahead_m=12.25,
        sectors=(21_001, 20_002, None), track_share=0.4, speed_mps=3.25, resets=12,
    )  # fmt: skip
    live.receive("farm", message, now)


def _organise(services: LeaderboardServices, racers: list[str], now: int) -> dict[str, str]:
    """What an organiser makes besides the races: an event, a series, queues, a winner, invitations; returns these."""
    league, live = services.league, services.live
    hall = EventRecord("hall", LONG, "summit", "cup-2027", LONG, "Europe/Berlin", now + DAY_NS, now + 2 * DAY_NS, WORDS)
    league.seasons.create_event(OLGA, hall, now)
    made = {"name": LONG, "season_id": "cup-2027", "event_id": "hall", "track": "re:Invent 2018", "description": WORDS}
    races: dict[str, dict[str, Any]] = {
        "draft": {"stage": "draft"},
        "coming": {"opens_utc_ns": now + DAY_NS, "closes_utc_ns": now + 9 * DAY_NS},
        # With more than twelve races the season's table has no columns of them, and would never be looked at.
        "gone": {"visibility": "private", "kind": "community", "season_id": "", "event_id": ""},
        "friends": {"visibility": "private", "kind": "community", "season_id": "", "event_id": ""},
        "won": {"live": True, "season_id": "", "event_id": ""},
        "heat": {"live": True, "venue": "virtual", "race_type": "head_to_head", "season_id": "", "event_id": ""},
        "boxes": {"venue": "virtual", "race_type": "object_avoidance", "season_id": "", "event_id": ""},
    }
    for race_id, changes in races.items():
        assert league.races.create(OLGA, sample_races.race(race_id, **(made | changes)), now)
    league.moves.move(OLGA, "gone", "delete", now)
    rule = CalendarRule("month", "2027-01-31T18:00", "Europe/Berlin")
    league.series.create(
        OLGA, "series", (LONG, "W" * 34 + " {n}"), sample_races.race("x", season_id="cup-2027"), rule, now
    )
    league.pictures.set_of_race(OLGA, "worst", picture(size=(1600, 400)), now)
    entered = [{"race_id": "friends", "racer": each, "name": each, "entered_utc_ns": now} for each in racers]
    with services.board.store.write() as db:
        db.execute(ENTRIES.insert(), entered)
    queue = live.add(ADMIN, "live", racers, now, entries=False)
    live.launch(ADMIN, "live", queue.version, now - 20 * 10**9)
    message = LiveMessage(
        "live", racers[0], "c", 1, lap=3, last_lap_ms=62_123, best_lap_ms=61_999,
        sectors=(21_001, 20_002, None), track_share=0.4, speed_mps=3.25, resets=12,
    )  # fmt: skip
    live.receive("station", message, now)
    _drive_a_heat(services, racers, now)
    for racer in racers[:3]:
        one = sample_races.result(f"won-{racer}", racer, (599_999,) * 3, race_id="won")
        assert services.board.apply(one.webhook_id, encode_result(one), now).status == 201
    live.declare(ADMIN, "won", live.state("won", now).queue.version, now)
    _evaluate(services, racers, now)
    _drive(services, racers, now)
    dead, _ = services.invitations.make(OLGA, "friends", now)
    return {"dead": dead.token, "token": services.invitations.reset(OLGA, "friends", now).token}


def _evaluate(services: LeaderboardServices, racers: list[str], now: int) -> None:
    """Conditions with boxes, a queue, and nodes of a farm: one that drives, one that is gone, one that is set aside."""
    places = [{"lane": (-1) ** n, "share_ppm": 150_000 * n} for n in range(1, 7)]
    wanted = {"objects": {"count": 6, "places": places}, "look": max(shipped_names(), key=len), "final_top_n": 100}
    services.conditions.set(OLGA, "boxes", json.dumps(wanted).encode(), now)
    with services.board.store.write() as db:
        for number, racer in enumerate(racers[:3]):
            one = ModelSubmission(
                f"b{number:015}", "boxes", f"of {racer}", racer, "0" * 64, LONG, "", "queued", "", now, now, now
            )
            submission_rows.add(db, one, "system")
    for name, wanted_runs, before_ns in ((LONG + "w" * 40, 2, 0), ("aside", 2, 0), ("gone", 0, 10**13)):
        asked = ClaimRequest(name, ENGINE, 4096, wanted_runs, "ab" * 32)
        services.evaluations.claim(ADMIN, asked, now - before_ns)
    with services.board.store.write() as db:
        node = node_rows.get(db, "admin/aside")
        assert node is not None, "it has just claimed"
        set_aside(db, node, now)


def _drive(services: LeaderboardServices, racers: list[str], now: int) -> None:
    """A virtual race with two runs that can be replayed."""
    services.board.create_race(sample_races.race("driven", name=LONG, venue="virtual", track="re:Invent 2018"), now)
    farm = Caller(key_id="farm", key_scopes=frozenset({"farm"}))
    for number, racer in enumerate(racers[:2]):
        outline = shipped_outline("reinvent_base")
        trace = driven_on(outline, 3, 2.0 - 0.3 * number, off_at_s=12.0 * number)
        ahead = trace.frames.x_tenths_mm[30:] + trace.frames.x_tenths_mm[:30]
        beside = trace.frames.y_tenths_mm[30:] + trace.frames.y_tenths_mm[:30]
        x, y = outline.point_at(0.4)
        box = TraceBox(round(x * 10_000), round(y * 10_000), 0, 400, 300)
        trace = replace(trace, boxes=(box,), others=(OtherCar(ahead, beside, (0,) * len(ahead)),))
        services.traces.keep(farm, trace_sha256(trace), encode(trace), now)
        laps_ms = tuple(lap_ns // 10**6 for lap_ns in trace.laps_ns)
        evidence = Evidence("farm", trace_sha256(trace), 1, 1, 0, {"engine": ENGINE})
        one = sample_races.result(
            f"submission-{number}", racer, laps_ms, race_id="driven", kind="virtual", evidence=evidence
        )
        assert services.board.apply(one.webhook_id, encode_result(one), now).status == 201
