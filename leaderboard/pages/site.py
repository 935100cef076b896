"""Draws any page for a request, and reads the forms that pages send. Every page of the leaderboard goes through it.

A page, and a form on it that works without a script (the handlers are plain `def`: they run off the event loop):

    @routes.get("/races/{race_id}/edit")
    def edit(request: Request, race_id: str) -> Response:
        race = league.race(race_id)
        site.check(request, "race.edit", race)          # nobody is sent to sign in and comes back; others get 403
        return site.page(request, "league/edit.html", race=race)

    @routes.post("/races/{race_id}/edit")
    def edited(request: Request, race_id: str, form: Annotated[PostedForm, Depends(site.form)]) -> Response:
        try:
            league.rename(site.caller(request), race_id, form.get("name"), utc_ns())
        except Refused as refusal:                       # the same page again, with the sentence and what was typed
            return site.page(request, "league/edit.html", 422, race=..., refusal=refusal, form=form)
        return site.done(request, f"/races/{race_id}", text("The race has a new name."))

The template extends base.html and writes its forms with the macros of templates/forms.html, which add the token:

    {% import "forms.html" as forms %}
    {% call forms.form(frame, "/races/" ~ race.race_id ~ "/edit") %}
      {{ forms.field("name", t("Name"), race.name, hint=t("As it stands on posters")) }}
      {{ forms.submit(t("Save")) }}
    {% endcall %}

A script that calls the API from a page sends the token of `<meta name="csrf-token">` as the header `x-csrf-token`.
"""

import base64
import binascii
import hashlib
import hmac
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from leaderboard.core.access import Caller
from leaderboard.core.errors import Unauthorized
from leaderboard.core.race import RaceRecord
from leaderboard.core.states import EntryState
from leaderboard.pages.templates import PageFrame, PageTemplates
from leaderboard.web.cookies import FLASH, FORM, cookie_value, drop_cookie, set_cookie
from leaderboard.web.forms import PostedForm, read_form
from leaderboard.web.identity import CallerIdentification, asking, check, check_sees
from shared.text import Sentence, recorded, text
from shared.web.security import HEADERS, MAX_PATH

# With no referrer at all, browsers also hide the Origin of a form.
PAGE_HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "same-origin",
    "content-security-policy": HEADERS["content-security-policy"].replace("form-action 'none'", "form-action 'self'"),
}
MAX_NOTICE = 600  # characters of a sentence for the next page
_NOTICE_FOR_S = 60


class LeaderboardSite:
    """The pages of one leaderboard."""

    def __init__(self, templates: PageTemplates, callers: CallerIdentification) -> None:
        self.templates, self._callers = templates, callers

    def caller(self, request: Request) -> Caller:
        """Who asks. Raises Unauthorized, NotAllowed as `CallerIdentification.caller` does."""
        return self._callers.caller(request)

    def caller_now(self, request: Request) -> Caller:
        """Who it is by now, for streams (`CallerIdentification.caller_now`). Raises Unauthorized."""
        return self._callers.caller_now(request)

    def check(self, request: Request, action: str, race: RaceRecord | None = None, season_id: str = "") -> Caller:
        """The caller, who may do this. Raises Unauthorized for nobody, NotAllowed for somebody."""
        caller = self.caller(request)
        check(caller, action, race, season_id)
        return caller

    def check_sees(self, request: Request, race: RaceRecord, entry: EntryState | None) -> Caller:
        """The caller, for whom the race exists. Raises UnknownRace."""
        caller = self.caller(request)
        check_sees(caller, race, entry)
        return caller

    def account(self, request: Request) -> Caller:
        """The caller, who is signed in as a person. Raises Unauthorized; a page then leads to signing in."""
        caller = self.caller(request)
        if not caller.signed_in:
            raise Unauthorized(text("Sign in first."))
        return caller

    def frame(self, request: Request) -> PageFrame:
        """What surrounds a page for this request."""
        found = asking(request)
        return PageFrame(found.caller, request.url.path, _notice(request), found.session or found.form)

    def page(self, request: Request, template: str, /, status: int = 200, **values: Any) -> HTMLResponse:
        """The page of this template as it is for whoever asks; `values`: what the template needs."""
        frame = self.frame(request)
        return self.framed(request, frame, self.templates.page(template, frame, **values), status)

    def framed(self, request: Request, frame: PageFrame, document: str, status: int = 200) -> HTMLResponse:
        """A page that was drawn in this frame already, with the headers and cookies that belong to it."""
        response = HTMLResponse(document, status, PAGE_HEADERS)
        if frame.secret_is_new:
            set_cookie(response, request, FORM, frame.secret, None)
        if cookie_value(request.headers, FLASH, request.url.scheme):
            drop_cookie(response, request, FLASH)
        return response

    async def form(self, request: Request) -> PostedForm:
        """The posted form, as a FastAPI dependency. Raises NotAllowed, BadInput, BodyTooLarge, BodyTooSlow.

        For a form with files call `read_form(request, max_bytes)` (leaderboard/web/forms.py) in an `async` handler.
        """
        return await read_form(request)

    def done(self, request: Request, path: str, notice: str = "", session: str = "") -> RedirectResponse:
        """On to another page by GET, so that reloading it sends nothing again; `notice` is shown there once.

        `session`: the token of one that begins with this answer.
        """
        response = RedirectResponse(path, 303, {"cache-control": "no-store"})
        found = asking(request)
        secret = session or found.session or found.form
        if notice and secret:
            # In English: the page that shows it finds its template again, and writes it in the reader's language.
            # Without "=": a cookie with one is sent in quotes, which browsers send back.
            words = base64.urlsafe_b64encode(notice[:MAX_NOTICE].encode()).decode().rstrip("=")
            set_cookie(response, request, FLASH, f"{_seal(words, secret)}.{words}", _NOTICE_FOR_S)
        return response

    def refused(self, request: Request, status: int, sentence: str) -> Response:
        """The page of a refusal; of one that signing in may lift, the way there and back."""
        if status == 401 and request.method == "GET":
            return self.done(request, f"/sign-in?next={next_path(request)}")
        heading = text("Page not found") if status == 404 else text("This is not possible")
        return self.page(request, "missing.html", status, heading=heading, sentence=recorded(sentence))


def next_path(request: Request) -> str:
    """Where the reader is, quoted for `?next=`, so that signing in leads back."""
    path = request.url.path
    return quote(path if len(path) <= MAX_PATH else "/", safe="/")


def _notice(request: Request) -> str | Sentence:
    found = asking(request)
    seal, _, words = cookie_value(request.headers, FLASH, request.url.scheme).partition(".")
    # A neighbour's page cannot put words into our mouth: the seal needs this browser's secret.
    if not any(
        secret and hmac.compare_digest(seal.encode(), _seal(words, secret).encode())
        for secret in (found.session, found.form)
    ):
        return ""
    try:
        return recorded(base64.urlsafe_b64decode(words + "=" * (-len(words) % 4)).decode())
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _seal(words: str, secret: str) -> str:
    return hmac.new(secret.encode(), b"notice:" + words.encode(), hashlib.sha256).hexdigest()
