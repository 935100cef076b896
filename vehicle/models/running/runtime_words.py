"""Says in our own words why ONNX or its runtime refuses a model: what is wrong, and what to do about it.

Used by onnx_check.py, session.py, timing.py and policy.py. The libraries' own words go to the log: they name lines of
their source and values inside the graph, which mean nothing to a racer. Of a model's text nothing is quoted but the
names of operators that the car knows.
"""

import logging
import re

from shared.text import Sentence, text
from vehicle.models.memory_limit import too_much_memory
from vehicle.models.running.allowed_operators import OPS

_log = logging.getLogger(__name__)
# How the libraries name an operator: shape inference, ONNX Runtime while it loads, and while it computes.
_OPERATORS = re.compile(
    r"op_type:(\w+)|optype (\w+)|In Node, \(\"[^\"]*\", (\w+),|implementation for (\w+)\(|running (\w+) node"
)
_MEMORY = ("bad_alloc", "bad allocation", "Failed to allocate memory", "Unable to allocate")
_LOGGED = 2000


def shapes_do_not_fit(error: Exception) -> Sentence:
    """What is said when the shapes or types inside a model contradict each other (onnx.shape_inference)."""
    operator = _operator(error)
    if operator:
        return text(
            "The model's shapes or types do not fit together at its operator {operator}: export it again.",
            operator=operator,
        )
    return text("The model's shapes or types do not fit together: export it again.")


def cannot_load(error: Exception) -> Sentence:
    """What is said when ONNX Runtime does not load a model."""
    if _wants_memory(error):
        return too_much_memory()
    operator = _operator(error)
    if operator:
        return text(
            "The car's runtime cannot run the model's operator {operator} as it is set up: export it again, with other "
            "settings or another opset.",
            operator=operator,
        )
    return text("The car's runtime cannot load the model: export it again, with other settings or another opset.")


def cannot_run(error: Exception) -> Sentence:
    """What is said when ONNX Runtime loaded a model and fails to compute it."""
    if _wants_memory(error):
        return too_much_memory()
    operator = _operator(error)
    if operator:
        return text("its operator {operator} cannot be computed: export it again.", operator=operator)
    return text("it cannot be computed: export it again.")


def _wants_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or any(words in str(error) for words in _MEMORY)


def _operator(error: Exception) -> str:
    """The first operator that the libraries' words name, "" if none that the car knows."""
    _log.info("%s", str(error)[:_LOGGED])
    found = _OPERATORS.search(str(error))
    name = next(filter(None, found.groups()), "") if found else ""
    return name if name in OPS else ""
