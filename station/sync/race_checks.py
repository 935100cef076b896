"""Whether the leaderboard is ready for each race that the station holds: asked, offered and remembered.

Called by syncer.py before it posts. A race is asked about when the station opens it or changes its rules, and then at
an interval until the leaderboard is ready for it; one that it lacks, or ranks by other rules, is offered to it. Of the
races that are settled one is asked about each minute all the same, so that officials see whether it still answers.
"""

import functools
import json
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from shared.protocol.races import RaceOffer
from shared.text import text
from shared.units import NS_PER_S
from station.store.event_files.race_offers import RaceOffers
from station.sync.attempts import AttemptStore
from station.sync.leaderboard_check import Target

_WRONG = ("missing", "differs")
CHECK_AGAIN_NS = 15 * NS_PER_S
STILL_THERE_NS = 60 * NS_PER_S


@runtime_checkable
class RaceChecker(Protocol):
    """A driver that can say whether the leaderboard knows a race; a third-party driver need not be able to."""

    def target(self, offer: RaceOffer) -> Target:
        """What the leaderboard knows of this race, and whether it ranks alike."""


@runtime_checkable
class RaceCreator(Protocol):
    """A driver that can offer a race to the leaderboard, which may create or change it."""

    def offer(self, offer: RaceOffer, known: Target) -> Target:
        """What the leaderboard knows of this race once it was offered; before, `known` was."""


def no_races() -> RaceOffers:
    """The default: the station offers nothing."""
    return RaceOffers()


class RaceChecks:
    """What is known of the races at one leaderboard; `offers` reads what the station holds now."""

    def __init__(
        self,
        leaderboard: object,
        offers: Callable[[], RaceOffers],
        attempts: AttemptStore,
        utc_ns: Callable[[], int],
        log: Callable[[str], None],
        became_ready: Callable[[str], None],
    ) -> None:
        """`became_ready` is called with a race that is ready now, and was not known to be or was not."""
        self._became_ready = became_ready
        self._leaderboard, self._offers = leaderboard, offers
        self._attempts, self._utc_ns, self._log = attempts, utc_ns, log
        self._asked: dict[str, tuple[RaceOffer, Target]] = {}  # the last answer, and for which offer
        self._ask_at_ns: dict[str, int] = {}
        self._tested = False  # an official wants to see an answer, also if it is the same
        self._logged: dict[str, str] = {}

    def ask_again(self, *, tested: bool = False) -> None:
        """Asks about every race once more; `tested`: an official waits for the answer, so it is recorded anyway."""
        self._asked.clear()
        self._ask_at_ns.clear()
        self._tested = self._tested or tested

    def ask_soon(self, race_id: str, now_ns: int) -> None:
        """Asks about this race again: a result of it was rejected."""
        if race_id in self._asked:
            offer, target = self._asked[race_id]
            self._asked[race_id] = offer, Target(race_id, "unreachable", target.detail)
            self._ask_at_ns[race_id] = now_ns

    def missing(self) -> frozenset[str]:
        """The races of which the leaderboard said that it does not have them: their results wait until it has."""
        return frozenset(race_id for race_id, (_, target) in self._asked.items() if target.readiness == "missing")

    def check(self, now_ns: int, before_post_of: str = "") -> None:
        """Asks about one race whose turn it is.

        What was posted before it was ready, as when sync starts before its station, may have met no race there: so
        `became_ready` is called, and only then is it recorded that it is. A `kill -9` between the two repeats the call.

        `before_post_of`: a result of this race is about to be posted, so it is asked about first if its rules changed.
        """
        if not isinstance(self._leaderboard, RaceChecker):
            return
        offers = self._offers()
        ordered = sorted(
            offers.races, key=lambda each: (each.race_id != before_post_of, each.race_id != offers.current)
        )
        due = next((each for each in ordered if self._due(each, now_ns, before_post_of)), None)
        if due is None:
            due = self._still_there(offers, now_ns)
        if due is None:
            self._tested = False
            return
        target = self._target(self._leaderboard, due)
        before = self._attempts.last_answer(due.race_id)
        if target.readiness == "ready" and (before is None or before.readiness in _WRONG):
            self._became_ready(due.race_id)
        self._asked[due.race_id] = due, target
        self._ask_at_ns[due.race_id] = now_ns + (STILL_THERE_NS if target.settled else CHECK_AGAIN_NS)
        self._attempts.record_target(target, self._utc_ns(), again=self._tested)
        if target.settled:
            self._attempts.record_same_answer(due.race_id, self._utc_ns())
        if target.sentence != self._logged.get(due.race_id):
            self._log(target.sentence)
        self._logged[due.race_id] = target.sentence

    def _due(self, offer: RaceOffer, now_ns: int, before_post_of: str) -> bool:
        asked, target = self._asked.get(offer.race_id, (None, None))
        if asked != offer or target is None:
            return True
        if target.readiness == "unreachable" and offer.race_id == before_post_of and not target.answered:
            return True
        return not target.settled and now_ns >= self._ask_at_ns.get(offer.race_id, 0)

    def _still_there(self, offers: RaceOffers, now_ns: int) -> RaceOffer | None:
        """The settled race that is asked about again now: the one that is on, else the first; None if it is not due."""
        on = next((each for each in offers.races if each.race_id == offers.current), None)
        offer = on or next(iter(offers.races), None)
        return offer if offer is not None and now_ns >= self._ask_at_ns.get(offer.race_id, 0) else None

    def _target(self, checker: RaceChecker, offer: RaceOffer) -> Target:
        """What is known of the race; one that is wrong is offered, or the secret proved in a test."""
        found = self._reported(offer, lambda: checker.target(offer))
        if found.readiness in _WRONG:
            self._note_wrong(found)
        wanted = found.readiness in _WRONG or (self._tested and found.readiness == "ready")
        creator = self._leaderboard
        if wanted and isinstance(creator, RaceCreator):
            return self._reported(offer, lambda: creator.offer(offer, found))
        return found

    def _note_wrong(self, found: Target) -> None:
        """Records it before it is offered: who is killed after that learns at the next start that it was so."""
        before = self._attempts.last_answer(found.race_id)
        if before is None or before.readiness not in _WRONG:
            self._attempts.record_target(found, self._utc_ns())

    def _reported(self, offer: RaceOffer, ask: Callable[[], Target]) -> Target:
        try:
            return ask()
        except Exception as error:  # a third-party driver: its bug stops neither the posts nor the loop
            return Target(offer.race_id, "unreachable", driver_failed(error))


@functools.lru_cache(maxsize=4096)
def race_of(payload: bytes) -> str:
    """The race of an outbox row's result; "" if the row is damaged."""
    try:
        race_id = json.loads(payload)["race_id"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""
    return race_id if isinstance(race_id, str) else ""


def driver_failed(error: Exception) -> str:
    """What is logged of an error in a leaderboard's driver, which may be a stranger's: safe for a log and a page."""
    printable = "".join(sign for sign in str(error) if sign.isprintable())[:200]
    return text("The leaderboard's driver failed ({kind}: {error}).", kind=type(error).__name__, error=printable)
