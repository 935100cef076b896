"""A probe: one sentence of the contract, and what is posted to see whether an endpoint keeps it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from shared.protocol.results import PostDeferred
from shared.web.http_exchange import Reply
from station.vendor.endpoint import Endpoint, object_of
from station.vendor.made_results import ResultMaker

Outcome = Literal["pass", "fail", "skip"]


class Broken(Exception):  # the endpoint's fault, told by its sentence
    """The endpoint did not do what the contract says; the sentence says what it did."""


class NotOffered(Exception):
    """The endpoint has not the optional part that the probe needs."""


@dataclass(frozen=True, slots=True)
class Probe:
    """`line`: the contract's words, as in docs/vendor.md; `section`: where they stand there."""

    name: str
    section: str
    line: str
    run: Callable[[Endpoint, ResultMaker], None]


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What came of a probe: `detail` is empty if it passed."""

    probe: Probe
    outcome: Outcome
    detail: str = ""


def run_probe(probe: Probe, endpoint: Endpoint, make: ResultMaker) -> ProbeResult:
    """Run one probe."""
    try:
        probe.run(endpoint, make)
    except Broken as broken:
        return ProbeResult(probe, "fail", str(broken))
    except NotOffered as missing:
        return ProbeResult(probe, "skip", str(missing))
    return ProbeResult(probe, "pass")


def answer(reply: Reply | PostDeferred) -> Reply:
    """The reply. Raises Broken if none arrived."""
    if isinstance(reply, PostDeferred):
        raise Broken(f"There was no complete answer within 10 s: {reply.reason}")
    return reply


def expect(reply: Reply | PostDeferred, statuses: Iterable[int], what: str) -> Reply:
    """The reply, if its status is one of these. Raises Broken."""
    got, allowed = answer(reply), tuple(statuses)
    if got.status not in allowed:
        wanted = " or ".join(str(status) for status in allowed)
        raise Broken(f"{what} was answered {got.status}{_reported(got)}; the contract says {wanted}.")
    return got


def accepted(reply: Reply | PostDeferred, what: str, statuses: Iterable[int] = (200, 201)) -> dict[str, object]:
    """The body of an accepting answer, with its four fields. Raises Broken."""
    got = expect(reply, statuses, what)
    document = object_of(got)
    if document is None:
        raise Broken(f"The answer to {what} is not a JSON object: {got.body[:80]!r}.")
    for field, kinds in _ACCEPTED.items():
        value = document.get(field, _MISSING)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            shown = "is missing" if value is _MISSING else f"is {value!r}"
            raise Broken(f"In the answer to {what} `{field}` {shown}.")
    return document


def refused(reply: Reply | PostDeferred, statuses: Iterable[int], what: str) -> str:
    """The sentence of a refusal. Raises Broken."""
    got = expect(reply, statuses, what)
    document = object_of(got)
    sentence = None if document is None else document.get("error")
    if not isinstance(sentence, str) or " " not in sentence.strip():
        raise Broken(
            f'{what} was answered {got.status} without {{"error": "One sentence for a person."}}{_reported(got)}.'
        )
    return sentence


_MISSING = object()
_ACCEPTED: dict[str, tuple[type, ...]] = {
    "best": (bool,),
    "racers": (int,),
    "rank": (int, type(None)),
    "score_ms": (int, type(None)),
}


def _reported(reply: Reply) -> str:
    document = object_of(reply)
    sentence = document.get("error") if document else None
    return f" ({str(sentence)[:120]!r})" if sentence else ""
