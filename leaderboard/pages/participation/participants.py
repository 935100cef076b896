"""/races/{race_id}/participants, and entering and leaving a race."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from leaderboard.core import access
from leaderboard.core.access import Caller
from leaderboard.core.errors import Conflict, NotAllowed
from leaderboard.core.race import RaceRecord
from leaderboard.core.states import EntryState
from leaderboard.league.entries import EntryService, Participant
from leaderboard.league.sight import RaceSight
from leaderboard.pages.site import LeaderboardSite
from leaderboard.web.forms import PostedForm
from shared.errors import BadInput, Refused
from shared.text import Sentence, text

ROWS = 200


@dataclass(frozen=True, slots=True)
class ParticipantView:
    """A participant as words. `can_remove`, `can_restore`: which button stands there."""

    racer: str
    name: str
    state: EntryState
    words: Sentence
    how: Sentence
    results: int
    to_decide: bool
    can_remove: bool
    can_restore: bool


_STATES: dict[EntryState, Sentence] = {
    "invited": text("Not yet entered"),
    "entered": text("Entered"),
    "withdrawn": text("Withdrawn"),
    "removed": text("Removed"),
    "disqualified": text("Disqualified"),
}
_HOW: dict[str, Sentence] = {
    "link": text("joined by the link"),
    "alias": text("invited by alias"),
    "self": text("entered by themselves"),
    "official": text("registered by the organiser"),
}


def participant_view(one: Participant) -> ParticipantView:
    """The words for a participant."""
    entry = one.entry
    return ParticipantView(
        entry.racer,
        entry.name,
        entry.state,
        _STATES[entry.state],
        _HOW.get(entry.joined_by, _HOW["official"]),
        one.results,
        one.to_decide,
        entry.state in ("invited", "entered", "withdrawn"),
        entry.state == "removed",
    )


def router(site: LeaderboardSite, entries: EntryService, sight: RaceSight, utc_ns: Callable[[], int]) -> APIRouter:
    """The routes, over the entries of one store."""
    routes = APIRouter(include_in_schema=False)
    pages = ParticipantPages(site, entries, sight, utc_ns)
    routes.get("/races/{race_id}/participants")(pages.participants)

    @routes.post("/races/{race_id}/participants")
    def change(request: Request, race_id: str, form: Annotated[PostedForm, Depends(site.form)]) -> Response:
        return pages.change(request, race_id, form)

    @routes.post("/races/{race_id}/enter")
    def enter(request: Request, race_id: str, _form: Annotated[PostedForm, Depends(site.form)]) -> Response:
        return pages.enter(request, race_id)

    @routes.post("/races/{race_id}/withdraw")
    def withdraw(request: Request, race_id: str, _form: Annotated[PostedForm, Depends(site.form)]) -> Response:
        return pages.withdraw(request, race_id)

    return routes


class ParticipantPages:
    """The handlers; the routes give them the forms that were sent."""

    def __init__(
        self, site: LeaderboardSite, entries: EntryService, sight: RaceSight, utc_ns: Callable[[], int]
    ) -> None:
        self._site, self._entries, self._sight, self._utc_ns = site, entries, sight, utc_ns

    def participants(self, request: Request, race_id: str, after: str = "") -> Response:
        """The page of the participants."""
        if len(after) > 200 or "\0" in after:
            raise BadInput(text("The address of this page is not one that the leaderboard gave."))
        return self._listed(request, race_id, after=after)

    def change(self, request: Request, race_id: str, form: PostedForm) -> Response:
        """Do what the form asks for, or say on the page why not."""
        what = form.get("what")
        try:
            notice = _changed(self._entries, self._site.caller(request), race_id, form, self._utc_ns())
        except Conflict as conflict:
            confirm = form.get("alias") if what == "invite" and form.get("alias") else ""
            return self._listed(request, race_id, 409, refusal=str(conflict), confirm=confirm, alias=form.get("alias"))
        except NotAllowed:
            raise
        except Refused as refusal:
            self._sight.race(self._site.caller(request), race_id)
            return self._listed(request, race_id, 422, refusal=str(refusal), alias=form.get("alias"))
        return self._site.done(request, f"/races/{race_id}/participants", notice)

    def enter(self, request: Request, race_id: str) -> Response:
        """Enter the race oneself."""
        self._entries.enter(self._site.caller(request), race_id, self._utc_ns())
        return self._site.done(request, f"/races/{race_id}", text("You are entered. Good luck!"))

    def withdraw(self, request: Request, race_id: str) -> Response:
        """Withdraw one's own entry."""
        self._entries.withdraw(self._site.caller(request), race_id, self._utc_ns())
        return self._site.done(request, f"/races/{race_id}", text("You have withdrawn; you may enter again."))

    def _listed(self, request: Request, race_id: str, status: int = 200, after: str = "", **notice: object) -> Response:
        caller = self._site.caller(request)
        race = self._sight.race(caller, race_id)
        page = self._entries.participants(caller, race_id, after, ROWS)
        values: dict[str, object] = {
            "race": race,
            "people": [participant_view(each) for each in page.participants],
            "counts": [(_STATES[state], page.counts[state]) for state in _STATES if page.counts.get(state)],
            "following": quote(page.after, safe="") if page.after else "",
            "manages": access.may(caller, "entry.manage", race),
            "invites": access.may(caller, "invitation.manage", race),
            "refusal": "",
            "confirm": "",
            "alias": "",
        }
        return self._site.page(request, "participation/participants.html", status, **(values | notice))


def _changed(entries: EntryService, caller: Caller, race_id: str, form: PostedForm, now_utc_ns: int) -> Sentence:
    """Do what the form asks for, and say so."""
    what, racer, alias = form.get("what"), form.get("racer"), form.get("alias")
    if what == "remove":
        entry = entries.remove(caller, race_id, racer, now_utc_ns)
        return text("{name} is removed, and their results are hidden. “Let in again” undoes it.", name=entry.name)
    if what == "restore":
        entry = entries.restore(caller, race_id, racer, now_utc_ns)
        return text("{name} is in again, with all results.", name=entry.name)
    if what == "confirm":
        entry = entries.confirm(caller, race_id, alias, now_utc_ns)
        return text("{name} is entered, with the results of that name.", name=entry.name)
    if what == "register":
        entry, _ = entries.register(caller, race_id, racer, form.get("name") or racer, now_utc_ns)
        return text("{name} is registered, without an account.", name=entry.name)
    if what == "invite":
        entry, _ = entries.invite(caller, race_id, alias, now_utc_ns)
        return text("{name} is let in, and may enter now.", name=entry.name)
    raise BadInput(text("Send the form of the page."))


@dataclass(frozen=True, slots=True)
class TakingPart:
    """What the page of a race offers its reader. `state`: of the reader's entry, "" without one.

    `can_enter`: a button (of somebody signed in), or the way to sign in; `manages`, `invites`: links of the organiser;
    `submits`: the way to the page on which models are submitted.
    """

    race_id: str
    state: str
    sentence: Sentence
    can_enter: bool
    can_withdraw: bool
    signed_in: bool
    manages: bool
    invites: bool
    submits: bool


def taking_part(caller: Caller, race: RaceRecord, state: EntryState | None, now_utc_ns: int) -> TakingPart:
    """What this reader of the race's page may do."""
    going_on = race.state(now_utc_ns) in ("published", "open")
    return TakingPart(
        race.race_id,
        state or "",
        _own_sentence(caller, state, going_on),
        going_on and state in (None, "invited", "withdrawn") and (caller.signed_in or not caller.key_id),
        going_on and state == "entered",
        caller.signed_in,
        access.may(caller, "entry.manage", race),
        access.may(caller, "invitation.manage", race),
        caller.signed_in and race.venue != "physical",
    )


def _own_sentence(caller: Caller, state: EntryState | None, going_on: bool) -> Sentence:
    if not going_on:
        return text("The race is over.") if state is None else text("The race is over; you took part.")
    if state == "entered":
        return text(
            "You are entered as {alias}. Race as often as the rules allow: the best run counts.", alias=caller.alias
        )
    if state == "withdrawn":
        return text("You have withdrawn from this race.")
    if state == "invited":
        return text("You have joined, and not yet entered.")
    if state == "removed":
        return text("The organiser removed you from this race.")
    if state == "disqualified":
        return text("You are disqualified in this race.")
    return text("You are not entered in this race.") if caller.signed_in else text("To take part needs an account.")
