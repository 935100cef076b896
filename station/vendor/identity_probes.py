"""Probes of identity and order: repeats, corrections, withdrawals, the order of arrival."""

from shared.protocol.results import Result
from station.vendor.endpoint import Endpoint, changed
from station.vendor.made_results import ResultMaker, withdrawn
from station.vendor.probe import Broken, NotOffered, Probe, accepted, answer, refused

_TOGETHER = 16
_ANSWERS, _ONCE, _BODY = "The answers", "What makes it exactly once", "The body"


def _first(endpoint: Endpoint, make: ResultMaker) -> None:
    result = make.result("first")
    reported = accepted(endpoint.post(result), "a first post", (201,))
    if reported["score_ms"] != result.score_ms:
        raise Broken(f"A run of {result.score_ms} ms is counted as {reported['score_ms']} ms: are the rules the same?")
    if reported["best"] is not True or not isinstance(reported["rank"], int) or reported["rank"] < 1:
        raise Broken(f"A racer's only run is not the best, or has no rank: {reported!r}.")


def _repeat(endpoint: Endpoint, make: ResultMaker) -> None:
    post = endpoint.signed(make.result("repeat"))
    first = answer(endpoint.post(post))
    accepted(first, "a first post", (201,))
    accepted(endpoint.post(make.result("between")), "another racer's post", (201,))
    for _ in range(2):
        again = answer(endpoint.post(post))
        accepted(again, "the same post again", (200,))
        if again.body != first.body:
            raise Broken(f"The repeat was answered {again.body[:100]!r}, the first post {first.body[:100]!r}.")


def _together(endpoint: Endpoint, make: ResultMaker) -> None:
    post = endpoint.signed(make.result("together"))
    replies = [answer(each) for each in endpoint.post_together([post] * _TOGETHER)]
    settled = [each for each in replies if each.status in (200, 201)]
    busy = [each for each in replies if each.status in (408, 425, 429, 503)]
    if len(settled) + len(busy) != len(replies) or not settled:
        raise Broken(f"{_TOGETHER} equal posts at once were answered {sorted({each.status for each in replies})}.")
    created = sum(each.status == 201 for each in settled)
    if created > 1:
        raise Broken(f"Of {_TOGETHER} equal posts at once {created} were answered 201: it was applied {created} times.")
    if len({each.body for each in settled}) != 1:
        raise Broken(f"{_TOGETHER} equal posts at once got {len({each.body for each in settled})} different answers.")
    again = answer(endpoint.post(post))
    accepted(again, "the same post after them", (200,))
    if again.body != settled[0].body:
        raise Broken("A repeat after posts at once has another answer than they had.")


def _other_body(endpoint: Endpoint, make: ResultMaker) -> None:
    post = endpoint.signed(make.result("other body"))
    accepted(endpoint.post(post), "a first post", (201,))
    refused(endpoint.post(changed(post, car="another")), (409,), "the same webhook-id with another body")
    accepted(endpoint.post(post), "the first body again", (200,))


def _correction(endpoint: Endpoint, make: ResultMaker) -> None:
    result = make.result("correction")
    accepted(endpoint.post(result), "a first post", (201,))
    later = make.corrected(result, 700, revision=4)
    reported = accepted(endpoint.post(later), "a correction", (201,))
    if reported["score_ms"] != later.score_ms:
        raise Broken(f"A correction to {later.score_ms} ms is counted as {reported['score_ms']} ms.")
    _shows(endpoint, later, later.score_ms)


def _late_revision(endpoint: Endpoint, make: ResultMaker) -> None:
    result = make.result("late revision")
    newest = make.corrected(result, 500, revision=3)
    accepted(endpoint.post(newest), "revision 3, which comes first", (201,))
    accepted(endpoint.post(result), "revision 1, which comes after revision 3", (201,))
    accepted(endpoint.post(make.corrected(result, 200, revision=2)), "revision 2, which comes after revision 3", (201,))
    _shows(endpoint, newest, newest.score_ms)


def _withdrawal(endpoint: Endpoint, make: ResultMaker) -> None:
    result = make.result("withdrawal")
    accepted(endpoint.post(result), "a first post", (201,))
    reported = accepted(endpoint.post(withdrawn(result)), "a withdrawal", (201,))
    if reported["score_ms"] is not None:
        raise Broken(f"A withdrawn result has `score_ms` {reported['score_ms']!r}; the contract says null.")
    _shows(endpoint, result, None)


def _discarded(endpoint: Endpoint, make: ResultMaker) -> None:
    result = make.result("discarded")
    accepted(endpoint.post(result), "a first post", (201,))
    reported = accepted(endpoint.post(withdrawn(result, discarded=True)), "a discarded run", (201,))
    if reported["score_ms"] is not None:
        raise Broken(f"A discarded run has `score_ms` {reported['score_ms']!r}; the contract says null.")


def _best_counts(endpoint: Endpoint, make: ResultMaker) -> None:
    better, worse = make.result("two runs", 100), make.result("two runs", 900, after_s=60)
    accepted(endpoint.post(better), "a first run", (201,))
    reported = accepted(endpoint.post(worse), "a slower second run", (201,))
    if reported["best"] is not False:
        raise Broken("A racer's slower second run is answered as the best one.")
    _shows(endpoint, better, better.score_ms)


def _tie(endpoint: Endpoint, make: ResultMaker) -> None:
    late, early = make.result("tie, late", 40, after_s=90), make.result("tie, early", 40)
    accepted(endpoint.post(late), "the run that was finished later", (201,))
    accepted(endpoint.post(early), "the run that was finished earlier", (201,))
    rows = [_row(endpoint, each) for each in (early, late)]
    ranks = [row.get("rank") for row in rows]
    if not all(isinstance(rank, int) for rank in ranks) or ranks[0] >= ranks[1]:  # type: ignore[operator]
        raise Broken(f"Of two equal scores the earlier run has rank {ranks[0]}, the later one {ranks[1]}.")


def _one_racer(endpoint: Endpoint, make: ResultMaker) -> None:
    first = make.result("Zoë")
    accepted(endpoint.post(first), "a racer with an accent", (201,))
    row = _row(endpoint, first)
    if row.get("racer") != first.racer:
        raise Broken(f"The racer {first.racer!r} is shown as {row.get('racer')!r}.")


def _row(endpoint: Endpoint, result: Result) -> dict[str, object]:
    row = endpoint.standing_of(result.race_id, result.racer)
    if row is None:
        raise NotOffered("It shows no standing at /api/v1/races/ID/standings, which is optional.")
    if not row:
        raise Broken(f"The racer {result.racer!r} is not in the standing.")
    return row


def _shows(endpoint: Endpoint, result: Result, score_ms: int | None) -> None:
    """Check the racer's score in the standing, if the endpoint shows one."""
    row = endpoint.standing_of(result.race_id, result.racer)
    if row is None:
        return
    shown = row.get("score_ms") if row else None
    if shown != score_ms:
        raise Broken(f"The standing shows {shown!r} ms for {result.racer!r}; it should be {score_ms!r}.")


PROBES = (
    Probe("first-post", _ANSWERS, "201: applied now, with best, racers, rank and score_ms", _first),
    Probe("repeat", _ANSWERS, "200: applied before under this webhook-id: the same body as the first time", _repeat),
    Probe("equal-posts-at-once", _ONCE, "store id, answer and effect in one transaction", _together),
    Probe("same-id-other-body", _ANSWERS, "409: this webhook-id was used with another body", _other_body),
    Probe("correction", _BODY, "a correction has a higher revision and replaces the lower ones", _correction),
    Probe("late-revision", _ONCE, "a lower revision after a higher one: 201, and no standing changes", _late_revision),
    Probe("withdrawal", _BODY, "a revision of 2 or more with score_ms 0 withdraws the result", _withdrawal),
    Probe("discarded", _BODY, "discarded: the run is no attempt of the racer's any more", _discarded),
    Probe("best-counts", _ANSWERS, "best: whether this result is the one that holds the rank", _best_counts),
    Probe("tie", _BODY, "finished_utc_ns decides ties, however late the post comes", _tie),
    Probe("names", _BODY, "racer: who drove, as the racer writes the name", _one_racer),
)  # fmt: skip
