"""A checked model ready to drive: pictures in, the model's raw output out.

Called by the pilot for each frame: `policy.preprocess(frame.pixels)`, then `policy.answer()`.
"""

import dataclasses
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from shared.errors import BadInput
from vehicle.frames.preprocess import preprocessor
from vehicle.frames.profile_names import ProfileName
from vehicle.hardware.frame import Pixels
from vehicle.models.running.check import HEIGHT, WIDTH, CheckedModel
from vehicle.models.running.runtime_words import cannot_run
from vehicle.models.running.session import open_session
from vehicle.models.running.timing import trial_failed

_WARM_UPS = 5


class Policy:
    """One model in ONNX Runtime, warmed up, with preallocated buffers. Not thread-safe.

    `flushes_denormals`: as of open_session; for the car's pilot.
    """

    def __init__(self, model: CheckedModel, shrink: ProfileName = "grey-area", flushes_denormals: bool = False) -> None:
        self.model = dataclasses.replace(model, content=b"")  # the session has its own copy: a car has little memory
        self._shrink = preprocessor(shrink)
        if len(model.inputs) != 1 or model.metadata.shape_of(model.metadata.sensor)[2] != 1:
            sensors = ", ".join(model.metadata.sensors)
            raise BadInput(f"{model.path}: needs {sensors}; this car has one grey front camera.")
        try:
            self._session = open_session(model.content, flushes_denormals)
        except BadInput as error:
            raise BadInput(f"{model.path}: {error}") from None
        self.small: Pixels = np.zeros((HEIGHT, WIDTH), np.uint8)
        self._picture: NDArray[np.float32] = np.zeros((HEIGHT, WIDTH), np.float32)
        self._answer: NDArray[np.float32] = np.zeros(model.metadata.space.size, np.float32)
        self._bound = self._bind()
        self._warm_up()

    def preprocess(self, pixels: Pixels) -> Pixels:
        """Scales a picture, grey (H, W) or BGR (H, W, 3), to 160 x 120 grey. Returns the buffer, which is reused."""
        self._shrink(pixels, self.small)
        return self.small

    def answer(self) -> NDArray[Any]:
        """The model's raw output for the picture in `small`; the grey levels go in as 0 to 255, unscaled.

        Returns a buffer that the next call overwrites.
        """
        np.copyto(self._picture, self.small)
        self._session.run_with_iobinding(self._bound)
        return self._answer

    def _bind(self) -> ort.IOBinding:
        """Binds input and output to the buffers, so that a frame needs neither allocation nor copy."""
        model, bound = self.model, self._session.io_binding()
        shape = (1, 1, HEIGHT, WIDTH) if model.layout == "NCHW" else (1, HEIGHT, WIDTH, 1)
        bound.bind_input(model.input_name, "cpu", 0, np.float32, shape, self._picture.ctypes.data)
        bound.bind_output(model.output_name, "cpu", 0, np.float32, model.output_shape, self._answer.ctypes.data)
        return bound

    def _warm_up(self) -> None:
        """Runs black, white and ramp pictures, so that the first real frame is not slow. Raises BadInput."""
        ramp = np.tile(np.linspace(0, 255, WIDTH, dtype=np.uint8), (HEIGHT, 1))
        for pixels in [np.zeros_like(ramp), np.full_like(ramp, 255), *([ramp] * _WARM_UPS)]:
            self.preprocess(pixels)
            try:
                self.model.metadata.space.decode(self.answer(), 1.0)
            except BadInput as error:
                raise BadInput(f"{self.model.path}: {trial_failed(str(error))}") from None
            except Exception as error:  # ONNX Runtime's errors have no public base class
                raise BadInput(f"{self.model.path}: {trial_failed(cannot_run(error))}") from None
