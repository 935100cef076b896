"""What organisers set of a season: its rules, teams, members, and who is in which division."""

from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from leaderboard.api.bodies import BY_KEY, json_extra
from leaderboard.api.described import DescribedRouter, refusals
from leaderboard.api.identity import check
from leaderboard.api.seasons.calls import SeasonApi, as_json, parsed_body
from leaderboard.api.seasons.shapes import (
    DivisionMoveShape,
    DivisionPlace,
    NamedTeam,
    NewTeam,
    SeasonMemberShape,
    SeasonRulesShape,
    TeamShape,
)
from leaderboard.store.season_rows import SeasonMember

_CHANGED = refusals(401, 403, 404, 409, 413, 422)


def router(api: SeasonApi) -> APIRouter:
    """The routes under /api/v1/seasons/{season_id} that change something."""
    routes = DescribedRouter(prefix="/api/v1/seasons/{season_id}", tags=["seasons"])
    calls = SeasonChanges(api)
    _add_rules_and_teams(routes, calls)
    _add_members(routes, calls)
    return routes


def _add_rules_and_teams(routes: APIRouter, calls: "SeasonChanges") -> None:
    routes.get(
        "/rules",
        response_model=SeasonRulesShape,
        responses=refusals(404),
        summary="The rules of a season's standing",
        response_description="The rules, and the edition of the season",
    )(calls.rules)
    routes.put(
        "/rules",
        response_model=SeasonRulesShape,
        responses=_CHANGED,
        openapi_extra=json_extra(SeasonRulesShape, BY_KEY),
        summary="Give a season other rules",
        response_description="The rules as they are now",
    )(calls.set_rules)
    routes.post(
        "/teams",
        status_code=201,
        response_model=TeamShape,
        responses=_CHANGED,
        openapi_extra=json_extra(NewTeam, BY_KEY),
        summary="Create a team",
        response_description="Created",
    )(calls.add_team)
    routes.patch(
        "/teams/{team_id}",
        response_model=NamedTeam,
        responses=_CHANGED,
        openapi_extra=json_extra(NewTeam, BY_KEY),
        summary="Call a team otherwise",
        response_description="The team as it is called now",
    )(calls.rename_team)
    routes.delete(
        "/teams/{team_id}",
        status_code=204,
        responses=refusals(401, 403, 404),
        openapi_extra=json_extra(security=BY_KEY),
        summary="Remove a team; its members stay in the season",
        response_description="Removed",
    )(calls.drop_team)


def _add_members(routes: APIRouter, calls: "SeasonChanges") -> None:
    routes.get(
        "/members",
        response_model=list[SeasonMemberShape],
        responses=refusals(404),
        summary="The members of a season",
        response_description="All members, by name",
    )(calls.members)
    routes.put(
        "/members",
        response_model=list[SeasonMemberShape],
        responses=_CHANGED,
        openapi_extra=json_extra(list[SeasonMemberShape], BY_KEY),
        summary="Set region, category and team of members: all of them or none",
        response_description="These members as they are now",
    )(calls.set_members)
    routes.delete(
        "/members/{racer:path}",
        status_code=204,
        responses=refusals(401, 403, 404),
        openapi_extra=json_extra(security=BY_KEY),
        summary="Forget region, category and team of a racer, whose results stay",
        response_description="Forgotten",
    )(calls.drop_member)
    routes.post(
        "/divisions",
        response_model=DivisionMoveShape,
        responses=_CHANGED,
        openapi_extra=json_extra(DivisionPlace, BY_KEY),
        summary="Put a racer into a division",
        response_description="The racer's move",
    )(calls.place)


class SeasonChanges:
    """The handlers. Each asks who calls before it reads the body."""

    def __init__(self, api: SeasonApi) -> None:
        self._api, self._members = api, api.seasons.members

    def rules(self, request: Request, season_id: str) -> Response:
        season = self._api.seasons.standings.results(self._api.caller(request), season_id, self._api.utc_ns())
        return as_json(SeasonRulesShape, SeasonRulesShape(season.season.edition, season.rules))

    async def set_rules(self, request: Request, season_id: str) -> Response:
        wanted: SeasonRulesShape = await self._body(request, season_id, SeasonRulesShape)
        edition = await run_in_threadpool(
            self._members.set_rules,
            self._api.caller(request),
            season_id,
            wanted.rules,
            wanted.edition,
            self._api.utc_ns(),
        )
        return as_json(SeasonRulesShape, SeasonRulesShape(edition, wanted.rules))

    async def add_team(self, request: Request, season_id: str) -> Response:
        wanted: NewTeam = await self._body(request, season_id, NewTeam)
        caller = self._api.caller(request)
        team = await run_in_threadpool(self._members.add_team, caller, season_id, wanted.name, self._api.utc_ns())
        return as_json(TeamShape, TeamShape(0, False, team.team_id, team.name, 0.0, ()), 201)

    async def rename_team(self, request: Request, season_id: str, team_id: str) -> Response:
        wanted: NewTeam = await self._body(request, season_id, NewTeam)
        caller, rename = self._api.caller(request), self._members.rename_team
        team = await run_in_threadpool(rename, caller, season_id, team_id, wanted.name, self._api.utc_ns())
        return as_json(NamedTeam, NamedTeam(team.team_id, team.name))

    def drop_team(self, request: Request, season_id: str, team_id: str) -> Response:
        self._members.drop_team(self._api.caller(request), season_id, team_id, self._api.utc_ns())
        return Response(status_code=204)

    def members(self, request: Request, season_id: str) -> Response:
        season = self._api.seasons.standings.results(self._api.caller(request), season_id, self._api.utc_ns())
        return as_json(list[SeasonMemberShape], [_member(each) for each in season.members])

    async def set_members(self, request: Request, season_id: str) -> Response:
        wanted: list[SeasonMemberShape] = await self._body(request, season_id, list[SeasonMemberShape])
        members = [SeasonMember(each.racer, each.region, each.category, each.team_id) for each in wanted]
        caller = self._api.caller(request)
        stored = await run_in_threadpool(self._members.set_members, caller, season_id, members, self._api.utc_ns())
        return as_json(list[SeasonMemberShape], [_member(each) for each in stored])

    def drop_member(self, request: Request, season_id: str, racer: str) -> Response:
        self._members.drop_member(self._api.caller(request), season_id, racer, self._api.utc_ns())
        return Response(status_code=204)

    async def place(self, request: Request, season_id: str) -> Response:
        wanted: DivisionPlace = await self._body(request, season_id, DivisionPlace)
        move = await run_in_threadpool(
            self._api.seasons.divisions.place,
            self._api.caller(request),
            season_id,
            wanted.racer,
            wanted.division,
            self._api.utc_ns(),
            wanted.why,
        )
        return as_json(DivisionMoveShape, DivisionMoveShape(move.racer, move.before, move.after))

    async def _body(self, request: Request, season_id: str, kind: Any) -> Any:
        check(self._api.caller(request), "season.edit", season_id=season_id)
        return await parsed_body(request, kind)


def _member(member: SeasonMember) -> SeasonMemberShape:
    return SeasonMemberShape(member.racer, member.region, member.category, member.team_id)
