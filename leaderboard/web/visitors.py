"""What a request says of its sender beyond who it is: the address, the browser, and the site as the browser sees it."""

import ipaddress

from fastapi import Request, Response

from leaderboard.accounts.entrance.entrance import SignedIn, Visitor
from leaderboard.accounts.entrance.passkeys import RelyingParty
from leaderboard.accounts.limits import SessionPeriods
from leaderboard.core.errors import NotAllowed
from leaderboard.web.cookies import FORM, SESSION, drop_cookie, set_cookie
from shared.errors import Refused
from shared.text import text
from shared.units import NS_PER_S
from shared.web.security import cross_site_reason

ARCHIVE_HEADERS = {"content-disposition": 'attachment; filename="my-data.zip"', "cache-control": "no-store"}


def visitor(request: Request) -> Visitor:
    """From where the request comes; headers that claim another address are not believed here (app.py)."""
    return Visitor(request.client.host if request.client else "", request.headers.get("user-agent", ""))


def relying_party(request: Request, title: str) -> RelyingParty:
    """The site as this browser sees it. Raises Refused for an address, for which browsers make no passkeys."""
    host = request.headers.get("host", "")
    name = (request.url.hostname or "").rstrip(".")
    try:
        ipaddress.ip_address(name)
    except ValueError:
        if name:
            return RelyingParty(name, f"{request.url.scheme}://{host}", title)
    raise Refused(text("Passkeys need the leaderboard's name in the address, not its number: use a passphrase here."))


def same_site(request: Request) -> None:
    """Check that no other site's page sent this. Raises NotAllowed."""
    if why := cross_site_reason(request.headers, request.url.scheme, text("the leaderboard's")):
        raise NotAllowed(why)


def sign_in_browser(response: Response, request: Request, signed_in: SignedIn, periods: SessionPeriods) -> None:
    """Give the browser its new session; the token of its forms as a visitor goes."""
    set_cookie(response, request, SESSION, signed_in.session.token, periods.absolute_ns // NS_PER_S)
    drop_cookie(response, request, FORM)
