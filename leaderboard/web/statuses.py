"""Which HTTP status a refusal has, for the API and for pages."""

from leaderboard.core.errors import Conflict, Gone, NotAllowed, NotHere, RateLimited, Unauthorized
from leaderboard.core.live.newest import TooOften
from leaderboard.web.bodies import BodyTooLarge, BodyTooSlow
from shared.errors import BadInput, RacedayError, Refused, RetryLater, StorageError
from shared.webhooks import BadSignature

# The first class that matches decides; a 429 or 503 carries Retry-After.
STATUSES: tuple[tuple[type[RacedayError], int], ...] = (
    (Unauthorized, 401),
    (BadSignature, 401),
    (BodyTooLarge, 413),
    (BodyTooSlow, 408),
    (NotHere, 404),
    (Gone, 410),
    (Conflict, 409),
    (NotAllowed, 403),
    (Refused, 422),
    (BadInput, 422),
    (TooOften, 429),
    (StorageError, 503),
    (RateLimited, 429),
    (RetryLater, 503),
)


def status_of(error: Exception) -> int:
    """The status of this error; 500 for a bug of ours."""
    return next((status for kind, status in STATUSES if isinstance(error, kind)), 500)
