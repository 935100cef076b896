"""Runs all probes against an endpoint. Called by `raceday vendor check`."""

from collections.abc import Callable, Iterator

from pydantic import TypeAdapter, ValidationError

from shared.errors import BadInput, OperatorError
from shared.protocol.results import PostDeferred
from shared.rules.ranking import RaceRules
from station.vendor import body_probes, identity_probes, signature_probes
from station.vendor.endpoint import Endpoint
from station.vendor.made_results import ResultMaker
from station.vendor.probe import Probe, ProbeResult, run_probe

PROBES: tuple[Probe, ...] = (*identity_probes.PROBES, *signature_probes.PROBES, *body_probes.PROBES)
_RULES = TypeAdapter(RaceRules)


def check(
    endpoint: Endpoint, make: ResultMaker, only: str = "", before: Callable[[Probe], None] = lambda _probe: None
) -> Iterator[ProbeResult]:
    """Run the probes in their order; `only`: those whose name holds this; `before` is told of each.

    Raises OperatorError if nothing answers at all, BadInput if `only` names none.
    """
    chosen = [probe for probe in PROBES if only in probe.name]
    if not chosen:
        raise BadInput(f"No probe is called {only!r}; there are: {', '.join(probe.name for probe in PROBES)}.")
    reply = endpoint.request("GET", "/")
    if isinstance(reply, PostDeferred):
        raise OperatorError(f"The endpoint cannot be checked: {reply.reason}")
    for probe in chosen:
        before(probe)
        yield run_probe(probe, endpoint, make)


def rules_of(endpoint: Endpoint, race_id: str, given: RaceRules | None) -> RaceRules:
    """The race's rules: as `given`, else as the endpoint shows them, else the default ones.

    Raises OperatorError if the endpoint says that it has no such race.
    """
    if given is not None:
        return given
    reply = endpoint.get(f"/api/v1/races/{race_id}")
    if isinstance(reply, PostDeferred):
        raise OperatorError(f"The endpoint cannot be checked: {reply.reason}")
    document = endpoint.race(race_id)
    if document is None or "rules" not in document:
        return RaceRules()
    try:
        return _RULES.validate_python(document["rules"])
    except ValidationError:
        raise BadInput(f"The rules that the endpoint shows of {race_id!r} are unknown; give them by --rules.") from None
