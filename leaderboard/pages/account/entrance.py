"""The pages to sign up, sign in, recover and claim. They work without a script, but for passkeys, which need one.

`next` is where the reader wanted to go, such as to an invitation: it is kept from page to page.
"""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from leaderboard.accounts.entrance.entrance import SignedIn
from leaderboard.accounts.services import AccountServices
from leaderboard.core.access import Caller
from leaderboard.core.errors import RateLimited
from leaderboard.pages.site import LeaderboardSite
from leaderboard.web.cookies import SESSION, drop_cookie
from leaderboard.web.forms import PostedForm, read_form
from leaderboard.web.identity import Asking, asking
from leaderboard.web.statuses import status_of
from leaderboard.web.visitors import sign_in_browser, visitor
from shared.errors import RacedayError
from shared.text import text
from shared.web.refused_requests import name_refusal
from shared.web.security import local_path

_Form = Annotated[PostedForm, Depends(read_form)]


def router(services: AccountServices, site: LeaderboardSite, utc_ns: Callable[[], int]) -> APIRouter:
    """The routes, over one store."""
    routes, pages = APIRouter(include_in_schema=False), EntrancePages(services, site, utc_ns)
    routes.get("/sign-in")(pages.sign_in)
    routes.post("/sign-in")(pages.signed_in)
    routes.get("/sign-in/recovery")(pages.recover)
    routes.post("/sign-in/recovery")(pages.recovered)
    routes.get("/sign-up")(pages.sign_up)
    routes.post("/sign-up")(pages.signed_up)
    routes.post("/sign-out")(pages.sign_out)
    routes.get("/claim")(pages.claim)
    routes.post("/claim")(pages.claimed)
    return routes


class EntrancePages:
    """The handlers of these pages."""

    def __init__(self, services: AccountServices, site: LeaderboardSite, utc_ns: Callable[[], int]) -> None:
        self._services, self._site, self._utc_ns = services, site, utc_ns

    def sign_in(self, request: Request, next: str = "/") -> Response:  # noqa: A002  # the word in the address
        return self._page(request, "account/sign_in.html", next)

    def signed_in(self, request: Request, form: _Form) -> Response:
        try:
            entered = self._services.entrance.sign_in(
                form.get("alias"), form.values.get("passphrase", ""), visitor(request), self._utc_ns()
            )
        except RacedayError as refusal:
            return self._page(request, "account/sign_in.html", form.get("next"), form, refusal)
        return self._enter(request, entered, form.get("next"))

    def recover(self, request: Request, next: str = "/") -> Response:  # noqa: A002
        return self._page(request, "account/recovery.html", next)

    def recovered(self, request: Request, form: _Form) -> Response:
        try:
            entered = self._services.entrance.recover(
                form.get("alias"), form.get("code"), visitor(request), self._utc_ns()
            )
        except RacedayError as refusal:
            return self._page(request, "account/recovery.html", form.get("next"), form, refusal)
        notice = text("You are signed in with a recovery code. Add a passkey or set a new passphrase now.")
        return self._enter(request, entered, "/account", notice)

    def sign_up(self, request: Request, next: str = "/") -> Response:  # noqa: A002
        return self._page(request, "account/sign_up.html", next)

    def signed_up(self, request: Request, form: _Form) -> Response:
        try:
            passphrase = form.values.get("passphrase", "")
            made = self._services.entrance.sign_up(
                form.get("alias"), form.get("name"), passphrase, visitor(request), self._utc_ns()
            )
        except RacedayError as refusal:
            return self._page(request, "account/sign_up.html", form.get("next"), form, refusal)
        self._end_old(request)
        # The codes are in this answer only: a redirect would have to store them. It is drawn for the new account.
        caller = Caller(made.account.account_id, made.account.alias, made.account.name)
        request.state.asking = Asking(caller, made.session.token)
        response = self._site.page(
            request, "account/codes.html", codes=made.codes, next=local_path(form.get("next")), alias=made.account.alias
        )
        sign_in_browser(response, request, made, self._services.entrance.periods)
        return response

    def sign_out(self, request: Request, form: _Form) -> Response:
        self._end_old(request)
        response = self._site.done(request, local_path(form.get("next")))
        drop_cookie(response, request, SESSION)
        return response

    def claim(self, request: Request) -> Response:
        self._site.account(request)
        return self._page(request, "account/claim.html", "/")

    def claimed(self, request: Request, form: _Form) -> Response:
        caller = self._site.account(request)
        try:
            self._services.claim.claim(caller, form.get("code"), visitor(request).address, self._utc_ns())
        except RacedayError as refusal:
            return self._page(request, "account/claim.html", "/", form, refusal)
        return self._site.done(request, "/admin/accounts", text("You are admin of this leaderboard now."))

    def _page(
        self,
        request: Request,
        template: str,
        wanted: str,
        form: PostedForm | None = None,
        refusal: RacedayError | None = None,
    ) -> Response:
        typed = form or PostedForm({})
        status = 200 if refusal is None else status_of(refusal)
        if refusal is not None:
            name_refusal(request.scope, refusal)
        page = self._site.page(request, template, status, next=local_path(wanted), form=typed, refusal=refusal)
        if isinstance(refusal, RateLimited):
            page.headers["retry-after"] = str(round(refusal.after_s or 1))
        return page

    def _enter(self, request: Request, entered: SignedIn, wanted: str, notice: str = "") -> Response:
        self._end_old(request)
        response = self._site.done(request, local_path(wanted), notice, entered.session.token)
        sign_in_browser(response, request, entered, self._services.entrance.periods)
        return response

    def _end_old(self, request: Request) -> None:
        if (old := asking(request).caller).signed_in:
            self._services.own.end_session(old, old.session_id, self._utc_ns())
