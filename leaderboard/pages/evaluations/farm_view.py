"""How the farms stand, in words and figures: nodes, what waits, what the last hour brought."""

from dataclasses import dataclass

from leaderboard.evaluations.service import FarmState
from leaderboard.scored_laps import utc_text
from leaderboard.store.evaluations.node_rows import FarmNode
from shared.text import Sentence, ntext, recorded, text
from shared.units import NS_PER_S


@dataclass(frozen=True, slots=True)
class NodeView:
    """A node. `word`: ready, away or aside, for its colour; `reason` "": nothing is wrong with it."""

    name: str
    farm: str
    word: str
    state: Sentence
    reason: str
    details: Sentence
    seen_at: str
    seen: Sentence


@dataclass(frozen=True, slots=True)
class FarmView:
    """The page. `figures`: label and value; `races`: of which submissions wait, and how many ("" for others)."""

    nodes: tuple[NodeView, ...]
    figures: tuple[tuple[Sentence, str], ...]
    races: tuple[tuple[str, Sentence], ...]


def farm_view(state: FarmState, now_utc_ns: int) -> FarmView:
    """The state in words."""
    ready = [node for node in state.nodes if _word(node, state) == "ready"]
    hour = state.hour
    mean = f"{hour.cost_ms / hour.runs / 1000:.1f} s" if hour.runs else "–"
    figures = (
        (text("Submissions that wait"), str(sum(state.waiting.values()))),
        (text("Runs that wait"), str(state.begun)),
        (text("Runs being driven"), str(len(state.running))),
        (text("Cores that are ready"), str(sum(node.cores for node in ready))),
        (text("Runs in the last hour"), str(hour.runs)),
        (text("Work of a run"), mean),
    )
    races = tuple(
        (race_id, ntext("{n} submission waits", "{n} submissions wait", n=count))
        for race_id, count in sorted(state.waiting.items())
    )
    return FarmView(tuple(_node(node, state, now_utc_ns) for node in state.nodes), figures, races)


_WORDS = {"ready": text("Ready"), "away": text("Not heard of"), "aside": text("Set aside")}


def _word(node: FarmNode, state: FarmState) -> str:
    if node.state == "aside":
        return "aside"
    return "ready" if node.seen_utc_ns >= state.heard_since_utc_ns else "away"


def _node(node: FarmNode, state: FarmState, now_utc_ns: int) -> NodeView:
    running = sum(run.node == node.node for run in state.running)
    word = _word(node, state)
    details = text(
        "{cores} cores · {running} running · {driven} driven · class {node_class} · {engine}",
        cores=node.cores,
        running=running,
        driven=node.evaluations,
        node_class=node.node_class,
        engine=node.engine,
    )
    return NodeView(
        node.name,
        node.farm,
        word,
        _WORDS[word],
        recorded(node.reason),
        details,
        utc_text(node.seen_utc_ns),
        _ago(max(0, now_utc_ns - node.seen_utc_ns) // NS_PER_S),
    )


def _ago(seconds: int) -> Sentence:
    if seconds < 120:
        return text("{n} s ago", n=seconds)
    if seconds < 7200:
        return text("{n} min ago", n=seconds // 60)
    return text("{n} h ago", n=seconds // 3600)
