"""What the JSON of conditions, seeds and farms looks like; OpenAPI is made from these. Times are UTC."""

from dataclasses import dataclass
from typing import Any, Literal

from leaderboard.core.evaluations.seeds import RaceSeeds
from leaderboard.evaluations.race_conditions import ShownConditions
from leaderboard.evaluations.service import FarmState
from leaderboard.scored_laps import utc_text
from leaderboard.store.evaluations.node_rows import NodeState
from shared.conditions import Conditions

# ready: heard lately; away: not heard for ten minutes; aside: its results were wrong
NodeWord = Literal["ready", "away", "aside"]


@dataclass(frozen=True, slots=True)
class ConditionsShape:
    """The conditions that a race's submissions are driven by. `canonical`: the text that `sha256` is of.

    `seeds_commitment`: the SHA-256 of what `seeds` will tell once the race is closed; "" until it opens.
    """

    race_id: str
    sha256: str
    canonical: str
    conditions: Conditions
    seeds_commitment: str


@dataclass(frozen=True, slots=True)
class SeedsShape:
    """The seeds of a closed race: of run 1, 2, ...; `commitment` is the SHA-256 of `canonical`, and was published."""

    race_id: str
    race: tuple[int, ...]
    final: tuple[int, ...]
    salt: str
    canonical: str
    commitment: str


@dataclass(frozen=True, slots=True)
class NodeShape:
    """A machine of a farm. `node_class`: nodes of one class drive alike; `reason`: why it is set aside."""

    name: str
    farm: str
    state: NodeWord
    reason: str
    node_class: str
    engine: str
    cores: int
    seen_at: str
    evaluations: int
    running: int


@dataclass(frozen=True, slots=True)
class FarmShape:
    """How the farms stand: their nodes, submissions that wait by race, runs, and what the last hour brought.

    Races that the caller does not organise are counted together, as "".
    """

    nodes: tuple[NodeShape, ...]
    waiting: dict[str, int]
    runs_waiting: int
    runs_running: int
    runs_last_hour: int
    work_last_hour_s: float


@dataclass(frozen=True, slots=True)
class RestoredNodes:
    """How many nodes may drive again."""

    restored: int


def conditions_shape(shown: ShownConditions) -> ConditionsShape:
    conditions = shown.conditions
    return ConditionsShape(shown.race.race_id, conditions.sha256, conditions.canonical(), conditions, shown.commitment)


def seeds_shape(seeds: RaceSeeds) -> SeedsShape:
    return SeedsShape(seeds.race_id, seeds.race, seeds.final, seeds.salt, seeds.canonical(), seeds.commitment)


def node_word(state: NodeState, seen_utc_ns: int, heard_since_utc_ns: int) -> NodeWord:
    if state == "aside":
        return "aside"
    return "ready" if seen_utc_ns >= heard_since_utc_ns else "away"


def farm_shape(state: FarmState) -> FarmShape:
    driving: dict[str, Any] = {}
    for run in state.running:
        driving[run.node] = driving.get(run.node, 0) + 1
    nodes = tuple(
        NodeShape(
            node.name,
            node.farm,
            node_word(node.state, node.seen_utc_ns, state.heard_since_utc_ns),
            node.reason,
            node.node_class,
            node.engine,
            node.cores,
            utc_text(node.seen_utc_ns),
            node.evaluations,
            driving.get(node.node, 0),
        )
        for node in state.nodes
    )
    return FarmShape(
        nodes, state.waiting, state.begun, len(state.running), state.hour.runs, round(state.hour.cost_ms / 1000, 1)
    )
