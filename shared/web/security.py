"""Guards a machine's web server: the Host it answers to, the Origin of a command, the security headers it sends.

A foreign web page must not command a machine through the browser of an official: a command needs our own Origin, a Host
that no foreign domain can be (DNS rebinding), and a body that no HTML form can send (each machine's own rule).
Used by the web apps of station, car and leaderboard.
"""

import ipaddress
import re
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.refusals import Refusals
from shared.text import text
from shared.web.host_names import host_name, host_names
from shared.web.language import JSONAnswer
from shared.web.refused_requests import ORIGIN, name_refusal, record_refused_request

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
        "media-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_HOST = re.compile(r"(?:\[(?P<address>[^\[\]]+)\]|(?P<name>[^\[\]:]+))(?::[0-9]*)?")
MAX_PATH = 200
_LOCAL_PATH = re.compile(r"/(?:[A-Za-z0-9_.~%=&?+:@-][A-Za-z0-9_.~%=&?+:@/-]*)?")  # never "//", "\\" or a blank
_UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_LOCAL_ENDINGS = (".local", ".lan", ".internal", ".home.arpa", ".localhost")


class HostAndHeaderGuard:
    """ASGI middleware: refuses a Host that is not ours, and adds the security headers to every response.

    `machine` is our name in the sentence: "This station", "This car". `allowed_hosts`: our public names, as people
    write them, beside addresses and local names; None: any Host is answered, for a server where a request proves
    nothing by the browser it comes from. `refusals`: those of the process, which count what any route refused; None:
    nobody reads them elsewhere. Raises ConfigError for a name that cannot be one.
    """

    def __init__(
        self,
        app: ASGIApp,
        machine: str,
        allowed_hosts: tuple[str, ...] | None = (),
        refusals: Refusals | None = None,
    ) -> None:
        self._app, self._machine = app, machine
        self._allowed = None if allowed_hosts is None else host_names(allowed_hosts, "allowed_hosts")
        self._refusals = Refusals() if refusals is None else refusals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                if message["status"] == 403 and scope["method"] in _UNSAFE and _is_foreign(scope):
                    name_refusal(scope, ORIGIN)
                record_refused_request(self._refusals, scope, message["status"], time.monotonic())
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        # Browsers send other scripts as "xn--...", some programs as they are.
        host = Headers(scope=scope).get("host", "").encode("latin-1").decode("utf-8", "replace")
        if self._allowed is not None and not is_allowed_host(host, self._allowed):
            sentence = text(
                "{machine} does not answer to the name {host!r}; use its address.",
                machine=self._machine,
                host=host[:80],
            )
            await JSONAnswer({"error": sentence}, 421)(scope, receive, send_with_headers)
            return
        await self._app(scope, receive, send_with_headers)


def is_allowed_host(host: str, allowed: frozenset[str] = frozenset()) -> bool:
    """Is it an address, a name without a dot, a local name, or a name in the config (`allowed`, by `host_name`)?"""
    parts = _HOST.fullmatch(host.rpartition("@")[2])
    if parts is None:
        return False
    if parts["address"] is not None:
        return _is_address(parts["address"])
    try:
        name = host_name(parts["name"])
    except ValueError:
        return False
    return name in allowed or "." not in name or name.endswith(_LOCAL_ENDINGS) or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True


def cross_site_reason(headers: Headers, scheme: str, whose: str) -> str:
    """Why this command is refused as a foreign page's, "" if it is not. A program (curl, a script) sends no Origin."""
    origin = headers.get("origin")
    if origin is not None and origin != f"{scheme}://{headers.get('host', '')}":
        return text("This command comes from a page other than {whose} own.", whose=whose)
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return text("This command comes from another site.")
    return ""


def _is_foreign(scope: Scope) -> bool:
    return bool(cross_site_reason(Headers(scope=scope), scope["scheme"], ""))


def local_path(wanted: str) -> str:
    """Where to go after signing in: the path if it is one of this site, else "/"."""
    return wanted if len(wanted) <= MAX_PATH and _LOCAL_PATH.fullmatch(wanted) else "/"
