"""Who may do what over HTTP: the identity of a request, the role that a route or a command needs, and its form.

A command is JSON, which no form can send, from our own page or from a program. Used by all routes:

    @router.get("/people")
    async def people(identity: Annotated[Identity, Depends(require(Role.OPERATOR))]) -> HTMLResponse: ...
"""

from collections.abc import Awaitable, Callable
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from shared.text import text
from shared.web.error_pages import wants_page
from shared.web.language import JSONAnswer
from shared.web.security import HEADERS, cross_site_reason, local_path
from station.access.command_roles import ROLE_OF_COMMAND, role_for
from station.access.identity import VISITOR, Identity
from station.access.roles import Role
from station.core.inputs import Command

__all__ = [
    "FORMS_ALLOWED",
    "ROLE_OF_COMMAND",
    "AccessDenied",
    "access_denied",
    "command_refusal",
    "identity_of",
    "require",
]

# A browser sends a form with our Origin only if the page does not hide it (<meta name="referrer">) and may send forms.
FORMS_ALLOWED = {
    "cache-control": "no-store",
    "content-security-policy": HEADERS["content-security-policy"].replace("form-action 'none'", "form-action 'self'"),
}


class AccessDenied(Exception):
    """The request needs a role that it does not have; `access_denied` answers it."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


def identity_of(request: HTTPConnection) -> Identity:
    """Who sent this request, as the middleware found it (identification.py)."""
    identity: Identity = getattr(request.state, "identity", VISITOR)
    return identity


def require(role: Role) -> Callable[[Request], Awaitable[Identity]]:
    """A FastAPI dependency: the identity of a request that has at least this role. Raises AccessDenied."""

    async def check(request: Request) -> Identity:
        identity = identity_of(request)
        if why := role_refusal(identity, role):
            raise AccessDenied(*why)
        return identity

    return check


def role_refusal(identity: Identity, role: Role) -> tuple[int, str] | None:
    """Why this person may not do what needs `role`, as status and sentence; None if he may."""
    if identity.role >= role:
        return None
    if not identity.person:
        return 401, text("Only the station's officials may do this: sign in first.")
    return 403, text(
        "{person} is signed in as {role}; this needs {needed}.",
        person=identity.person,
        role=identity.role.title,
        needed=role.title,
    )


async def access_denied(request: Request, denied: Exception) -> Response:
    """The answer to a refused request: a person is sent to the sign-in page, everybody else gets the sentence."""
    assert isinstance(denied, AccessDenied)
    if denied.status == 401 and request.method == "GET" and wants_page(request.scope):
        url = request.url
        asked = f"{url.path}?{url.query}"
        wanted = asked if url.query and local_path(asked) == asked else url.path
        return RedirectResponse(f"/sign-in?next={quote(wanted, safe='/')}", 303, {"cache-control": "no-store"})
    return JSONAnswer({"error": denied.sentence}, denied.status)


def request_refusal(headers: Headers, scheme: str) -> tuple[int, str] | None:
    """Why a request in this form may not command, as status and sentence; None if it may."""
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return 415, text("Send commands as application/json.")
    why = cross_site_reason(headers, scheme, text("the station's"))
    return (403, why) if why else None


def client_address(request: Request) -> str:
    """The address at the other end of the connection; headers that claim another one are ignored."""
    return request.client.host if request.client is not None else ""


def official_refusal(request: Request) -> tuple[int, str] | None:
    """Why this request may give no command at all, before its body is read; None if it may give some."""
    return role_refusal(identity_of(request), Role.REFEREE) or request_refusal(request.headers, request.url.scheme)


def command_refusal(identity: Identity, command: Command) -> tuple[int, str] | None:
    """Why this person may not give this command, as status and sentence; None if he may."""
    return role_refusal(identity, role_for(command))
