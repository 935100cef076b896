"""Opens a model in ONNX Runtime with the settings of a car: one thread, no busy waiting, no log.

With the runtime's defaults idle threads spin and use up a core at 30 Hz; one thread needs a few per cent.
"""

import pathlib
from typing import Any

import onnxruntime as ort

from shared.errors import BadInput
from shared.text import text

_LOG_FATAL = 4


def open_session(model: bytes | pathlib.Path) -> ort.InferenceSession:
    """Loads a checked model from its bytes, or from its file, which saves a copy in memory. Raises BadInput."""
    source = model if isinstance(model, bytes) else str(model)
    try:
        return ort.InferenceSession(source, _options(), providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors have no public base class
        sentence = str(error).split("\n")[0]
        if isinstance(model, pathlib.Path):
            sentence = sentence.replace(f"{model.parent}/", "")  # the path of the folder means nothing to a racer
        sentence = sentence[:200]
        raise BadInput(text("The runtime cannot load the model ({sentence}).", sentence=sentence)) from None


def _options() -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = _LOG_FATAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    return options
