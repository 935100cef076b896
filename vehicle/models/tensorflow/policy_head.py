"""Finds the inputs and the output of the policy in a frozen graph, by rl_coach's names and the metadata's sensors.

The output is `.../network_1/ppo_head_0/policy` or `.../sac_policy_head_0/policy`, never another output of the head:
`policy_std` is the same for every picture. Called by converter.py. Source: aws-deepracer-community/deepracer-simapp,
aws-deepracer-model-optimizer-pkg.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from shared.errors import BadInput
from shared.text import text
from vehicle.models.metadata import Metadata
from vehicle.models.tensorflow.graphdef import Graph, Node
from vehicle.models.tensorflow.inlining import policy_order

HEADS = {"clipped_ppo": ("main", "ppo_head_0"), "sac": ("policy", "sac_policy_head_0")}
_HEAD = re.compile(r"(?:.*/)?main_level/[^/]+/(main|policy)/online/network_\d+/(ppo_head_0|sac_policy_head_0)/policy")
_PLACEHOLDERS = ("Placeholder", "PlaceholderV2")


@dataclass(frozen=True, slots=True)
class PolicyHead:
    """A policy in a graph. The last node of `order` is its output; `shapes` are (H, W, C) or (N,) by sensor.

    `free` are scalar placeholders without a value, such as the rescaler of gradients that rl_coach does not freeze.
    """

    output: str
    order: Sequence[Node]
    placeholders: dict[str, str]
    shapes: dict[str, tuple[int, ...]]
    free: tuple[str, ...] = ()


def find_head(graph: Graph, metadata: Metadata) -> PolicyHead:
    """The policy that the metadata describes. Raises BadInput if the graph has none, or several."""
    output = _output(graph, metadata)
    order = policy_order(graph, output)
    placeholders: dict[str, str] = {}
    free: list[str] = []
    for node in _value_nodes(order):
        if node.op in _PLACEHOLDERS:
            sensor = node.name.rsplit("/", 1)[-1]
            if sensor not in metadata.sensors and node.attributes.get("shape", ()) == () and _is_float(node):
                free.append(node.name)
                continue
            if sensor in placeholders:
                raise BadInput(text("The graph has two inputs for {sensor}.", sensor=sensor[:40]))
            _check_placeholder(node, sensor, metadata)
            placeholders[sensor] = node.name
    missing = [sensor for sensor in metadata.sensors if sensor not in placeholders]
    if missing:
        raise BadInput(text("The metadata names {names}, but the policy does not use it.", names=", ".join(missing)))
    sensors = sorted(placeholders)
    shapes = {sensor: metadata.shape_of(sensor) for sensor in sensors}
    return PolicyHead(output, order, {sensor: placeholders[sensor] for sensor in sensors}, shapes, tuple(free))


def _value_nodes(order: Sequence[Node]) -> list[Node]:
    """The nodes whose values reach the policy; nodes that are only control dependencies do not count."""
    reached = {order[-1].name}
    nodes = []
    for node in reversed(order):
        if node.name in reached:
            reached.update(name for name, _ in node.inputs)
            nodes.append(node)
    return nodes[::-1]


def _output(graph: Graph, metadata: Metadata) -> str:
    matches = [match for name in graph.nodes if (match := _HEAD.fullmatch(name))]
    if not matches:
        raise BadInput(text("The graph has no policy head of clipped_ppo or sac: it is not a DeepRacer model."))
    if len(matches) > 1:
        raise BadInput(text("The graph has {n} policy heads; it must have one.", n=len(matches)))
    if (matches[0][1], matches[0][2]) != HEADS[metadata.algorithm]:
        raise BadInput(
            text(
                "The graph's head is {head}, but its metadata says {algorithm}.",
                head=matches[0][2],
                algorithm=metadata.algorithm,
            )
        )
    if metadata.algorithm == "sac" and metadata.space.kind == "discrete":
        raise BadInput(text("The metadata says sac with discrete actions; sac answers continuous ones only."))
    return matches[0][0]


def _check_placeholder(node: Node, sensor: str, metadata: Metadata) -> None:
    if sensor not in metadata.sensors:
        sensors = ", ".join(metadata.sensors)
        raise BadInput(
            text("The policy uses {sensor!r}, but its metadata names {sensors}.", sensor=sensor[:40], sensors=sensors)
        )
    if not _is_float(node):
        raise BadInput(text("The input {sensor} is not float32.", sensor=sensor))
    shape, wanted = node.attributes.get("shape"), metadata.shape_of(sensor)
    if isinstance(shape, tuple) and shape and shape[1:] != wanted:
        given = "x".join(map(str, shape[1:]))
        raise BadInput(
            text(
                "The input {sensor} is {given}, but it must be {wanted}.",
                sensor=sensor,
                given=given,
                wanted="x".join(map(str, wanted)),
            )
        )


def _is_float(node: Node) -> bool:
    return node.attributes.get("dtype", 1) == 1
