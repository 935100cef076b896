"""Opens a model in ONNX Runtime with the settings of a car: one thread, no busy waiting, no log.

With the runtime's defaults idle threads spin and use up a core at 30 Hz; one thread needs a few per cent.

On x86 numbers below 1e-38 (denormals) take a hundred times as long as others. `flushes_denormals` has the processor
take them for zero, in this thread and for Python's own numbers too: it is for a process that drives or tries a model,
and for no simulation. ONNX Runtime can do so on x86 only, and obeys the first session of a process.
"""

import pathlib
from typing import Any

import onnxruntime as ort

from shared.errors import BadInput
from vehicle.models.running.runtime_words import cannot_load

_LOG_FATAL = 4


def open_session(model: bytes | pathlib.Path, flushes_denormals: bool = False) -> ort.InferenceSession:
    """Loads a checked model from its bytes, or from its file, which saves a copy in memory. Raises BadInput."""
    source = model if isinstance(model, bytes) else str(model)
    try:
        return ort.InferenceSession(source, _options(flushes_denormals), providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors have no public base class
        raise BadInput(cannot_load(error)) from None


def _options(flushes_denormals: bool) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = _LOG_FATAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    if flushes_denormals:
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
    return options
