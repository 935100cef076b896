"""The page on which an organiser sets the rules of a season, with the standing as it would be before they are saved."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from leaderboard.core.league.records import SeasonRecord
from leaderboard.core.seasons.points import points_text
from leaderboard.core.seasons.rules import SeasonRules
from leaderboard.league.services import LeagueServices
from leaderboard.pages.league.overview import edition_in
from leaderboard.pages.league.race_settings import status_of
from leaderboard.pages.seasons.rule_sentences import rules_in_words, team_rule_in_words
from leaderboard.pages.site import LeaderboardSite
from leaderboard.pages.titles.rules_form import rows_in, rule_groups, values_of
from leaderboard.pages.titles.rules_reading import TypedRules, read_rules
from leaderboard.seasons.services import SeasonServices
from leaderboard.seasons.standings import StandingChoice
from leaderboard.web.forms import PostedForm
from shared.errors import BadInput, Refused
from shared.text import text

_ROWS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class RankAsItWouldBe:
    """A racer in the standing as it would be. `now`: the rank by the rules that are saved, 0 for none."""

    rank: int
    tied: bool
    name: str
    points: str
    now: int


def router(
    league: LeagueServices, seasons: SeasonServices, site: LeaderboardSite, utc_ns: Callable[[], int]
) -> APIRouter:
    """The routes, for organisers of the season."""
    routes = APIRouter(include_in_schema=False)
    pages = RulesPages(league, seasons, site, utc_ns)

    @routes.get("/desk/seasons/{season_id}/rules")
    def rules(request: Request, season_id: str) -> Response:
        return pages.form(request, season_id)

    @routes.post("/desk/seasons/{season_id}/rules")
    def changed(request: Request, season_id: str, form: Annotated[PostedForm, Depends(site.form)]) -> Response:
        return pages.changed(request, season_id, form)

    return routes


class RulesPages:
    """The handlers."""

    def __init__(
        self, league: LeagueServices, seasons: SeasonServices, site: LeaderboardSite, utc_ns: Callable[[], int]
    ) -> None:
        self._league, self._seasons, self._site, self._utc_ns = league, seasons, site, utc_ns

    def form(self, request: Request, season_id: str) -> Response:
        """The rules as they are."""
        season = self._season(request, season_id)
        rules = self._saved(request, season_id)
        return self._page(request, season, season.edition, TypedRules(values_of(rules), rules))

    def changed(self, request: Request, season_id: str, form: PostedForm) -> Response:
        """The rules as they were typed: saved, or shown with what they would do, or with what is wrong with them."""
        season, edition = self._season(request, season_id), edition_in(form)
        typed = read_rules(form.values)
        if typed.rules is None:
            return self._page(request, season, edition, typed, 422)
        if form.get("go") == "preview":
            return self._page(request, season, edition, typed)
        caller = self._site.caller(request)
        try:
            after = self._seasons.members.set_rules(caller, season_id, typed.rules, edition, self._utc_ns())
        except (Refused, BadInput) as refusal:
            typed.refusal = str(refusal)
            return self._page(request, season, edition, typed, status_of(refusal))
        if after == season.edition:
            return self._site.done(request, f"/desk/seasons/{season_id}/rules", text("Nothing was changed."))
        saved = text("The rules of {season} are saved.", season=season.name)
        return self._site.done(request, f"/desk/seasons/{season_id}/rules", saved)

    def _season(self, request: Request, season_id: str) -> SeasonRecord:
        return self._league.seasons.check_may_edit(self._site.account(request), season_id)

    def _saved(self, request: Request, season_id: str) -> SeasonRules:
        return self._seasons.standings.results(self._site.caller(request), season_id, self._utc_ns()).rules

    def _page(
        self, request: Request, season: SeasonRecord, edition: int, typed: TypedRules, status: int = 200
    ) -> Response:
        calendar = self._league.seasons.calendar(self._site.caller(request), season.season_id)
        races = [(head.race.race_id, head.race.name) for head in calendar.races]
        shown = typed.rules or self._saved(request, season.season_id)
        words = [*rules_in_words(shown), *([team_rule_in_words(shown)] if shown.teams else [])]
        return self._site.page(
            request,
            "titles/rules.html",
            status,
            season=season,
            edition=edition,
            groups=rule_groups(*rows_in(typed.values), races),
            values=typed.values,
            errors=typed.errors,
            refusal=typed.refusal,
            words=words,
            rows=self._rows(request, season.season_id, shown),
            valid=typed.rules is not None,
        )

    def _rows(self, request: Request, season_id: str, rules: SeasonRules) -> list[RankAsItWouldBe]:
        caller, now_utc_ns = self._site.caller(request), self._utc_ns()
        results = self._seasons.standings.results(caller, season_id, now_utc_ns)
        now = {line.racer: line.rank for line in self._seasons.standings.table(results, StandingChoice()).lines}
        table = self._seasons.standings.preview(caller, season_id, rules, now_utc_ns)
        return [
            RankAsItWouldBe(
                line.rank, line.tied, results.name(line.racer), points_text(line.points), now.get(line.racer, 0)
            )
            for line in table.lines[:_ROWS_SHOWN]
        ]
