"""How long the bodies of an app's requests may be, how long they may take, and who may send them. Pure.

Each web app has one table of the routes that differ from the default (`body_table.py` of station, car and leaderboard);
`BodyGuard` (guard.py) holds every request to it before the app reads anything.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from starlette.routing import compile_path

SMALL_BYTES = 16_384
SMALL_WITHIN_S = 10.0
SILENCE_S = 10.0
_QUESTIONS = ("GET", "HEAD", "OPTIONS")

# known: whoever has a session or shows a key that is valid; signer: also who shows a signature, which can only be
# checked with the body; anybody: who is about to sign in. nobody: the body is never read, whatever it holds.
BodySender = Literal["known", "signer", "anybody", "nobody"]


@dataclass(frozen=True, slots=True)
class BodyBound:
    """What one route takes. `path` is written as in the route: "/races/{race_id}/picture".

    `within_s`: from the first wait for the body to its end; `silence_s`: the longest pause in it. `at_once`: how many
    such requests may be in work at the same time, from the body to the answer; 0: any number.
    """

    method: str
    path: str
    max_bytes: int = SMALL_BYTES
    within_s: float = SMALL_WITHIN_S
    silence_s: float = SILENCE_S
    sender: BodySender = "known"
    at_once: int = 0


class BodyBounds:
    """The table of one app: its exceptions, and the default for all other requests."""

    def __init__(self, exceptions: Iterable[BodyBound] = ()) -> None:
        self.exceptions = tuple(exceptions)
        self._patterns = [(each.method, compile_path(each.path)[0], each) for each in self.exceptions]
        self._default, self._unread = BodyBound("", ""), BodyBound("", "", sender="nobody")

    @property
    def longest_s(self) -> float:
        """The longest that any body may take: no connection may be closed before."""
        return max((each.within_s for each in self.exceptions), default=SMALL_WITHIN_S)

    def of(self, method: str, path: str) -> BodyBound:
        """The bound for a request; of several that fit, the first in the table. No question has a body that is read."""
        if method in _QUESTIONS:
            return self._unread
        for of_method, pattern, bound in self._patterns:
            if of_method == method and pattern.match(path):
                return bound
        return self._default
