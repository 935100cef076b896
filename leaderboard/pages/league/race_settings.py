"""The pages of a race's settings: a new race, an existing one, its picture, and the series that repeats it."""

import dataclasses
import secrets
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from leaderboard.core import access
from leaderboard.core.access import Caller
from leaderboard.core.errors import Conflict
from leaderboard.core.league.local_time import zone_names
from leaderboard.core.race import RaceRecord, slug
from leaderboard.league.pictures import MAX_PICTURE_BYTES
from leaderboard.league.services import LeagueServices
from leaderboard.pages.league.overview import edition_in
from leaderboard.pages.league.race_form import RaceFields, fields_of, read_fields, rules_of
from leaderboard.pages.league.words import CHOICES, when
from leaderboard.pages.site import LeaderboardSite
from leaderboard.web.forms import MAX_FORM_BYTES, PostedForm, read_form
from shared.errors import BadInput, Refused
from shared.rules.ranking import RaceRules
from shared.rules.track_lengths import shortest_lap_s
from shared.rules.wording import rules_in_words
from shared.text import text

_NEW = RaceRecord("new", "", "league", "physical", "", RaceRules(), zone="UTC", stage="draft", edition=1)


def router(league: LeagueServices, site: LeaderboardSite, utc_ns: Callable[[], int]) -> APIRouter:
    """The routes, for organisers; whoever owns a community race edits it here too."""
    routes = APIRouter(include_in_schema=False)
    pages = RaceSettingsPages(league, site, utc_ns)

    @routes.get("/desk/races/new")
    def new(request: Request) -> Response:
        pages.organiser(request)
        return pages.new(request, RaceFields(fields_of(_NEW), {}, {}))

    @routes.post("/desk/races/new")
    def created(request: Request, form: Annotated[PostedForm, Depends(site.form)]) -> Response:
        return pages.created(request, pages.organiser(request), form)

    @routes.get("/desk/races/{race_id}")
    def settings(request: Request, race_id: str) -> Response:
        race = league.races.check_may_edit(site.account(request), race_id)
        return pages.settings(request, race, RaceFields(fields_of(race), {}, {}))

    @routes.post("/desk/races/{race_id}")
    def changed(request: Request, race_id: str, form: Annotated[PostedForm, Depends(site.form)]) -> Response:
        return pages.changed(request, race_id, form)

    @routes.post("/desk/races/{race_id}/picture")
    async def picture(request: Request, race_id: str) -> Response:
        caller = site.account(request)
        await run_in_threadpool(league.races.check_may_edit, caller, race_id)
        form = await read_form(request, MAX_PICTURE_BYTES + MAX_FORM_BYTES)
        content = None if form.get("take_away") else picture_in(form)
        race = await run_in_threadpool(league.pictures.set_of_race, caller, race_id, content, utc_ns())
        return site.done(request, f"/desk/races/{race_id}", text("The picture of {race} is saved.", race=race.name))

    return routes


class RaceSettingsPages:
    """The handlers, over the services of one leaderboard."""

    def __init__(self, league: LeagueServices, site: LeaderboardSite, utc_ns: Callable[[], int]) -> None:
        self._league, self._site, self._utc_ns = league, site, utc_ns

    def organiser(self, request: Request) -> Caller:
        """The caller, who organises something. Raises Unauthorized, NotAllowed."""
        caller = self._site.account(request)
        if not any(grant.role == "organiser" for grant in caller.grants):
            access.require(caller, "race.create_league")
        return caller

    def created(self, request: Request, caller: Caller, form: PostedForm) -> Response:
        """A new race, saved as a draft or published; or the form again."""
        filled = read_fields(form.values, _NEW, 0)
        kind = "community" if form.get("kind") == "community" else "league"
        race = _with_shortest_lap(filled.race(_NEW))
        race = dataclasses.replace(race, race_id=_id_of(filled), kind=kind)  # type: ignore[arg-type]
        if form.get("go") == "preview" or filled.errors:
            return self.new(request, filled, status=422 if filled.errors else 200)
        stage = "published" if form.get("go") == "publish" else "draft"
        try:
            made = self._league.races.create(caller, dataclasses.replace(race, stage=stage), self._utc_ns())  # type: ignore[arg-type]
        except (Refused, BadInput) as refusal:
            return self.new(request, filled, status_of(refusal), str(refusal))
        if not made:
            taken = text("There is one of this name already: give this one another name.")
            return self.new(request, filled, status=422, refusal=taken)
        return self._site.done(request, "/desk", text("{race} is on your desk.", race=race.name))

    def changed(self, request: Request, race_id: str, form: PostedForm) -> Response:
        """The race with other settings, or the form again."""
        caller = self._site.account(request)
        race = self._league.races.check_may_edit(caller, race_id)
        filled = read_fields(form.values, race, self._league.races.results_in(race_id))
        if form.get("go") == "preview" or filled.errors:
            return self.settings(request, race, filled, status=422 if filled.errors else 200)
        edition, why, now_utc_ns = edition_in(form), form.get("why"), self._utc_ns()
        try:
            after = self._league.races.change(caller, race_id, filled.settings, now_utc_ns, edition=edition, why=why)
        except (Refused, BadInput) as refusal:
            return self.settings(request, race, filled, status_of(refusal), str(refusal))
        if after.edition == race.edition:
            return self._site.done(request, f"/desk/races/{race_id}", text("Nothing was changed."))
        saved = text("{race} is saved as edition {n}.", race=after.name, n=after.edition)
        return self._site.done(request, f"/desk/races/{race_id}", saved)

    def new(self, request: Request, filled: RaceFields, status: int = 200, refusal: str = "") -> Response:
        """The form of a new race."""
        values: dict[str, Any] = {
            "new": True,
            "locked": False,
            "heading": text("New race"),
            "action": "/desk/races/new",
        }
        return self._form(request, _NEW, filled, status, refusal, values)

    def settings(
        self, request: Request, race: RaceRecord, filled: RaceFields, status: int = 200, refusal: str = ""
    ) -> Response:
        """The form of an existing race, with its picture and its editions."""
        kept = self._league.races.editions(self._site.caller(request), race.race_id)
        editions = [{"edition": each.edition, "at": when(each.at_utc_ns, race.zone), "why": each.why} for each in kept]
        values: dict[str, Any] = {
            "new": False,
            "locked": self._league.races.results_in(race.race_id) > 0,
            "heading": race.name,
            "action": f"/desk/races/{race.race_id}",
            "editions": editions,
            "changed": editions[0]["at"] if editions else "",
            "picture": f"/races/{race.race_id}/pictures/{race.picture_sha256}" if race.picture_sha256 else "",
        }
        return self._form(request, race, filled, status, refusal, values)

    def _form(
        self,
        request: Request,
        race: RaceRecord,
        filled: RaceFields,
        status: int,
        refusal: str,
        values: Mapping[str, Any],
    ) -> Response:
        caller = self._site.caller(request)
        seasons = [(season.season_id, season.name) for season in self._league.seasons.seasons(caller)]
        events = [(event.event_id, event.name) for event in self._league.seasons.events(caller)]
        return self._site.page(
            request,
            "league/race.html",
            status,
            race=race,
            fields=filled,
            choices=CHOICES,
            zones=[(zone, zone) for zone in sorted(zone_names())],
            seasons=seasons,
            events=events,
            rules=rules_in_words(rules_of(filled, race)),
            plain_times=_plain_times(filled),
            refusal=refusal,
            **values,
        )


def status_of(refusal: Exception) -> int:
    """The status of a form that is shown again with this refusal."""
    return 409 if isinstance(refusal, Conflict) else 422


def picture_in(form: PostedForm) -> bytes:
    """The picture that came with a form. Raises BadInput."""
    if "picture" not in form.files or not form.files["picture"].content:
        raise BadInput(text("Choose a picture first."))
    return form.files["picture"].content


def _plain_times(filled: RaceFields) -> list[str]:
    """The times that are shown as text, as a browser's own field holds no offset: refused ones, and such with one."""
    return [
        name
        for name in ("opens", "closes")
        if name in filled.errors or len(filled.values[name]) > len("2027-01-31T18:00")
    ]


def _id_of(filled: RaceFields) -> str:
    name = slug(filled.values["name"]) or "race"
    # The address of a private race cannot be guessed, and none tells that its name is taken.
    return f"{name[:48].strip('-')}-{secrets.token_hex(5)}" if filled.values["visibility"] == "private" else name


def _with_shortest_lap(race: RaceRecord) -> RaceRecord:
    """The race with the shortest lap that its track allows, where that is known and nobody wrote another one."""
    shortest_s = shortest_lap_s(race.track)
    if shortest_s is None or race.rules.min_lap_s != RaceRules().min_lap_s:
        return race
    return dataclasses.replace(race, rules=dataclasses.replace(race.rules, min_lap_s=shortest_s))
