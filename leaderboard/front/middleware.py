"""What every request to the leaderboard passes before its route: who asks, its body, its Host, protection, language."""

from collections.abc import Callable

from fastapi import FastAPI
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from leaderboard.accounts.callers import CallerLookup
from leaderboard.api.headers import ContractAndCacheHeaders
from leaderboard.config import LeaderboardConfig
from leaderboard.credentials import Credentials
from leaderboard.front.body_table import answering, body_refusal, leaderboard_bodies
from leaderboard.pages.participation.invitation import qr_svg
from leaderboard.services import LeaderboardServices
from leaderboard.web.identification import CallerMiddleware
from shared.refusals import Refusals
from shared.text import text
from shared.web.bodies.guard import BodyGuard
from shared.web.error_pages import ErrorPages
from shared.web.language import LanguageChoice
from shared.web.security import HostAndHeaderGuard
from shared.web.tls.protected_sign_in import ProtectedSignIn
from shared.web.tls.trust_page import TrustPage
from shared.web.tls.web_tls import web_tls

SIGN_IN_PATHS = (
    *("/sign-in", "/sign-in/recovery", "/sign-up", "/claim"),
    *("/api/v1/sessions", "/api/v1/accounts", "/api/v1/passkeys/options", "/api/v1/passkeys/verify"),
)


def add_middleware(
    app: FastAPI,
    services: LeaderboardServices,
    credentials: Credentials,
    config: LeaderboardConfig,
    utc_ns: Callable[[], int],
    refusals: Refusals,
) -> None:
    """Add what every request passes; the last one added is the first to see it."""
    bodies = leaderboard_bodies(config.submissions.max_archive_mb)
    app.state.longest_body_s = bodies.longest_s
    app.add_middleware(BodyGuard, bounds=bodies, refusal=body_refusal, answer=answering(app))
    app.add_middleware(ContractAndCacheHeaders)
    lookup = CallerLookup(services.board.store, credentials.admin_token, services.accounts.entrance.periods)
    app.add_middleware(CallerMiddleware, lookup=lookup, utc_ns=utc_ns)
    # Cookies belong to their host and passkeys to its name, posts are signed, programs show keys: a foreign name that
    # leads here gets nothing by it. So any Host is answered unless names are set.
    hosts = config.server.allowed_hosts or None
    tls = web_tls(config.server.tls_certificate, config.server.tls_key, "server")
    app.state.tls = tls
    app.add_middleware(TrustPage, tls=tls, home=text("All races"), qr=lambda content: qr_svg(content).encode())
    if tls is not None and not config.server.sign_in_over_http:
        app.add_middleware(ProtectedSignIn, paths=SIGN_IN_PATHS)
    app.add_middleware(HostAndHeaderGuard, machine="This leaderboard", allowed_hosts=hosts, refusals=refusals)
    app.add_middleware(ErrorPages, machine="This leaderboard", home="All races")
    app.add_middleware(LanguageChoice)
    if config.server.trusted_proxy:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=[config.server.trusted_proxy])
