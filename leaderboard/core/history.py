"""The history of a racer's place: the rank after each result that changed it. Pure; called by profiles/history.py.

It is told from the results that count today, in the order in which they were accepted: a result that was disqualified
or is beyond a quota never counted, so the last step is always the place in the standing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from leaderboard.core.rank import RankKey
from leaderboard.core.states import AttemptState

MAX_STEPS = 500


@dataclass(frozen=True, slots=True)
class AcceptedRevision:
    """A revision of a result as it was accepted. `state`: how it stands; that of a result is its newest.

    `score_ms` None: it has no score.
    """

    seq: int
    result_id: str
    revision: int
    racer: str
    score_ms: int | None
    set_utc_ns: int
    accepted_utc_ns: int
    state: AttemptState = "ranked"


@dataclass(frozen=True, slots=True)
class PlaceStep:
    """The place from this time on. `rank` and `score_ms` None: none any more. `racers`: how many were ranked then.

    `own`: the racer's own result changed the place, not another's.
    """

    at_utc_ns: int
    rank: int | None
    racers: int
    score_ms: int | None
    own: bool


def place_history(revisions: Sequence[AcceptedRevision], racer: str, limit: int = MAX_STEPS) -> list[PlaceStep]:
    """The steps of the racer's place in one table of a race, the earliest first: the last `limit` of them."""
    table = _Table(racer)
    steps: list[PlaceStep] = []
    before: tuple[int | None, int | None] = (None, None)
    for revision in sorted(_counting(revisions), key=lambda each: each.seq):
        own = table.take(revision)
        now = (table.rank, table.score_ms)
        if now != before:
            steps.append(PlaceStep(revision.accepted_utc_ns, *now[:1], len(table.best), now[1], own))
            before = now
    return steps[-limit:]


def _counting(revisions: Iterable[AcceptedRevision]) -> list[AcceptedRevision]:
    newest: dict[str, AcceptedRevision] = {}
    known = list(revisions)
    for each in known:
        if each.result_id not in newest or newest[each.result_id].revision < each.revision:
            newest[each.result_id] = each
    return [each for each in known if newest[each.result_id].state == "ranked"]


class _Table:
    """The best run of each racer after some results, and how many are ahead of the one in question."""

    def __init__(self, racer: str) -> None:
        self._racer = racer
        self._order: dict[str, int] = {}  # of a result: when it was first accepted
        self._newest: dict[str, AcceptedRevision] = {}
        self._runs: dict[str, dict[str, RankKey]] = {}
        self.best: dict[str, RankKey] = {}
        self._ahead = 0

    @property
    def rank(self) -> int | None:
        return self._ahead + 1 if self._racer in self.best else None

    @property
    def score_ms(self) -> int | None:
        own = self.best.get(self._racer)
        return None if own is None else own[0]

    def take(self, revision: AcceptedRevision) -> bool:
        """Count a revision; whether it was or is the racer's own."""
        result_id = revision.result_id
        order = self._order.setdefault(result_id, revision.seq)
        old = self._newest.get(result_id)
        if old is not None and old.revision >= revision.revision:
            return False
        self._newest[result_id] = revision
        racers = {revision.racer} if old is None else {old.racer, revision.racer}
        if old is not None:
            self._runs[old.racer].pop(result_id, None)
        runs = self._runs.setdefault(revision.racer, {})
        if revision.score_ms is not None:
            runs[result_id] = (revision.score_ms, revision.set_utc_ns, order)
        for racer in racers:
            self._rank_again(racer)
        return self._racer in racers

    def _rank_again(self, racer: str) -> None:
        before, now = self.best.pop(racer, None), min(self._runs[racer].values(), default=None)
        if now is not None:
            self.best[racer] = now
        own = self.best.get(self._racer)
        if racer == self._racer:
            self._ahead = 0 if own is None else sum(key < own for key in self.best.values())
        elif own is not None:
            self._ahead += (now is not None and now < own) - (before is not None and before < own)
