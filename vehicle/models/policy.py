"""A checked model that looks at pictures and answers: warm before it counts, its buffers made once."""

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from shared.errors import BadInput
from vehicle.hardware.devices import Pixels
from vehicle.models.check import HEIGHT, WIDTH, CheckedModel
from vehicle.models.session import open_session
from vehicle.profiles import ProfileName, profile

_WARM_UPS = 5


class Policy:
    """Looks at a picture, answers the model's raw output. Not thread-safe: its buffers are made once."""

    def __init__(self, model: CheckedModel, shrink: ProfileName = "grey-area") -> None:
        self.model = model
        self._shrink = profile(shrink)
        if len(model.inputs) != 1 or model.metadata.shape_of(model.metadata.sensor)[2] != 1:
            sensors = ", ".join(model.metadata.sensors)
            raise BadInput(f"{model.path}: looks through {sensors}; this car has one grey front camera.")
        try:
            self._session = open_session(model.content)
        except BadInput as error:
            raise BadInput(f"{model.path}: {error}") from None
        self.small: Pixels = np.zeros((HEIGHT, WIDTH), np.uint8)
        self._picture: NDArray[np.float32] = np.zeros((HEIGHT, WIDTH), np.float32)
        shape = (1, 1, HEIGHT, WIDTH) if model.layout == "NCHW" else (1, HEIGHT, WIDTH, 1)
        self._feed = {model.input_name: self._picture.reshape(shape)}
        self._outputs = [model.output_name]
        self._warm_up()

    def see(self, pixels: Pixels) -> Pixels:
        """Shrink a picture, grey (H, W) or BGR (H, W, 3), to what the policy sees; the buffer is used again."""
        self._shrink(pixels, self.small)
        return self.small

    def answer(self) -> NDArray[Any]:
        """What the model makes of what it last saw: its raw output, 0 to 255 in (the network divides itself)."""
        np.copyto(self._picture, self.small)
        return cast("NDArray[Any]", self._session.run(self._outputs, self._feed)[0])

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
