"""Which kinds of callers the calls about accounts are for; each check refuses the others, before a body is read."""

from fastapi import Request

from leaderboard.api.identity import RequestIdentification, check
from leaderboard.core.access import Caller
from leaderboard.core.errors import NotAllowed, Unauthorized
from shared.text import text

CALLERS = RequestIdentification()


def account(request: Request) -> Caller:
    """Somebody who is signed in as a person. Raises Unauthorized, NotAllowed for a key."""
    caller = CALLERS.caller(request)
    if caller.signed_in:
        return caller
    if caller.key_id or caller.has("admin"):
        raise NotAllowed(text("This is for a person who is signed in: no key has an account of its own."))
    raise Unauthorized(text("Sign in first."))


def key_maker(request: Request) -> Caller:
    """An account, or the holder of the admin token. Raises Unauthorized, NotAllowed for a key."""
    caller = CALLERS.caller(request)
    if caller.key_id:
        raise NotAllowed(text("A key makes no keys: sign in, or use the admin token."))
    if not (caller.signed_in or caller.has("admin")):
        raise Unauthorized(text("Sign in first."))
    return caller


def role_giver(request: Request) -> Caller:
    """Somebody who may give some roles; which, is known only with the body. Raises Unauthorized, NotAllowed."""
    caller = CALLERS.caller(request)
    if caller.key_id:
        raise NotAllowed(text("A key gives no roles: sign in, or use the admin token."))
    if not (caller.signed_in or caller.has("admin")):
        raise Unauthorized(text("Sign in first."))
    return caller


def renamer(request: Request) -> Caller:
    """Somebody who may rename accounts. Raises Unauthorized, NotAllowed."""
    caller = CALLERS.caller(request)
    check(caller, "account.rename")
    return caller
