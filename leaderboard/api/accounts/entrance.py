"""POST accounts, sessions, passkeys: the ways in. Each gives the browser a session in its cookie."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Request, Response

from leaderboard.accounts.entrance.entrance import SignedIn
from leaderboard.accounts.services import AccountServices
from leaderboard.api.accounts.callers import CALLERS, account
from leaderboard.api.accounts.shapes import (
    NewAccount,
    PasskeyAnswer,
    PasskeyChallengeShape,
    PasskeyQuestion,
    SignedInShape,
    SignInWish,
    signed_in_shape,
)
from leaderboard.api.bodies import BY_SESSION, account_refusals, json_body, json_extra, shaped
from leaderboard.api.described import DescribedRouter
from leaderboard.web.cookies import SESSION, drop_cookie
from leaderboard.web.visitors import relying_party, same_site, sign_in_browser, visitor
from shared.errors import Refused
from shared.text import text

_TRIES = (401, 403, 408, 413, 422, 429, 503)


def router(services: AccountServices, title: str, utc_ns: Callable[[], int]) -> APIRouter:
    """The routes, over one store."""
    routes, calls = DescribedRouter(prefix="/api/v1", tags=["accounts"]), EntranceCalls(services, title, utc_ns)
    routes.post(
        "/accounts",
        status_code=201,
        response_model=SignedInShape,
        responses=account_refusals(409, *_TRIES),
        openapi_extra=json_extra(NewAccount),
        summary="Sign up with an alias and a passphrase",
        response_description="The account, signed in, and its recovery codes, shown this once",
    )(calls.sign_up)
    routes.post(
        "/sessions",
        status_code=201,
        response_model=SignedInShape,
        responses=account_refusals(*_TRIES),
        openapi_extra=json_extra(SignInWish),
        summary="Sign in with a passphrase or a recovery code",
        response_description="Signed in; the session is in the cookie",
    )(calls.sign_in)
    routes.delete(
        "/sessions/{session_id}",
        status_code=204,
        responses=account_refusals(401, 403, 404, 503),
        openapi_extra=json_extra(security=BY_SESSION),
        summary="End a session of one's own; `current` is this one",
        response_description="Ended",
    )(calls.end_session)
    routes.post(
        "/passkeys/options",
        response_model=PasskeyChallengeShape,
        responses=account_refusals(409, *_TRIES),
        openapi_extra=json_extra(PasskeyQuestion),
        summary="Ask for a passkey: to sign up, to sign in, or to add one to one's account",
        response_description="The challenge for the browser; it holds for five minutes and one try",
    )(calls.ask)
    routes.post(
        "/passkeys/verify",
        status_code=201,
        response_model=SignedInShape,
        responses={204: {"description": "The passkey is added"}, **account_refusals(409, *_TRIES)},
        openapi_extra=json_extra(PasskeyAnswer),
        summary="The browser's answer to the challenge",
        response_description="Signed in; of a new account also its recovery codes, shown this once",
    )(calls.verify)
    return routes


class EntranceCalls:
    """The handlers of the ways in."""

    def __init__(self, services: AccountServices, title: str, utc_ns: Callable[[], int]) -> None:
        self._services, self._title, self._utc_ns = services, title, utc_ns

    def _answer(self, request: Request, signed_in: SignedIn) -> Response:
        """The new session in the browser's cookie; the one that was there before ends."""
        if (old := CALLERS.caller(request)).signed_in:
            self._services.own.end_session(old, old.session_id, self._utc_ns())
        response = shaped(signed_in_shape(signed_in), 201)
        sign_in_browser(response, request, signed_in, self._services.entrance.periods)
        return response

    def sign_up(self, request: Request, wanted: Annotated[NewAccount, json_body(NewAccount, same_site)]) -> Response:
        sign_up, who = self._services.entrance.sign_up, visitor(request)
        return self._answer(request, sign_up(wanted.alias, wanted.name, wanted.passphrase, who, self._utc_ns()))

    def sign_in(self, request: Request, wanted: Annotated[SignInWish, json_body(SignInWish, same_site)]) -> Response:
        if bool(wanted.passphrase) == bool(wanted.recovery_code):
            raise Refused(text("Sign in with either `passphrase` or `recovery_code`."))
        entrance, shown = self._services.entrance, wanted.passphrase or wanted.recovery_code
        act = entrance.sign_in if wanted.passphrase else entrance.recover
        return self._answer(request, act(wanted.alias, shown, visitor(request), self._utc_ns()))

    def end_session(self, request: Request, session_id: str) -> Response:
        caller = account(request)
        ended = caller.session_id if session_id == "current" else session_id
        self._services.own.end_session(caller, ended, self._utc_ns())
        response = Response(status_code=204)
        if ended == caller.session_id:
            drop_cookie(response, request, SESSION)
        return response

    def ask(
        self, request: Request, wanted: Annotated[PasskeyQuestion, json_body(PasskeyQuestion, same_site)]
    ) -> Response:
        site, now_utc_ns = relying_party(request, self._title), self._utc_ns()
        if wanted.purpose == "add":
            asked = self._services.passkeys.ask_to_add(account(request), site, now_utc_ns)
        elif wanted.purpose == "sign_in":
            asked = self._services.passkeys.ask_to_sign_in(site, visitor(request), now_utc_ns)
        else:
            ask = self._services.passkeys.ask_to_sign_up
            asked = ask(wanted.alias, wanted.name, site, visitor(request), now_utc_ns)
        return shaped(PasskeyChallengeShape(asked.challenge_id, asked.options))

    def verify(
        self, request: Request, given: Annotated[PasskeyAnswer, json_body(PasskeyAnswer, same_site)]
    ) -> Response:
        site, now_utc_ns, asked = relying_party(request, self._title), self._utc_ns(), given.challenge_id
        if given.purpose == "add":
            label = given.label or visitor(request).browser
            self._services.passkeys.added(account(request), asked, given.credential, label, site, now_utc_ns)
            return Response(status_code=204)
        act = self._services.passkeys.signed_up if given.purpose == "sign_up" else self._services.passkeys.signed_in
        return self._answer(request, act(asked, given.credential, site, visitor(request), now_utc_ns))
