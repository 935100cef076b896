"""The routes of the pages of seasons, records and brackets."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from leaderboard.core.errors import NotAllowed, UnknownItem
from leaderboard.core.seasons.bracket import HeatResult
from leaderboard.core.seasons.chances import what_if
from leaderboard.core.seasons.points import points_text
from leaderboard.evaluations.brackets.heat_replays import HeatReplays
from leaderboard.pages.seasons.awards_view import awards_by_race
from leaderboard.pages.seasons.bracket_view import bracket_view
from leaderboard.pages.seasons.chances_view import chance_views
from leaderboard.pages.seasons.records_view import record_views
from leaderboard.pages.seasons.rule_sentences import team_rule_in_words
from leaderboard.pages.seasons.standing_view import season_view
from leaderboard.pages.seasons.teams_view import team_view
from leaderboard.pages.site import LeaderboardSite
from leaderboard.seasons.results import SeasonResults
from leaderboard.seasons.services import SeasonServices
from leaderboard.seasons.standings import SeasonTable, StandingChoice
from leaderboard.web.forms import PostedForm
from leaderboard.web.season_choice import choice
from shared.errors import BadInput, Refused
from shared.text import Sentence, text
from shared.units import parse_ms

_CHANCES_SHOWN = 24


class SeasonPages:
    """The handlers of the pages that are read."""

    def __init__(self, seasons: SeasonServices, site: LeaderboardSite, utc_ns: Callable[[], int]) -> None:
        self._seasons, self._site, self._utc_ns = seasons, site, utc_ns

    def index(self, request: Request) -> Response:
        """All seasons that the reader may know of."""
        found = self._seasons.standings.seasons(self._site.caller(request))
        return self._site.page(request, "seasons/index.html", seasons=found)

    def season(
        self,
        request: Request,
        season_id: str,
        chosen: Annotated[StandingChoice, Depends(choice)],
        start: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
        racer: Annotated[str, Query(max_length=200)] = "",
        place: Annotated[int, Query(ge=1, le=1000)] = 1,
    ) -> Response:
        """The standing, what is still possible, and what would be if."""
        results = self._results(request, season_id)
        table = self._seasons.standings.table(results, chosen)
        chances = self._seasons.standings.chances(results, chosen) if table.to_come and table.lines else {}
        brackets = self._seasons.brackets.brackets(self._site.caller(request), season_id=season_id)
        return self._site.page(
            request,
            "seasons/season.html",
            season=season_view(table, start),
            chances=chance_views(results, chances, _CHANCES_SHOWN),
            qualify=results.rules.qualify_places,
            what_if=_what_if(table, racer, place),
            asked=(racer, place),
            choice=chosen,
            brackets=[(each.bracket.bracket_id, each.bracket.name) for each in brackets],
            teams=bool(results.teams),
            prizes=bool(results.rules.prizes),
        )

    def teams(self, request: Request, season_id: str) -> Response:
        """The standing of the teams, each with its members."""
        results = self._results(request, season_id)
        found = [team_view(results, line) for line in self._seasons.standings.teams(results)]
        rule = team_rule_in_words(results.rules)
        return self._site.page(request, "seasons/teams.html", season=results.season, teams=found, rule=rule)

    def team(self, request: Request, season_id: str, team_id: str) -> Response:
        """One team: its place, and what each member brings."""
        results = self._results(request, season_id)
        lines = [line for line in self._seasons.standings.teams(results) if line.team_id == team_id]
        if not lines:
            raise UnknownItem.of("team", team_id)
        rule = team_rule_in_words(results.rules)
        team = team_view(results, lines[0])
        return self._site.page(request, "seasons/team.html", season=results.season, team=team, rule=rule)

    def prizes(self, request: Request, season_id: str) -> Response:
        """Who gets which prize."""
        results = self._results(request, season_id)
        groups = awards_by_race(results, self._seasons.standings.awards(results))
        once = any(prize.once for prize in results.rules.prizes)
        return self._site.page(request, "seasons/prizes.html", season=results.season, groups=groups, once=once)

    def records(self, request: Request) -> Response:
        """The records of all tracks."""
        found = record_views(self._seasons.records.records())
        return self._site.page(request, "seasons/records.html", tracks=found)

    def _results(self, request: Request, season_id: str) -> SeasonResults:
        return self._seasons.standings.results(self._site.caller(request), season_id, self._utc_ns())


def _what_if(table: SeasonTable, racer: str, place: int) -> Sentence | str:
    """What the racer would have at the end with this place in every race to come; "" if nobody asks."""
    if not racer or not table.to_come:
        return ""
    results = table.results
    line = next((line for line in table.lines if line.racer == results.key(racer)), None)
    if line is None:
        return text("There is no racer {racer} in this standing.", racer=repr(racer[:80]))
    points = what_if(results.rules, table.every, line, place)
    ahead = sum(other.points >= points for other in table.lines if other is not line)
    return text(
        "{name} would have {points} points in the end; as the others stand today, that is place {rank}.",
        name=results.name(line.racer),
        points=points_text(points),
        rank=ahead + 1,
    )


class BracketPages:
    """The page of a bracket, with the forms of those who run it."""

    def __init__(
        self, seasons: SeasonServices, replays: HeatReplays, site: LeaderboardSite, utc_ns: Callable[[], int]
    ) -> None:
        self._brackets, self._replays, self._site, self._utc_ns = seasons.brackets, replays, site, utc_ns

    def bracket(self, request: Request, bracket_id: str, refusal: str = "", status: int = 200) -> Response:
        """The tree; whoever runs it sees the forms."""
        caller = self._site.caller(request)
        now = self._brackets.bracket(caller, bracket_id)
        runs = self._brackets.may_run(caller, bracket_id)
        shown = bracket_view(now, self._replays.numbers(now))
        return self._site.page(request, "seasons/bracket.html", status, bracket=shown, runs=runs, refusal=refusal)

    def enter(self, request: Request, bracket_id: str, number: int, form: PostedForm) -> Response:
        """A heat's result by form."""
        try:
            result = HeatResult(form.get("winner"), _score(form, "first"), _score(form, "second"))
            edition = _edition(form)
            self._brackets.enter(self._site.caller(request), bracket_id, number, result, self._utc_ns(), edition)
        except NotAllowed:  # a Refused, too, but one of the role
            raise
        except (Refused, BadInput) as refusal:
            return self.bracket(request, bracket_id, str(refusal), 422)
        return self._site.done(request, f"/brackets/{bracket_id}#heat-{number}", text("The result is entered."))

    def rerun(self, request: Request, bracket_id: str, number: int, form: PostedForm) -> Response:
        """Let a heat be run again."""
        try:
            caller, edition = self._site.caller(request), _edition(form)
            self._brackets.rerun(caller, bracket_id, number, form.get("why"), self._utc_ns(), edition)
        except NotAllowed:  # a Refused, too, but one of the role
            raise
        except (Refused, BadInput) as refusal:
            return self.bracket(request, bracket_id, str(refusal), 422)
        return self._site.done(request, f"/brackets/{bracket_id}#heat-{number}", text("The heat is run again."))


def _score(form: PostedForm, name: str) -> int | None:
    written = form.get(name)
    return None if not written else parse_ms(written)


def _edition(form: PostedForm) -> int | None:
    written = form.get("edition")
    return int(written) if written.isascii() and written.isdecimal() and len(written) < 10 else None


def router(
    seasons: SeasonServices, replays: HeatReplays, site: LeaderboardSite, utc_ns: Callable[[], int]
) -> APIRouter:
    """The routes."""
    routes = APIRouter(include_in_schema=False)
    pages, brackets = SeasonPages(seasons, site, utc_ns), BracketPages(seasons, replays, site, utc_ns)
    routes.get("/seasons")(pages.index)
    routes.get("/seasons/{season_id}")(pages.season)
    routes.get("/seasons/{season_id}/teams")(pages.teams)
    routes.get("/seasons/{season_id}/teams/{team_id}")(pages.team)
    routes.get("/seasons/{season_id}/prizes")(pages.prizes)
    routes.get("/records")(pages.records)

    @routes.get("/brackets/{bracket_id}")
    def bracket(request: Request, bracket_id: str) -> Response:
        return brackets.bracket(request, bracket_id)

    @routes.post("/brackets/{bracket_id}/heats/{number}")
    def enter(
        request: Request, bracket_id: str, number: int, form: Annotated[PostedForm, Depends(site.form)]
    ) -> Response:
        return brackets.enter(request, bracket_id, number, form)

    @routes.post("/brackets/{bracket_id}/heats/{number}/rerun")
    def rerun(
        request: Request, bracket_id: str, number: int, form: Annotated[PostedForm, Depends(site.form)]
    ) -> Response:
        return brackets.rerun(request, bracket_id, number, form)

    return routes
