"""Real access to a station with cheap hashes, and browsers that are signed in, for tests of anything behind a role."""

import pathlib
import secrets

from starlette.types import ASGIApp, Receive, Scope, Send

from shared.access.pass_code_hashing import Argon2idHasher
from station.access.access_state import AccessState, steady_utc
from station.access.access_store import ACCESS, AccessStore
from station.access.claim_code import ClaimCodeFile
from station.access.identity import VISITOR
from station.access.roles import Role
from station.access.settings import AccessOptions
from station.access.station_access import StationAccess, script_token
from station.access.tokens import SESSION_COOKIE, ShownTokens

CHEAP = Argon2idHasher(memory_kib=8, passes=1)
PASSPHRASE = "correct horse"


def cheap_access(folder: pathlib.Path) -> StationAccess:
    """Access to a new station whose files are in `folder`."""
    state = AccessState(AccessStore(folder / ACCESS), AccessOptions().limits, steady_utc())
    return StationAccess(state, ClaimCodeFile(folder), CHEAP)


def session_of(access: StationAccess, name: str = "operator", role: Role = Role.ADMIN) -> str:
    """A session's token for a person who is added if he is new, on a device that is not paired."""
    if access.people.by_key(name) is None:
        access.people.add_person(VISITOR, name, role, PASSPHRASE)
    return access.sign_in(name, PASSPHRASE, ShownTokens(), "127.0.0.1").session


class SignedIn:
    """Wraps an app: every request that shows no token of its own comes from a browser that is signed in.

    So a test need not sign in itself; what it sends goes through the same checks as everybody's.
    """

    def __init__(self, app: ASGIApp, session: str) -> None:
        self._app, self._cookie = app, f"{SESSION_COOKIE}={session}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = list(scope["headers"])
            if not any(
                name in (b"authorization",) or (name == b"cookie" and b"raceday_" in value) for name, value in headers
            ):
                scope = {**scope, "headers": [*headers, (b"cookie", self._cookie)]}
        await self._app(scope, receive, send)


def bearer_for(data_dir: pathlib.Path, role: Role = Role.ADMIN) -> dict[str, str]:
    """The header of a new script's token, for a real station with this data folder, whether it runs or not."""
    token = script_token(data_dir, "a test", f"crew {secrets.token_hex(4)}", role)
    return {"authorization": f"Bearer {token}"}
