"""The pages on which an organiser sets a season's teams and racers: who is in which team, region, division."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response

from leaderboard.core.league.records import SeasonRecord
from leaderboard.core.search import folded
from leaderboard.league.services import LeagueServices
from leaderboard.pages.league.race_settings import status_of
from leaderboard.pages.site import LeaderboardSite
from leaderboard.seasons.results import SeasonResults
from leaderboard.seasons.services import SeasonServices
from leaderboard.seasons.standings import StandingChoice
from leaderboard.store.season_rows import SeasonMember
from leaderboard.web.forms import PostedForm
from shared.errors import BadInput, Refused
from shared.text import ntext, text

_ROWS = 100


@dataclass(frozen=True, slots=True)
class SeasonRacer:
    """A racer of the season: by results, or as a member, or both. `member`: None for one without any of it."""

    key: str
    racer: str
    name: str
    team: str
    about: str
    page: str
    member: SeasonMember | None


def racers_of(results: SeasonResults, ranked: list[str]) -> list[SeasonRacer]:
    """All racers: those of the standing in its order, then members who have not raced yet."""
    members = {results.key(each.racer): each for each in results.members}
    keys = [*ranked, *[key for key in members if key not in set(ranked)]]
    return [_racer(results, key, members.get(key)) for key in keys]


def _racer(results: SeasonResults, key: str, member: SeasonMember | None) -> SeasonRacer:
    raced = results.spelled(key)
    racer = member.racer if member is not None and raced == key else raced
    about = [results.division(key), *([member.region, member.category] if member is not None else [])]
    team = results.team_name(member.team_id) if member is not None else ""
    page = f"/desk/seasons/{quote(results.season.season_id, safe='')}/racer?racer={quote(racer, safe='')}"
    name = results.name(key)
    name = racer if name == key else name
    return SeasonRacer(key, racer, name, team, " · ".join(each for each in about if each), page, member)


def _choices(results: SeasonResults) -> dict[str, list[tuple[str, str]]]:
    """The teams, regions, categories and divisions to choose from."""
    none, rules = ("", text("None")), results.rules
    return {
        "teams_to_choose": [none, *[(team.team_id, team.name) for team in results.teams]],
        "regions": [none, *[(name, name) for name in rules.regions]],
        "categories": [none, *[(name, name) for name in rules.categories]],
        "divisions": [(name, name) for name in rules.divisions.names],
    }


def router(
    league: LeagueServices, seasons: SeasonServices, site: LeaderboardSite, utc_ns: Callable[[], int]
) -> APIRouter:
    """The routes, for organisers of the season."""
    routes = APIRouter(include_in_schema=False)
    pages = PeoplePages(league, seasons, site, utc_ns)
    form = Annotated[PostedForm, Depends(site.form)]

    @routes.get("/desk/seasons/{season_id}/people")
    def people(
        request: Request,
        season_id: str,
        q: Annotated[str, Query(max_length=200)] = "",
        start: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    ) -> Response:
        return pages.people(request, season_id, q, start)

    @routes.get("/desk/seasons/{season_id}/racer")
    def racer(request: Request, season_id: str, racer: Annotated[str, Query(max_length=200)]) -> Response:
        return pages.racer(request, season_id, racer)

    for path, handler in (
        ("teams", pages.team_added),
        ("team", pages.team_changed),
        ("members", pages.members_added),
        ("racer", pages.racer_changed),
        ("division", pages.moved),
    ):
        routes.post(f"/desk/seasons/{{season_id}}/{path}")(_taking(handler, form))
    return routes


def _taking(handler: Callable[[Request, str, PostedForm], Response], form: Any) -> Callable[..., Response]:
    def taken(request: Request, season_id: str, posted: form) -> Response:
        return handler(request, season_id, posted)

    return taken


class PeoplePages:
    """The handlers."""

    def __init__(
        self, league: LeagueServices, seasons: SeasonServices, site: LeaderboardSite, utc_ns: Callable[[], int]
    ) -> None:
        self._league, self._seasons, self._site, self._utc_ns = league, seasons, site, utc_ns

    def people(
        self,
        request: Request,
        season_id: str,
        sought: str = "",
        start: int = 0,
        status: int = 200,
        refusals: dict[str, str] | None = None,
        typed: PostedForm | None = None,
    ) -> Response:
        """Teams and racers. `refusals`: by the form that was refused; `typed`: what it held."""
        season, results = self._results(request, season_id)
        table = self._seasons.standings.table(results, StandingChoice())
        every = racers_of(results, [line.racer for line in table.lines])
        wanted = folded(sought)
        found = [each for each in every if wanted in folded(each.name) or wanted in folded(each.racer)]
        return self._site.page(
            request,
            "titles/people.html",
            status,
            season=season,
            teams=results.teams,
            rules=results.rules,
            **_choices(results),
            racers=found[start : start + _ROWS],
            sought=sought,
            following=start + _ROWS if len(found) > start + _ROWS else 0,
            count=ntext("{n} racer", "{n} racers", n=len(found)),
            refusals=refusals or {},
            typed=typed or PostedForm({}),
        )

    def racer(
        self,
        request: Request,
        season_id: str,
        racer: str,
        status: int = 200,
        refusals: dict[str, str] | None = None,
        typed: PostedForm | None = None,
    ) -> Response:
        """One racer of the season."""
        season, results = self._results(request, season_id)
        key = results.key(racer)
        member = next((each for each in results.members if results.key(each.racer) == key), None)
        shown = _racer(results, key, member)
        held = member or SeasonMember(racer)
        values = {name: getattr(held, name) for name in ("racer", "region", "category", "team_id")}
        values |= {"division": results.division(key), "why": ""} | dict((typed or PostedForm({})).values)
        return self._site.page(
            request,
            "titles/racer.html",
            status,
            season=season,
            racer=shown,
            asked=racer,
            raced=results.spelled(key) != key or any(key in each.spelled for each in results.races),
            teams=results.teams,
            rules=results.rules,
            **_choices(results),
            values=values,
            refusals=refusals or {},
        )

    def team_added(self, request: Request, season_id: str, form: PostedForm) -> Response:
        """A new team."""
        caller = self._site.account(request)
        try:
            team = self._seasons.members.add_team(caller, season_id, form.get("team"), self._utc_ns())
        except (Refused, BadInput) as refusal:
            return self._again(request, season_id, "new_team", refusal, form)
        return self._done(request, season_id, text("The team {name} is added.", name=team.name))

    def team_changed(self, request: Request, season_id: str, form: PostedForm) -> Response:
        """Another name for a team, or no team any more."""
        caller, team_id, members = self._site.account(request), form.get("team_id"), self._seasons.members
        try:
            if form.get("go") == "remove":
                members.drop_team(caller, season_id, team_id, self._utc_ns())
                return self._done(request, season_id, text("The team is removed; its members stay in the season."))
            team = members.rename_team(caller, season_id, team_id, form.get("name"), self._utc_ns())
        except (Refused, BadInput) as refusal:
            return self._again(request, season_id, team_id, refusal, form)
        return self._done(request, season_id, text("The team is called {name} now.", name=team.name))

    def members_added(self, request: Request, season_id: str, form: PostedForm) -> Response:
        """Several racers at once, one in each line."""
        caller = self._site.account(request)
        names = [line.strip() for line in form.get("racers").splitlines() if line.strip()]
        same = (form.get("region"), form.get("category"), form.get("team_id"))
        try:
            wanted = [SeasonMember(name, *same) for name in _some(names)]
            stored = self._seasons.members.set_members(caller, season_id, wanted, self._utc_ns())
        except (Refused, BadInput) as refusal:
            return self._again(request, season_id, "racers", refusal, form)
        saved = ntext("{n} racer is saved.", "{n} racers are saved.", n=len(stored))
        return self._done(request, season_id, saved)

    def racer_changed(self, request: Request, season_id: str, form: PostedForm) -> Response:
        """Another name, region, category or team of a racer, or none of it any more."""
        caller, asked, members = self._site.account(request), form.get("asked"), self._seasons.members
        wanted = SeasonMember(form.get("racer"), form.get("region"), form.get("category"), form.get("team_id"))
        try:
            if form.get("go") == "remove":
                members.drop_member(caller, season_id, asked, self._utc_ns())
                gone = text("{name} is in no team and no standing of its own any more; results stay.", name=asked)
                return self._done(request, season_id, gone)
            after = members.change_member(caller, season_id, asked, wanted, self._utc_ns())
        except (Refused, BadInput) as refusal:
            return self.racer(request, season_id, asked, status_of(refusal), {"racer": str(refusal)}, form)
        return self._done(request, season_id, text("{name} is saved.", name=after.racer))

    def moved(self, request: Request, season_id: str, form: PostedForm) -> Response:
        """A racer into another division, by hand."""
        caller, asked, why = self._site.account(request), form.get("asked"), form.get("why")
        try:
            division, now_utc_ns = form.get("division"), self._utc_ns()
            move = self._seasons.divisions.place(caller, season_id, asked, division, now_utc_ns, _given(why))
        except (Refused, BadInput) as refusal:
            field = "division" if why else "why"
            return self.racer(request, season_id, asked, status_of(refusal), {field: str(refusal)}, form)
        moved = text("{name} is in the division {division} now.", name=move.racer, division=move.after)
        return self._done(request, season_id, moved)

    def _results(self, request: Request, season_id: str) -> tuple[SeasonRecord, SeasonResults]:
        caller = self._site.account(request)
        season = self._league.seasons.check_may_edit(caller, season_id)
        return season, self._seasons.standings.results(caller, season_id, self._utc_ns())

    def _again(
        self, request: Request, season_id: str, which: str, refusal: Refused | BadInput, form: PostedForm
    ) -> Response:
        refusals = {which: str(refusal)}
        return self.people(request, season_id, status=status_of(refusal), refusals=refusals, typed=form)

    def _done(self, request: Request, season_id: str, notice: str) -> Response:
        return self._site.done(request, f"/desk/seasons/{quote(season_id, safe='')}/people", notice)


def _some(names: list[str]) -> list[str]:
    if not names:
        raise Refused(text("Write at least one name."))
    return names


def _given(why: str) -> str:
    if not why:
        raise Refused(text("Say why: the reason is kept."))
    return why
