"""Whose results are right: nodes are grouped by the trace of their canary, and now and then another one repeats a run.

The same model, conditions and seed give the same trace on machines of one class, bit for bit. A node whose memory,
build or arithmetic is wrong may pass the canary; so one evaluation in fifty of each node is driven again by another
node of its class. Which one, the node cannot tell beforehand; that there is one in each fifty is certain, so that a
node that drives wrongly is found within its first hundred evaluations, always and not only on the average.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

REPEAT_EACH = 50
CLASS_CHARACTERS = 12


def class_of(canary_sha256: str) -> str:
    """The class of a node whose canary left this trace: nodes of one class are compared, others never."""
    return canary_sha256[:CLASS_CHARACTERS]


def repeat_is_due(secret: str, node: str, count: int, repeated_at: int) -> bool:
    """Whether the node's evaluation number `count` (from 1) is to be repeated by another node.

    `repeated_at`: the number of the last one that was, 0 for none. If nobody could repeat one of the fifty before,
    the next is due at once.
    """
    block, last = _block(count), _block(repeated_at) if repeated_at else -1
    if last >= block:
        return False
    return last < block - 1 or (count - 1) % REPEAT_EACH >= _place(secret, node, block)


def _block(count: int) -> int:
    return (count - 1) // REPEAT_EACH


def _place(secret: str, node: str, block: int) -> int:
    digest = hashlib.sha256(f"{secret}\n{node}\n{block}".encode()).digest()
    return int.from_bytes(digest[:4]) % REPEAT_EACH


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the traces of one run say: `agree`; `ask` another node; or `differ`, and whose drive was `wrong`.

    `trace_sha256`: the trace that is right, "" while it is not known.
    """

    kind: Literal["agree", "ask", "differ"]
    trace_sha256: str = ""
    wrong: frozenset[str] = frozenset()


def judge(traces: Mapping[str, str]) -> Judgement:
    """Judge by the trace of each node that has driven the run: what most have, and at least two, is right."""
    assert len(traces) >= 2, "one node alone says nothing about itself"
    (trace, votes), *others = Counter(traces.values()).most_common()
    if not others:
        return Judgement("agree", trace)
    if votes < 2 or 2 * votes <= len(traces):
        return Judgement("ask")
    return Judgement("differ", trace, frozenset(node for node, its in traces.items() if its != trace))
