"""The measurement at the car: what is asked, what is taken, and what is done when nothing is seen."""

from collections.abc import Iterator

import numpy as np
import pytest

from shared.errors import BadInput, HardwareMissing, Refused
from tests.vehicle.lens.opencv_camera import OpencvCamera, standing, swept
from vehicle.hardware.frame import Frame, Pixels
from vehicle.lapwatch.marker_finder import MarkerFinder
from vehicle.lapwatch.markers import LapwatchOptions
from vehicle.lens.showing_session import ShowingSession

S = 1_000_000_000
CAMERA = OpencvCamera(118.0)
EMPTY = np.full((240, 320), 110, np.uint8)


class ScriptedCamera:
    """Shows what the person does: `pictures` of the present act again and again, a frame each tenth of a second."""

    def __init__(self) -> None:
        self.pictures: list[Pixels] = [EMPTY]
        self._given = 0

    def read(self, timeout_s: float) -> Frame | None:
        self._given += 1
        if not self.pictures:
            return None
        return Frame(self.pictures[self._given % len(self.pictures)], self._given * S // 10, self._given)

    def close(self) -> None:
        pass


def session(
    acts: list[tuple[str, list[Pixels]]],
) -> tuple[ShowingSession, list[str]]:
    """A person who answers and then does something, in order; all that was said."""
    camera, said = ScriptedCamera(), []
    remaining: Iterator[tuple[str, list[Pixels]]] = iter(acts)

    def ask(text: str) -> str:
        said.append(text)
        answer, camera.pictures = next(remaining)
        return answer

    return ShowingSession(camera, MarkerFinder(LapwatchOptions()), ask, said.append), said


def test_three_distances_and_a_sweep() -> None:
    at = {m: [CAMERA.picture(*standing(m))] for m in (0.5, 1.0)}
    moving = [CAMERA.picture(*pose) for pose in swept(CAMERA, 4, 3)]
    asking, said = session(
        [("0,5 m", at[0.5]), ("far", at[1.0]), ("1.0", [EMPTY]), ("1.0", at[1.0]), ("", at[1.0]), ("", moving)]
    )
    boards, width_px, height_px = asking.run()
    assert (width_px, height_px) == (320, 240)
    assert [one.distance_m for one in boards if one.is_upright] == [0.5] * 5 + [1.0] * 5
    assert sum(one.distance_m is None for one in boards) == 40
    assert any("no distance" in one for one in said)
    assert any("No board" in one for one in said)


def test_a_board_that_stands_still_is_one_view_of_the_sweep() -> None:
    still = [CAMERA.picture(*standing(0.5))]
    asking, _ = session([("0.5", still), ("", still), ("", still), ("", still)])
    boards, _, _ = asking.run()
    assert sum(not one.is_upright for one in boards) == 1


@pytest.mark.parametrize(
    ("acts", "error", "says"),
    [
        ([("0.5", [])], HardwareMissing, "gives no pictures"),
        ([("0.5", [EMPTY])] * 30, Refused, "no board was seen"),
        ([("0.5", [CAMERA.picture(*standing(0.5)), EMPTY[:200]])], BadInput, "different sizes"),
    ],
)
def test_it_ends_with_a_sentence(acts: list[tuple[str, list[Pixels]]], error: type[Exception], says: str) -> None:
    asking, _ = session(acts)
    with pytest.raises(error, match=says):
        asking.run()
