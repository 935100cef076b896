"""The part of a frozen graph that computes the policy, in topological order, with constant branches inlined.

A policy with dropout or batch normalisation tests in every forward pass whether it is being trained. In a frozen graph
that condition is the constant false, so an `If` is replaced by the branch that is taken. (interpreter.py handles Switch
and Merge of TensorFlow 1.) A branch that depends on a picture is refused. Called by policy_head.py.
"""

from collections import ChainMap
from collections.abc import Mapping

import numpy as np

from shared.errors import BadInput
from shared.text import text
from vehicle.models.tensorflow.graphdef import MAX_NODES, Graph, Node, Ref

IFS = ("If", "StatelessIf")
PASSES = (
    "CheckNumerics",
    "EnsureShape",
    "Identity",
    "PlaceholderWithDefault",
    "PreventGradient",
    "Snapshot",
    "StopGradient",
)
_MAX_PASSES = 64


def policy_order(graph: Graph, output: str) -> list[Node]:
    """The nodes that `output` needs, each after its inputs. Raises BadInput for loops and missing nodes."""
    inlining = _Inlining(graph)
    return _sorted(inlining, output)


class _Inlining:
    """Nodes by name; an `If` is replaced by its branch on first use."""

    def __init__(self, graph: Graph) -> None:
        self._functions = graph.functions
        self._inlined: dict[str, Node] = {}
        self._outputs: dict[Ref, Ref] = {}
        self._nodes: Mapping[str, Node] = ChainMap(self._inlined, dict(graph.nodes))

    def node(self, name: str) -> Node:
        """The node of that name, with inputs that bypass every inlined `If`. Raises BadInput."""
        node = self._nodes.get(name)
        if node is None:
            raise BadInput(text("The graph refers to {name!r}, which it does not contain.", name=name[:80]))
        inputs = tuple(self._real(ref) for ref in node.inputs)
        control = tuple(one for one in node.control if one in self._nodes and self._nodes[one].op not in IFS)
        return Node(name, node.op, inputs, control, node.attributes)

    def _real(self, ref: Ref) -> Ref:
        """The output that really computes this value. Raises BadInput if branches are nested too deeply."""
        for _ in range(_MAX_PASSES):
            if ref in self._outputs:
                ref = self._outputs[ref]
                continue
            node = self._nodes.get(ref[0])
            if node is None or node.op not in IFS:
                return ref
            self._inline(node)
            if ref not in self._outputs:
                raise BadInput(
                    text("The graph refers to an output of {name!r} that does not exist.", name=node.name[:80])
                )
        raise BadInput(text("The graph's branches are nested too deeply."))

    def _inline(self, node: Node) -> None:
        """Replaces an `If` by the nodes of the branch that is taken. Raises BadInput."""
        if not node.inputs:
            raise BadInput(text("The branch {name!r} has no condition.", name=node.name[:80]))
        branch = node.attributes.get("then_branch" if self._condition(node) else "else_branch")
        function = self._functions.get(branch) if isinstance(branch, str) else None
        if function is None or len(function.parameters) != len(node.inputs) - 1:
            raise BadInput(
                text(
                    "The branch {name!r} calls a function that the file does not contain: export it again.",
                    name=node.name[-80:],
                )
            )
        given = dict(zip(function.parameters, node.inputs[1:], strict=True))

        def outer(ref: Ref) -> Ref:
            return given[ref[0]] if ref[0] in given else (f"{node.name}//{ref[0]}", ref[1])

        for inner in function.nodes:
            name = f"{node.name}//{inner.name}"
            control = tuple(f"{node.name}//{one}" for one in inner.control if one not in given)
            self._inlined[name] = Node(name, inner.op, tuple(map(outer, inner.inputs)), control, inner.attributes)
        if len(self._inlined) > MAX_NODES:
            raise BadInput(text("The graph has more than {max} nodes once its branches are inlined.", max=MAX_NODES))
        for number, ref in enumerate(function.returns):
            self._outputs[node.name, number] = outer(ref)

    def _condition(self, node: Node) -> bool:
        ref = node.inputs[0]
        for _ in range(_MAX_PASSES):
            source = self._nodes.get(self._outputs.get(ref, ref)[0])
            if source is not None and source.op in PASSES and source.inputs:
                ref = source.inputs[0]
                continue
            value = source.attributes.get("value") if source is not None and source.op == "Const" else None
            if isinstance(value, np.ndarray) and value.size == 1:
                return bool(value.item())
            break
        raise BadInput(text("The branch {name!r} depends on the sensors, which is not supported.", name=node.name[:80]))


def _sorted(nodes: _Inlining, output: str) -> list[Node]:
    """Topological order by depth-first search, with an explicit stack: a long chain must not exhaust Python's."""
    order: dict[str, Node] = {}
    open_: set[str] = set()
    stack: list[tuple[str, bool]] = [(output, False)]
    while stack:
        name, done = stack.pop()
        if done:
            open_.discard(name)
            order[name] = nodes.node(name)
            continue
        if name in order:
            continue
        if name in open_:
            raise BadInput(text("The graph has a cycle through {name!r}.", name=name[:80]))
        open_.add(name)
        node = nodes.node(name)
        stack.append((name, True))
        stack += [
            (needed, False) for needed in (*(ref[0] for ref in node.inputs), *node.control) if needed not in order
        ]
    return list(order.values())
