"""/trust: how a phone comes to trust the event's certificate, and the certificate itself. ASGI middleware.

Used by the apps of station, car and leaderboard, and read over plain http too, by phones that do not trust the machine
yet. So nothing here proves itself: the page shows the fingerprint, to be compared with the one that
officials show. `/trust/ca.crt` is the authority's certificate.
"""

import pathlib
from collections.abc import Callable

from jinja2 import FileSystemLoader
from starlette.datastructures import Headers, QueryParams
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.text import recorded
from shared.text.reader import shown
from shared.web.drawing.templates import page_environment
from shared.web.security import local_path
from shared.web.tls.web_tls import EventAuthority, WebTls

PATH = "/trust"
MAX_HOST = 100  # as long a name still makes a code that a phone reads
MEDIA_TYPE = "application/x-x509-ca-cert"  # what Android, iOS and Firefox open as a certificate to be trusted
_TEMPLATES = pathlib.Path(__file__).parent / "templates"
_READ = ("GET", "HEAD")


class TrustPage:
    """Answers what begins with /trust where pages are protected; all else goes on to the app.

    `home`: the name of the page at /. `qr(content)`: the SVG of a QR code; None where no such library is installed.
    """

    def __init__(self, app: ASGIApp, tls: WebTls | None, home: str, qr: Callable[[str], bytes] | None = None) -> None:
        self._app, self._home, self._qr = app, home, qr
        self._authority = tls.authority if tls is not None else None
        self._template = page_environment(FileSystemLoader(_TEMPLATES)).get_template("trust.html")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = None
        if self._authority is not None and scope["type"] == "http" and scope["method"] in _READ:
            response = self._answer(scope, self._authority)
        await (self._app if response is None else response)(scope, receive, send)

    def _answer(self, scope: Scope, authority: EventAuthority) -> Response | None:
        match scope["path"]:
            case "/trust":
                return HTMLResponse(self._drawn(scope, authority), headers={"cache-control": "no-store"})
            case "/trust/ca.crt":
                named = {"content-disposition": 'attachment; filename="raceday-ca.crt"'}
                return Response(authority.der, media_type=MEDIA_TYPE, headers=named)
            case "/trust/qr.svg" if self._qr is not None and len(_host(scope)) <= MAX_HOST:
                return Response(self._qr(f"http://{_host(scope)}{PATH}"), media_type="image/svg+xml")
        return None

    def _drawn(self, scope: Scope, authority: EventAuthority) -> str:
        wanted = local_path(QueryParams(scope["query_string"]).get("next", "/"))
        return self._template.render(
            authority=authority,
            groups=authority.fingerprint.split(),
            wanted=wanted,
            protected=f"https://{_host(scope)}{wanted}",
            is_protected=scope["scheme"] == "https",
            has_code=self._qr is not None,
            home=shown(recorded(self._home)),
        )


def _host(scope: Scope) -> str:
    """By which name and port this browser reached us: HostAndHeaderGuard has checked it."""
    return Headers(scope=scope).get("host", "")
