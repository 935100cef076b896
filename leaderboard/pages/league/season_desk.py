"""The pages that create and edit seasons, events, and the series that repeats a race; and the page of an event."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool

from leaderboard.core import access
from leaderboard.core.access import Caller
from leaderboard.core.errors import UnknownItem
from leaderboard.core.league.records import EventRecord, SeasonRecord
from leaderboard.core.race import RaceRecord, slug
from leaderboard.league.description import html_of
from leaderboard.league.pictures import MAX_PICTURE_BYTES
from leaderboard.league.services import LeagueServices
from leaderboard.pages.league import item_forms
from leaderboard.pages.league.desk_view import calendar_line
from leaderboard.pages.league.item_forms import ItemFields
from leaderboard.pages.league.overview import edition_in
from leaderboard.pages.league.race_settings import picture_in, status_of
from leaderboard.pages.league.words import CHOICES, when
from leaderboard.pages.site import LeaderboardSite
from leaderboard.web.forms import MAX_FORM_BYTES, PostedForm, read_form
from shared.errors import BadInput, Refused
from shared.text import joined, text


def router(league: LeagueServices, site: LeaderboardSite, utc_ns: Callable[[], int]) -> APIRouter:
    """The routes, over the services of one leaderboard."""
    routes = APIRouter(include_in_schema=False)
    _add_seasons(routes, SeasonForms(league, site, utc_ns))
    _add_events(routes, EventForms(league, site, utc_ns))
    series = SeriesForms(league, site, utc_ns)

    @routes.get("/desk/races/{race_id}/series")
    def repeat(request: Request, race_id: str) -> Response:
        race = league.races.check_may_edit(site.account(request), race_id)
        return series.form(request, race, ItemFields(series.values(race)))

    @routes.post("/desk/races/{race_id}/series")
    def repeated(request: Request, race_id: str, form: Annotated[PostedForm, Depends(site.form)]) -> Response:
        return series.begun(request, race_id, form)

    return routes


def _add_seasons(routes: APIRouter, pages: "SeasonForms") -> None:
    site, league = pages.site, pages.league

    @routes.get("/desk/seasons/new")
    def new_season(request: Request) -> Response:
        access.require(site.account(request), "season.edit")
        return pages.form(request, None, ItemFields(item_forms.values_of_season(SeasonRecord("new", ""))))

    @routes.post("/desk/seasons/new")
    def created_season(request: Request, form: Annotated[PostedForm, Depends(site.form)]) -> Response:
        return pages.saved(request, None, form)

    @routes.get("/desk/seasons/{season_id}")
    def season(request: Request, season_id: str) -> Response:
        found = league.seasons.check_may_edit(site.account(request), season_id)
        return pages.form(request, found, ItemFields(item_forms.values_of_season(found)))

    @routes.post("/desk/seasons/{season_id}")
    def changed_season(request: Request, season_id: str, form: Annotated[PostedForm, Depends(site.form)]) -> Response:
        return pages.saved(request, league.seasons.check_may_edit(site.account(request), season_id), form)

    @routes.post("/desk/seasons/{season_id}/picture")
    async def season_picture(request: Request, season_id: str) -> Response:
        caller = site.account(request)
        await run_in_threadpool(league.seasons.check_may_edit, caller, season_id)
        form = await read_form(request, MAX_PICTURE_BYTES + MAX_FORM_BYTES)
        content = None if form.get("take_away") else picture_in(form)
        now_utc_ns = pages.utc_ns()
        season = await run_in_threadpool(league.pictures.set_of_season, caller, season_id, content, now_utc_ns)
        saved = text("The picture of {race} is saved.", race=season.name)
        return site.done(request, f"/desk/seasons/{season_id}", saved)

    @routes.get("/seasons/{season_id}/calendar")
    def calendar(request: Request, season_id: str) -> Response:
        caller, now_utc_ns = site.caller(request), pages.utc_ns()
        league.series.catch_up(now_utc_ns)
        found = league.seasons.calendar(caller, season_id)
        return site.page(
            request,
            "league/calendar.html",
            season=found.season,
            dates=_dates(found.season),
            description=Markup(html_of(found.season.description)),  # noqa: S704  # cleaned by nh3
            editable=access.may(caller, "season.edit", None, season_id),
            events=[
                {"event_id": each.event_id, "name": each.name, "place": each.place, "dates": _dates(each)}
                for each in found.events
            ],
            races=[calendar_line(head, now_utc_ns) for head in found.races],
        )


def _dates(item: SeasonRecord | EventRecord) -> str:
    times = (item.starts_utc_ns, item.ends_utc_ns)
    return joined([when(at, item.zone) for at in times if at is not None], " – ")


def _add_events(routes: APIRouter, pages: "EventForms") -> None:
    site, league = pages.site, pages.league

    @routes.get("/desk/events/new")
    def new_event(request: Request) -> Response:
        site.account(request)
        return pages.form(request, None, ItemFields(item_forms.values_of_event(EventRecord("new", ""))))

    @routes.post("/desk/events/new")
    def created_event(request: Request, form: Annotated[PostedForm, Depends(site.form)]) -> Response:
        return pages.saved(request, None, form)

    @routes.get("/desk/events/{event_id}")
    def edited_event(request: Request, event_id: str) -> Response:
        found = pages.editable(site.account(request), event_id)
        return pages.form(request, found, ItemFields(item_forms.values_of_event(found)))

    @routes.post("/desk/events/{event_id}")
    def changed_event(request: Request, event_id: str, form: Annotated[PostedForm, Depends(site.form)]) -> Response:
        return pages.saved(request, pages.editable(site.account(request), event_id), form)

    @routes.get("/events/{event_id}")
    def event(request: Request, event_id: str) -> Response:
        caller = site.caller(request)
        found, heads = league.seasons.event(caller, event_id)
        season = league.seasons.season(caller, found.season_id) if found.season_id else None
        now_utc_ns = pages.utc_ns()
        races = [calendar_line(head, now_utc_ns) for head in heads]
        return site.page(
            request,
            "league/event.html",
            event=found,
            circuit=dict(CHOICES["circuit"])[found.circuit],
            dates=_dates(found),
            description=Markup(html_of(found.description)),  # noqa: S704  # cleaned by nh3
            season=season,
            editable=access.may(caller, "season.edit", None, found.season_id),
            races=races,
        )


class _Forms:
    def __init__(self, league: LeagueServices, site: LeaderboardSite, utc_ns: Callable[[], int]) -> None:
        self.league, self.site, self.utc_ns = league, site, utc_ns

    def page(self, request: Request, filled: ItemFields, refusal: str | Exception, **values: Any) -> Response:
        """The form; with what is wrong in it, if anything is."""
        shown = {
            "summary": "",
            "edition": 1,
            "season_id": "",
            "picture": "",
            "picture_action": "",
            "submit": text("Save"),
        } | values
        status = 200
        if refusal or filled.errors:
            status = status_of(refusal) if isinstance(refusal, Exception) else 422
        shown |= {"values": filled.values, "errors": filled.errors, "refusal": str(refusal)}
        return self.site.page(request, "league/item.html", status, **shown)

    def created(self, request: Request, filled: ItemFields) -> Response:
        """On to the desk, where the new one stands."""
        return self.site.done(request, "/desk", text("{race} is on your desk.", race=filled.read["name"]))


def _taken() -> str:
    return text("There is one of this name already: give this one another name.")


class SeasonForms(_Forms):
    """Seasons."""

    def form(
        self, request: Request, season: SeasonRecord | None, filled: ItemFields, refusal: str | Exception = ""
    ) -> Response:
        """The form of this season, or of a new one."""
        values: dict[str, Any] = {"heading": text("New season"), "action": "/desk/seasons/new"}
        if season is not None:
            action, sha256 = f"/desk/seasons/{season.season_id}", season.picture_sha256
            values = {
                "heading": season.name,
                "action": action,
                "edition": season.edition,
                "season_id": season.season_id,
                "picture_action": f"{action}/picture",
                "picture": f"/seasons/{season.season_id}/pictures/{sha256}" if sha256 else "",
            }
        return self.page(request, filled, refusal, fields=item_forms.season_fields(), **values)

    def saved(self, request: Request, season: SeasonRecord | None, form: PostedForm) -> Response:
        """The season as it was typed, or the form again."""
        caller, filled = self.site.account(request), item_forms.read_season(form.values)
        if season is None:
            access.require(caller, "season.edit")
        if filled.errors:
            return self.form(request, season, filled)
        try:
            if season is None:
                season_id = slug(filled.read["name"]) or "season"
                made = self.league.seasons.create(caller, SeasonRecord(season_id, **filled.read), self.utc_ns())
                return self.created(request, filled) if made else self.form(request, None, filled, _taken())
            edition, now_utc_ns = edition_in(form), self.utc_ns()
            season_id = season.season_id
            after = self.league.seasons.change(caller, season_id, filled.read, now_utc_ns, edition=edition)
        except (Refused, BadInput) as refusal:
            return self.form(request, season, filled, refusal)
        saved = text("{race} is saved as edition {n}.", race=after.name, n=after.edition)
        return self.site.done(request, f"/desk/seasons/{after.season_id}", saved)


class EventForms(_Forms):
    """Events."""

    def editable(self, caller: Caller, event_id: str) -> EventRecord:
        """The event, if the caller may edit it. Raises UnknownItem, NotAllowed."""
        event, _ = self.league.seasons.event(caller, event_id)
        access.require(caller, "season.edit", None, event.season_id)
        return event

    def form(
        self, request: Request, event: EventRecord | None, filled: ItemFields, refusal: str | Exception = ""
    ) -> Response:
        """The form of this event, or of a new one."""
        caller = self.site.caller(request)
        seasons = [
            (each.season_id, each.name)
            for each in self.league.seasons.seasons(caller)
            if access.may(caller, "season.edit", None, each.season_id)
        ]
        values: dict[str, Any] = {"heading": text("New event"), "action": "/desk/events/new"}
        if event is not None:
            values = {"heading": event.name, "action": f"/desk/events/{event.event_id}", "edition": event.edition}
        return self.page(request, filled, refusal, fields=item_forms.event_fields(seasons), **values)

    def saved(self, request: Request, event: EventRecord | None, form: PostedForm) -> Response:
        """The event as it was typed, or the form again."""
        caller, filled = self.site.account(request), item_forms.read_event(form.values)
        if event is None:
            access.require(caller, "season.edit", None, filled.values["season_id"])
        if filled.errors:
            return self.form(request, event, filled)
        try:
            if event is None:
                event_id = slug(filled.read["name"]) or "event"
                made = self.league.seasons.create_event(caller, EventRecord(event_id, **filled.read), self.utc_ns())
                return self.created(request, filled) if made else self.form(request, None, filled, _taken())
            edition, now_utc_ns, event_id = edition_in(form), self.utc_ns(), event.event_id
            after = self.league.seasons.change_event(caller, event_id, filled.read, now_utc_ns, edition=edition)
        except (Refused, BadInput) as refusal:
            return self.form(request, event, filled, refusal)
        saved = text("{race} is saved as edition {n}.", race=after.name, n=after.edition)
        return self.site.done(request, f"/desk/events/{after.event_id}", saved)


class SeriesForms(_Forms):
    """Series that repeat a race."""

    def values(self, race: RaceRecord) -> dict[str, str]:
        """The form as it is filled in at first."""
        return {
            "name": race.name,
            "name_pattern": f"{race.name} {{n}}",
            "every": "month",
            "days": "7",
            "zone": race.zone,
            "first": "",
            "total": "",
        }

    def form(self, request: Request, race: RaceRecord, filled: ItemFields, refusal: str | Exception = "") -> Response:
        """The form of a series of races like this one."""
        return self.page(
            request,
            filled,
            refusal,
            fields=item_forms.series_fields(),
            heading=text("Repeat {race}", race=race.name),
            summary=text("Races with its settings, which open by themselves: each when the one before closes."),
            action=f"/desk/races/{race.race_id}/series",
            submit=text("Begin the series"),
        )

    def begun(self, request: Request, race_id: str, form: PostedForm) -> Response:
        """The series as it was typed, or the form again."""
        caller, filled = self.site.account(request), item_forms.read_series(form.values)
        race = self.league.races.check_may_edit(caller, race_id)
        if filled.errors:
            return self.form(request, race, filled)
        read, series_id = filled.read, (slug(filled.read["name"]) or "series")[:56].strip("-")
        names, rule, total = (read["name"], read["name_pattern"]), read["rule"], read["total"]
        try:
            self.league.series.create(caller, series_id, names, race, rule, self.utc_ns(), total)
        except (Refused, BadInput, UnknownItem) as refusal:
            return self.form(request, race, filled, refusal)
        return self.created(request, filled)
