"""A checked model that looks at pictures and answers: warm before it counts, its buffers made once."""

import dataclasses
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from shared.errors import BadInput
from vehicle.frames.preprocess import ProfileName, preprocessor
from vehicle.hardware.interfaces import Pixels
from vehicle.models.running.check import HEIGHT, WIDTH, CheckedModel
from vehicle.models.running.session import open_session

_WARM_UPS = 5


class Policy:
    """Looks at a picture, answers the model's raw output. Not thread-safe: its buffers are made once."""

    def __init__(self, model: CheckedModel, shrink: ProfileName = "grey-area") -> None:
        self.model = dataclasses.replace(model, content=b"")  # the session has it: a car has little memory
        self._shrink = preprocessor(shrink)
        if len(model.inputs) != 1 or model.metadata.shape_of(model.metadata.sensor)[2] != 1:
            sensors = ", ".join(model.metadata.sensors)
            raise BadInput(f"{model.path}: looks through {sensors}; this car has one grey front camera.")
        try:
            self._session = open_session(model.content)
        except BadInput as error:
            raise BadInput(f"{model.path}: {error}") from None
        self.small: Pixels = np.zeros((HEIGHT, WIDTH), np.uint8)
        self._picture: NDArray[np.float32] = np.zeros((HEIGHT, WIDTH), np.float32)
        self._answer: NDArray[np.float32] = np.zeros(model.metadata.space.size, np.float32)
        self._bound = self._bind()
        self._warm_up()

    def see(self, pixels: Pixels) -> Pixels:
        """Shrink a picture, grey (H, W) or BGR (H, W, 3), to what the policy sees; the buffer is used again."""
        self._shrink(pixels, self.small)
        return self.small

    def answer(self) -> NDArray[Any]:
        """What the model makes of what it last saw: its raw output, 0 to 255 in (the network divides itself).

        The buffer is used again by the next answer.
        """
        np.copyto(self._picture, self.small)
        self._session.run_with_iobinding(self._bound)
        return self._answer

    def _bind(self) -> ort.IOBinding:
        """The session reads our picture and writes our answer where they lie: nothing is made or copied for a frame."""
        model, bound = self.model, self._session.io_binding()
        seen = (1, 1, HEIGHT, WIDTH) if model.layout == "NCHW" else (1, HEIGHT, WIDTH, 1)
        bound.bind_input(model.input_name, "cpu", 0, np.float32, seen, self._picture.ctypes.data)
        bound.bind_output(model.output_name, "cpu", 0, np.float32, model.output_shape, self._answer.ctypes.data)
        return bound

    def _warm_up(self) -> None:
        """Black, white and a ramp: the answers must be usable, and the first real frame not the slowest."""
        ramp = np.tile(np.linspace(0, 255, WIDTH, dtype=np.uint8), (HEIGHT, 1))
        for pixels in [np.zeros_like(ramp), np.full_like(ramp, 255), *([ramp] * _WARM_UPS)]:
            self.see(pixels)
            try:
                self.model.metadata.space.decode(self.answer(), 1.0)
            except BadInput as error:
                raise BadInput(f"{self.model.path}: failed its trial run: {error}") from None
            except Exception as error:  # the runtime's own errors have no public base
                sentence = str(error).split("\n")[0][:200]
                raise BadInput(f"{self.model.path}: failed its trial run ({sentence}).") from None
