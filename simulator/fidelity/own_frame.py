"""The mock world's frame of a track in its own look, from any pose."""

from functools import cached_property

from simulator.world.camera import CameraParameters, render
from simulator.world.floor_masks import Image
from simulator.world.floor_texture import FloorTexture, draw_texture
from simulator.world.geometry import Pose, Track
from simulator.world.looks import look_of
from simulator.world.surroundings import grey_level, surroundings_of


class OwnView:
    """One track and one camera; what is seen of them is drawn once."""

    def __init__(self, track: Track, camera: CameraParameters) -> None:
        self._camera = camera
        look = look_of(track.name)
        self.dash_period_m = look.geometry.dash_m + look.geometry.gap_m
        self._texture = draw_texture(track, look)
        self._around = surroundings_of(track, look.surroundings)

    @cached_property
    def _grey_texture(self) -> FloorTexture:
        return self._texture.grey()

    def colour(self, pose: Pose) -> Image:
        """The frame, (height, width, 3) BGR."""
        return render(self._texture, self._camera, pose, self._around.sky, surroundings=self._around)

    def grey(self, pose: Pose) -> Image:
        """The frame, (height, width)."""
        return render(self._grey_texture, self._camera, pose, grey_level(self._around.sky), surroundings=self._around)
