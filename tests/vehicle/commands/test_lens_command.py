"""`raceday vehicle lens` from pictures and recordings, up to the car's file."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from shared.config import load
from shared.errors import BadInput, ConfigError, OperatorError
from tests.vehicle.lens.opencv_camera import OpencvCamera, standing, swept
from vehicle.commands.vehicle import main
from vehicle.config import VehicleConfig
from vehicle.recordings.frame_feed import RecordedFrame, jpeg_of
from vehicle.recordings.mcap_file import RecordingFile, RecordingInfo

CONFIG = Path(__file__).parents[3] / "config" / "vehicle.toml"
CAMERA = OpencvCamera(118.0)


@pytest.fixture
def car(tmp_path: Path) -> Path:
    """A copy of the shipped file of a car."""
    file = tmp_path / "car.toml"
    file.write_text(CONFIG.read_text())
    return file


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Boards at 0.5 and 1 m, then six all over the picture, as files."""
    folder = tmp_path_factory.mktemp("pictures")
    files = []
    for number, pose in enumerate([standing(0.5), standing(1.0), *swept(CAMERA, 6, 3)]):
        files.append(str(folder / f"{number}.png"))
        cv2.imwrite(files[-1], CAMERA.picture(*pose))
    return files


def test_pictures_become_a_lens_in_the_cars_file(
    car: Path, pictures: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    drawing = car.with_name("lens.svg")
    words = ["lens", "--config", str(car), "--pictures", *pictures, "--distances", "0.5", "1.0"]
    assert main([*words, "--drawing", str(drawing)]) == 0
    assert "Nothing is changed" in capsys.readouterr().out
    assert car.read_text() == CONFIG.read_text()
    assert drawing.read_text().startswith("<svg")
    assert main([*words, "--write"]) == 0
    assert "the lens is in it" in capsys.readouterr().out
    lens = load(car, VehicleConfig).lapwatch.lens
    assert lens.model == "fisheye"
    assert lens.focal_px == pytest.approx(CAMERA.focal_px, rel=0.02)
    assert car.read_text().startswith(CONFIG.read_text())  # each comment is still there


def recording(folder: Path, frames: list[np.ndarray]) -> str:
    path = folder / "drive.mcap"
    file = RecordingFile(path, RecordingInfo("car-1", "boot", 1, 1, "2026-11-30T10:00:00"))
    for n, pixels in enumerate(frames):
        file.add(n * 10**8, RecordedFrame(jpeg_of(pixels), n * 10**8, n))
    file.close()
    return str(path)


def test_a_recording_without_the_gate_says_what_to_do(car: Path) -> None:
    path = recording(car.parent, [CAMERA.picture(*standing(1.0))] * 3)
    with pytest.raises(BadInput, match="two kinds of boards"):
        main(["lens", "--config", str(car), "--from", path])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--pictures", "none.png"], "cannot be read"),
        (["--pictures", "car.toml"], "is not a picture"),
        (["--pictures", "empty.png"], "is not a picture"),
        (["--pictures", "grey.png", "--distances", "1", "2"], "2 values for 1 pictures"),
        (["--pictures", "grey.png", "--distances", "nan"], "metres from 0.05 to 20"),
        (["--pictures", "grey.png", "--distances", "1"], "0 boards are seen"),
        (["--pictures", "grey.png", "small.png"], "different sizes"),
        (["--pictures", "grey.png"], "distances of a board are known"),
        (["--from", "car.toml"], "not an MCAP recording"),
    ],
)
def test_what_is_wrong_is_one_sentence(car: Path, words: list[str], says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(car.parent)
    Path("empty.png").write_bytes(b"")
    cv2.imwrite("grey.png", np.full((48, 64), 90, np.uint8))
    cv2.imwrite("small.png", np.full((24, 32), 90, np.uint8))
    with pytest.raises(OperatorError, match=says):
        main(["lens", "--config", str(car), *words])


def test_a_lens_that_is_written_inline_is_left_to_a_person(car: Path, pictures: list[str]) -> None:
    text = car.read_text().replace("[lapwatch]\n", '[lapwatch]\nlens = { known = "pi-v2" }\n')
    car.write_text(text)
    words = ["lens", "--config", str(car), "--pictures", *pictures, "--distances", "0.5", "1.0"]
    with pytest.raises(BadInput, match="by hand"):
        main([*words, "--write"])
    assert car.read_text() == text


def test_a_file_that_is_no_config_is_refused_first(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        main(["lens", "--config", str(tmp_path / "none.toml")])
