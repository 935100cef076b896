"""The desk: races with the moves that are possible now, series, seasons, events, and the bin."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from leaderboard.core import access
from leaderboard.core.access import Caller
from leaderboard.core.errors import UnknownItem
from leaderboard.league.moves import MOVES, Move
from leaderboard.league.services import LeagueServices
from leaderboard.pages.league.desk_view import DeskView, desk_view
from leaderboard.pages.league.words import done_words
from leaderboard.pages.site import LeaderboardSite
from leaderboard.web.forms import PostedForm
from shared.errors import Refused
from shared.text import text

_MOVES: dict[str, Move] = {move: move for move in MOVES}


def router(league: LeagueServices, site: LeaderboardSite, utc_ns: Callable[[], int]) -> APIRouter:
    """The routes of the desk, for everybody who is signed in."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/desk")
    def overview(request: Request) -> Response:
        caller = site.account(request)
        league.series.catch_up(utc_ns())
        return site.page(
            request,
            "league/desk.html",
            overview=_overview(league, caller, utc_ns()),
            organises=access.may(caller, "race.create_league") or _organises_some(caller),
        )

    @routes.post("/desk/races/{race_id}/{move}")
    def moved(request: Request, race_id: str, move: str, form: Annotated[PostedForm, Depends(site.form)]) -> Response:
        caller = site.account(request)
        if move not in _MOVES:
            raise UnknownItem.of("move", move)
        if move == "delete" and form.get("sure") != "yes":  # asked once, with what the bin does
            race = league.moves.check_may(caller, race_id, "delete")
            return site.page(request, "league/delete.html", race=race)
        done = league.moves.move(caller, race_id, _MOVES[move], utc_ns(), form.get("why"))
        if done.waits:
            notice = text("The reason is kept. A second official has to want it too, within a day.")
        else:
            notice = done_words(_MOVES[move], done.race.name)
        return site.done(request, "/desk", notice)

    @routes.post("/desk/series/{series_id}")
    def series_changed(request: Request, series_id: str, form: Annotated[PostedForm, Depends(site.form)]) -> Response:
        caller, stopped = site.account(request), form.get("stopped") == "yes"
        edition = edition_in(form)
        series = league.series.change(caller, series_id, utc_ns(), stopped=stopped, edition=edition)
        if stopped:
            return site.done(request, "/desk", text("{name} is stopped; its races stay.", name=series.name))
        return site.done(request, "/desk", text("{name} goes on.", name=series.name))

    return routes


def edition_in(form: PostedForm) -> int:
    """The edition that the sender of a form saw. Raises Refused."""
    written = form.get("edition")
    if not (written.isascii() and written.isdigit() and len(written) < 10):
        raise Refused(text("The form cannot be read."))
    return int(written)


def _overview(league: LeagueServices, caller: Caller, now_utc_ns: int) -> DeskView:
    seasons = [
        season for season in league.seasons.seasons(caller) if access.may(caller, "season.edit", None, season.season_id)
    ]
    events = [
        event for event in league.seasons.events(caller) if access.may(caller, "season.edit", None, event.season_id)
    ]
    return desk_view(caller, league.moves.races_of(caller), league.series.managed(caller), seasons, events, now_utc_ns)


def _organises_some(caller: Caller) -> bool:
    return any(grant.role == "organiser" and grant.scope == "season" for grant in caller.grants)
