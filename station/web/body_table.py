"""What the station takes of the bodies of requests, and from whom; used by its app and its server.

Whatever is not in the table has at most 16 kB, and comes from somebody who is signed in or from a paired device. Which
role a route needs it asks itself, before it reads.
"""

from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import Scope

from shared.tracks.array_file import MAX_FILE_BYTES as MAX_TRACK_BYTES
from shared.web.bodies.bounds import BodyBound, BodyBounds
from shared.web.bodies.guard import BodyRefusal
from shared.web.language import JSONAnswer
from station.access.identity import VISITOR
from station.access.roles import Role
from station.web.access import identity_of, role_refusal
from station.web.pages.backup.routes import MAX_UPLOAD_BYTES as MAX_BACKUP_BYTES
from station.web.pages.racers.routes import MAX_UPLOAD_BYTES as MAX_ROSTER_BYTES
from station.web.pages.uploads import MAX_FORM_BYTES

STATION_BODIES = BodyBounds(
    (
        BodyBound("POST", "/api/v1/stop", sender="nobody"),
        BodyBound("POST", "/api/v1/stop/release", sender="nobody"),
        BodyBound("POST", "/api/v1/screens/here", sender="anybody"),
        BodyBound("POST", "/claim", sender="anybody"),
        BodyBound("POST", "/pair", sender="anybody"),
        BodyBound("POST", "/sign-in", sender="anybody"),
        BodyBound("POST", "/sign-out", sender="anybody"),  # also once the session has ended
        BodyBound("POST", "/racers/preview", MAX_ROSTER_BYTES, within_s=60.0, at_once=4),
        BodyBound("POST", "/racers/import", MAX_ROSTER_BYTES, within_s=60.0, at_once=4),
        BodyBound("POST", "/tracks/upload", MAX_TRACK_BYTES + MAX_FORM_BYTES, within_s=120.0, at_once=4),
        BodyBound(
            "POST", "/backup/upload", MAX_BACKUP_BYTES + MAX_FORM_BYTES, within_s=3600.0, silence_s=30.0, at_once=1
        ),
    )
)


async def body_refusal(scope: Scope, bound: BodyBound) -> BodyRefusal | None:
    """Why a body of this sender is not taken; None if it is."""
    identity = identity_of(HTTPConnection(scope))
    if bound.sender == "anybody" or identity != VISITOR:
        return None
    refused = role_refusal(identity, Role.RACER)
    assert refused is not None, "a visitor has no role"
    return BodyRefusal(*refused)


async def body_answer(_scope: Scope, refused: BodyRefusal) -> Response:
    """The refusal in the form of the station's other answers."""
    return JSONAnswer({"error": refused.sentence}, refused.status)
