"""The page of one's own account, and the forms on it."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from leaderboard.accounts.keys import SCOPES
from leaderboard.accounts.services import AccountServices
from leaderboard.core.access import Caller
from leaderboard.pages.account.views import account_view, key_views
from leaderboard.pages.site import LeaderboardSite
from leaderboard.web.cookies import SESSION, drop_cookie
from leaderboard.web.forms import PostedForm, read_form
from leaderboard.web.statuses import status_of
from leaderboard.web.visitors import ARCHIVE_HEADERS
from shared.errors import RacedayError, Refused
from shared.text import Sentence, ntext, text
from shared.units import NS_PER_S

_Form = Annotated[PostedForm, Depends(read_form)]
_DAY_NS = 86_400 * NS_PER_S
MAX_KEY_DAYS = 3650


def router(services: AccountServices, site: LeaderboardSite, utc_ns: Callable[[], int]) -> APIRouter:
    """The routes, over one store."""
    routes, pages = APIRouter(include_in_schema=False), OwnPages(services, site, utc_ns)
    routes.get("/account")(pages.account)
    routes.post("/account/name")(pages.change_name)
    routes.post("/account/passphrase")(pages.set_passphrase)
    routes.post("/account/codes")(pages.renew_codes)
    routes.post("/account/credentials/remove")(pages.remove_credential)
    routes.post("/account/sessions/end")(pages.end_session)
    routes.post("/account/sessions/end-others")(pages.end_others)
    routes.get("/account/export")(pages.export)
    routes.post("/account/delete")(pages.delete)
    routes.get("/account/keys")(pages.keys)
    routes.post("/account/keys")(pages.make_key)
    routes.post("/account/keys/revoke")(pages.revoke_key)
    return routes


class OwnPages:
    """The handlers of these pages."""

    def __init__(self, services: AccountServices, site: LeaderboardSite, utc_ns: Callable[[], int]) -> None:
        self._services, self._site, self._utc_ns = services, site, utc_ns

    def account(self, request: Request) -> Response:
        return self._account(request)

    def change_name(self, request: Request, form: _Form) -> Response:
        own = self._services.own
        return self._act(
            request,
            lambda caller, now: own.change_name(caller, form.get("name"), now),
            text("Your name is changed."),
            form,
            "name",
        )

    def set_passphrase(self, request: Request, form: _Form) -> Response:
        passphrase = form.values.get("passphrase", "")
        own, done = self._services.own, text("Your passphrase is set; all other sessions have ended.")
        return self._act(
            request, lambda caller, now: own.set_passphrase(caller, passphrase, now), done, form, "passphrase"
        )

    def renew_codes(self, request: Request, _form: _Form) -> Response:
        caller = self._site.account(request)
        try:
            codes = self._services.own.renew_codes(caller, self._utc_ns())
        except RacedayError as refusal:
            return self._account(request, refusal)
        return self._site.page(request, "account/codes.html", codes=codes, next="/account", alias=caller.alias)

    def remove_credential(self, request: Request, form: _Form) -> Response:
        own, removed = self._services.own, form.get("credential")
        done = text("This way to sign in is removed.")
        return self._act(request, lambda caller, now: own.remove_credential(caller, removed, now), done, form)

    def end_session(self, request: Request, form: _Form) -> Response:
        own, ended = self._services.own, form.get("session")
        done = text("The session has ended.")
        return self._act(request, lambda caller, now: own.end_session(caller, ended, now), done, form)

    def end_others(self, request: Request, _form: _Form) -> Response:
        caller = self._site.account(request)
        ended = self._services.own.end_other_sessions(caller, self._utc_ns())
        done = ntext("{n} other session has ended.", "{n} other sessions have ended.", n=ended)
        return self._site.done(request, "/account", done)

    def export(self, request: Request) -> Response:
        archive = self._services.export.archive(self._site.account(request))
        return Response(archive, media_type="application/zip", headers=ARCHIVE_HEADERS)

    def delete(self, request: Request, form: _Form) -> Response:
        caller = self._site.account(request)
        try:
            erased = self._services.erasure.delete(caller, form.get("confirm"), self._utc_ns())
        except RacedayError as refusal:
            return self._account(request, refusal, form, "confirm")
        response = self._site.page(request, "account/deleted.html", name=erased.name)
        drop_cookie(response, request, SESSION)
        return response

    def keys(self, request: Request) -> Response:
        return self._keys(request)

    def make_key(self, request: Request, form: _Form) -> Response:
        caller, now_utc_ns = self._site.account(request), self._utc_ns()
        races = form.get("races").replace(",", " ").split()
        days = form.get("days")
        try:
            expires_utc_ns = None if not days else now_utc_ns + _days(days) * _DAY_NS
            made = self._services.keys.create(
                caller, form.get("name"), form.all("scope"), races, expires_utc_ns, now_utc_ns
            )
        except RacedayError as refusal:
            return self._keys(request, form, refusal)
        return self._site.page(request, "account/new_key.html", key=made.key, name=made.record.name)

    def revoke_key(self, request: Request, form: _Form) -> Response:
        caller = self._site.account(request)
        revoked = self._services.keys.revoke(caller, form.get("key"), self._utc_ns())
        return self._site.done(request, "/account/keys", text("The key {name} is revoked.", name=revoked.name))

    def _keys(self, request: Request, form: PostedForm | None = None, refusal: RacedayError | None = None) -> Response:
        caller, now_utc_ns = self._site.account(request), self._utc_ns()
        return self._site.page(
            request,
            "account/keys.html",
            200 if refusal is None else status_of(refusal),
            keys=key_views(self._services.keys.list(caller), now_utc_ns),
            scopes=[(scope, words) for scope, words in _SCOPES.items() if scope in SCOPES],
            form=form or PostedForm({}),
            refusal=refusal,
            admin=caller.has("admin"),
        )

    def _act(
        self,
        request: Request,
        act: Callable[[Caller, int], object],
        done: str,
        form: PostedForm,
        field: str = "",
    ) -> Response:
        caller = self._site.account(request)
        try:
            act(caller, self._utc_ns())
        except RacedayError as refusal:
            return self._account(request, refusal, form, field)
        return self._site.done(request, "/account", done)

    def _account(
        self,
        request: Request,
        refusal: RacedayError | None = None,
        form: PostedForm | None = None,
        field: str = "",
    ) -> Response:
        caller, now_utc_ns = self._site.account(request), self._utc_ns()
        own = account_view(self._services.own.own(caller, now_utc_ns), caller)
        return self._site.page(
            request,
            "account/account.html",
            200 if refusal is None else status_of(refusal),
            own=own,
            form=form or PostedForm({}),
            refusal=refusal,
            errors={field: refusal} if field else {},
        )


_SCOPES: dict[str, Sentence] = {
    "results:write": text("Post results of these races"),
    "races:read": text("Read these races, also private ones"),
    "live:write": text("Send the live timing of these races"),
    "farm": text("Take submissions of a model farm"),
    "submissions:write": text("Submit your models for you; in all races, if you name none"),
}


def _days(typed: str) -> int:
    """How many days a key holds. Raises Refused."""
    if not (typed.isascii() and typed.isdecimal() and len(typed) <= 5) or not 1 <= int(typed) <= MAX_KEY_DAYS:
        raise Refused(text("A key holds for 1 to {n} days, or (left empty) until you revoke it.", n=MAX_KEY_DAYS))
    return int(typed)
