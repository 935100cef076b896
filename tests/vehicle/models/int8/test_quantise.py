"""The int8 version of a model: made by the real runtime, used only where it is faster and drives alike."""

import json
import math
import pathlib
import shutil
from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from raceday.__main__ import main
from shared.errors import BadInput
from simulator.world.tracks import load_track
from simulator.world.world import World
from tests.vehicle.sample_parts import tiny_graph, write_model
from vehicle.models.int8 import choose_precision
from vehicle.models.int8.calibration_frames import MAX_FRAMES, MIN_FRAMES, halves, read_frames
from vehicle.models.int8.choose_precision import choose, judge, load_frames
from vehicle.models.int8.quantise import quantised
from vehicle.models.int8.verdict import Int8Verdict, load_note, note_of
from vehicle.models.library import Library
from vehicle.models.model_files import FRAMES, INT8, NOTE
from vehicle.models.running.check import check_model
from vehicle.models.running.policy import Policy
from vehicle.recordings.frame_feed import RecordedFrame, jpeg_of
from vehicle.recordings.mcap_file import RecordingFile, RecordingInfo
from vehicle.web.model_list import LibraryModelList

DEMO = pathlib.Path(__file__).parents[4] / "simulator" / "data" / "models" / "demo"
FASTER = Int8Verdict(60, 1.0, 0.0, 0.0, 1000, 300)
SLOWER = Int8Verdict(60, 1.0, 0.0, 0.0, 1000, 950)


@cache
def world() -> World:
    """The mock world whose roads the model was trained for."""
    return World(load_track("reinvent_base"), 3)


def road(number: int) -> np.ndarray:
    """What the car sees somewhere on the road, (240, 320) uint8."""
    world().put_at(number * 0.37, 0.1 * math.sin(number), 0.2 * math.sin(number * 0.7))
    return world().frame()


def pictures(folder: pathlib.Path, count: int) -> pathlib.Path:
    folder.mkdir()
    for number in range(count):
        cv2.imwrite(str(folder / f"{number:04}.png"), road(number))
    return folder


@pytest.fixture(scope="module")
def quantised_model(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The demo's model with an int8 version, made by the command."""
    folder = tmp_path_factory.mktemp("int8")
    model = folder / "demo"
    model.mkdir()
    for name in ("model.onnx", "model_metadata.json"):
        shutil.copy(DEMO / name, model / name)
    frames = pictures(folder / "frames", 80)
    assert main(["model", "quantise", str(model), "--frames", str(frames)]) == 0
    return model


@pytest.fixture
def model(quantised_model: pathlib.Path, tmp_path: pathlib.Path) -> pathlib.Path:
    """A copy for a test that damages it."""
    return pathlib.Path(shutil.copytree(quantised_model, tmp_path / "demo"))


@pytest.mark.slow
def test_int8_is_made_judged_and_noted(quantised_model: pathlib.Path) -> None:
    note, int8 = load_note(quantised_model), check_model(quantised_model / INT8)
    assert (note.of_sha256, note.sha256) == (check_model(quantised_model).sha256, int8.sha256)
    assert (note.source, note.frames, note.verdict.frames) == ("frames", 40, 40)
    assert sorted(path.name for path in quantised_model.iterdir()) == sorted(
        [FRAMES, NOTE, INT8, "model.onnx", "model_metadata.json"]
    )
    assert len(int8.content) < 0.5 * len(check_model(quantised_model).content)
    verdict = judge(Policy(check_model(quantised_model)), Policy(int8), np.load(quantised_model / FRAMES))
    assert verdict.alike > 0.8
    assert verdict.steering_mean < 0.1


@pytest.mark.slow
@pytest.mark.parametrize(("verdict", "drives"), [(FASTER, "int8"), (SLOWER, "fp32")])
def test_what_was_judged_better_here_drives(
    quantised_model: pathlib.Path, monkeypatch: pytest.MonkeyPatch, verdict: Int8Verdict, drives: str
) -> None:
    monkeypatch.setattr(choose_precision, "judge", lambda *_: verdict)
    choice = choose(quantised_model)
    file = quantised_model / (INT8 if drives == "int8" else "model.onnx")
    assert (choice.precision, choice.policy.model.sha256) == (drives, check_model(file).sha256)
    assert choice.policy.model.name == "demo"
    assert choice.sentence.startswith(f"{drives} drives: ")


@pytest.mark.slow
def test_the_settings_may_ask_for_fp32(quantised_model: pathlib.Path) -> None:
    assert choose(quantised_model, wanted="fp32").precision == "fp32"


def _other_model(model: pathlib.Path) -> None:
    write_model(model)


def _other_int8(model: pathlib.Path) -> None:
    shutil.copy(model / "model.onnx", model / INT8)


def _no_frames(model: pathlib.Path) -> None:
    (model / FRAMES).unlink()


def _pickled(model: pathlib.Path) -> None:
    np.save(model / FRAMES, np.array([{"a": 1}], object), allow_pickle=True)


def _other_shape(model: pathlib.Path) -> None:
    np.save(model / FRAMES, np.zeros((5, 9, 9), np.uint8))


def _hostile(model: pathlib.Path) -> None:
    graph = tiny_graph([0.0] * 14, outputs=14)
    graph.graph.node[0].op_type = "Loop"
    (model / INT8).write_bytes(graph.SerializeToString())


def _note(text: str) -> Callable[[pathlib.Path], None]:
    def write(model: pathlib.Path) -> None:
        (model / NOTE).write_text(text)

    return write


@pytest.mark.slow
@pytest.mark.parametrize(
    "spoil",
    [_other_model, _other_int8, _no_frames, _pickled, _other_shape, _hostile, _note("{}"), _note("[")],
)
def test_what_does_not_belong_to_the_model_does_not_drive(
    model: pathlib.Path, spoil: Callable[[pathlib.Path], None]
) -> None:
    spoil(model)
    choice = choose(model)
    assert choice.precision == "fp32"
    assert "cannot be used" in choice.sentence
    assert choice.policy.model.sha256 == check_model(model).sha256


@pytest.mark.slow
def test_command_list_and_phone_tell_of_it(
    quantised_model: pathlib.Path, tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["model", "check", str(quantised_model)]) == 0
    assert " drives: " in capsys.readouterr().out
    library = Library(tmp_path / "models")
    entry = library.add(quantised_model / "model.onnx", "mine")
    for name in (INT8, NOTE, FRAMES):
        shutil.copy(quantised_model / name, entry.folder / name)
    assert main(["model", "list", "--library", str(library.folder)]) == 0
    assert load_note(quantised_model).verdict.sentence in capsys.readouterr().out
    (row,) = LibraryModelList(library.folder).rows()
    assert row.detail.endswith("with an int8 version")


def test_frames_come_from_recordings_and_pictures_alike(tmp_path: pathlib.Path) -> None:
    run = RecordingFile(tmp_path / "000001-x.mcap", RecordingInfo("car-1", "b", 1, 1, ""))
    for number in range(MIN_FRAMES + 5):
        run.add(number, RecordedFrame(jpeg_of(road(number)), number, number))
    run.close()
    recorded = read_frames(tmp_path / "000001-x.mcap")
    assert np.array_equal(recorded, read_frames(tmp_path))
    from_pictures = read_frames(pictures(tmp_path / "pictures", MIN_FRAMES + 5))
    assert recorded.shape == from_pictures.shape == (MIN_FRAMES + 5, 120, 160)
    assert np.abs(recorded.astype(int) - from_pictures).mean() < 3  # JPEG


def test_too_little_or_no_frames_at_all_are_refused(tmp_path: pathlib.Path) -> None:
    (tmp_path / "empty").mkdir()
    for source, words in ((pictures(tmp_path / "few", 5), "5 frames"), (tmp_path / "empty", "0 frames")):
        with pytest.raises(BadInput, match=words):
            read_frames(source)
    for missing in (tmp_path / "none.mcap", tmp_path / "none"):
        with pytest.raises(BadInput):
            read_frames(missing)
    (tmp_path / "few" / "0000.png").write_text("no picture")
    pictures(tmp_path / "more", MIN_FRAMES)
    (tmp_path / "more" / "0000.png").write_text("no picture")
    with pytest.raises(BadInput, match="not a picture"):
        read_frames(tmp_path / "more")


@given(st.integers(MIN_FRAMES, MAX_FRAMES))
def test_what_is_judged_by_was_not_calibrated_with(count: int) -> None:
    frames = np.arange(count).repeat(2).reshape(count, 2).astype(np.uint16)
    calibrating, judging = halves(frames)  # type: ignore[arg-type]
    assert not set(calibrating[:, 0]) & set(judging[:, 0])
    assert len(calibrating) + len(judging) == count
    assert min(len(calibrating), len(judging)) >= count // 2 - 8


def test_a_model_of_an_old_opset_is_refused(tmp_path: pathlib.Path) -> None:
    graph = tiny_graph([0.0, 9.0, 0.0])
    graph.opset_import[0].version = 11
    checked = check_model(write_model(tmp_path, graph))
    with pytest.raises(BadInput, match="opset below 13"):
        quantised(checked, np.zeros((40, 120, 160), np.uint8))


def test_a_command_that_cannot_says_one_sentence(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_model(tmp_path / "m")
    assert main(["model", "quantise", str(tmp_path / "m"), "--frames", str(tmp_path)]) == 2
    assert "0 frames" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("verdict", "drives", "words"),
    [
        (FASTER, "int8", "0.30 ms a frame against 1.00 with fp32; 100% of 60 frames move the wheels alike"),
        (SLOWER, "fp32", "not faster here"),
        (Int8Verdict(60, 1.0, 0.0, 0.0, 1000, 900), "int8", "0.90 ms"),
        (Int8Verdict(60, 1.0, 0.0, 0.0, 1000, 901), "fp32", "not faster"),
        (Int8Verdict(60, 0.949, 0.0, 0.0, 1000, 300), "fp32", "95% of 60 frames"),
        (Int8Verdict(60, 0.95, 0.02, 0.9, 1000, 300), "int8", "95%"),
        (Int8Verdict(60, 1.0, 0.021, 0.1, 1000, 300), "fp32", "0.021 of full lock"),
        (Int8Verdict(60, 0.5, 0.5, 1.0, 1000, 3000), "fp32", "50% of 60"),
    ],
)
def test_the_rule(verdict: Int8Verdict, drives: str, words: str) -> None:
    assert verdict.precision == drives
    assert words in verdict.sentence


def test_a_note_survives_its_file_and_a_missing_one_is_none(tmp_path: pathlib.Path) -> None:
    assert note_of(tmp_path) is None
    (tmp_path / NOTE).write_text(json.dumps({"of_sha256": "a"}))
    assert note_of(tmp_path) is None


@given(
    st.integers(1, 500), st.floats(0, 1), st.floats(0, 2), st.floats(0, 2), st.integers(1, 10**6), st.integers(1, 10**6)
)
def test_int8_never_drives_unless_it_is_both(
    frames: int, alike: float, mean: float, largest: float, fp32_us: int, int8_us: int
) -> None:
    verdict = Int8Verdict(frames, alike, mean, largest, fp32_us, int8_us)
    both = int8_us <= 0.9 * fp32_us and alike >= 0.95 and mean <= 0.02
    assert verdict.precision == ("int8" if both else "fp32")
    assert verdict.sentence.startswith(f"{verdict.precision} drives")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=400))
def test_no_bytes_in_a_note_or_in_the_frames_do_worse_than_a_sentence(tmp_path: pathlib.Path, content: bytes) -> None:
    (tmp_path / NOTE).write_bytes(content)
    (tmp_path / FRAMES).write_bytes(content)
    assert note_of(tmp_path) is None
    for head in (b"", np.lib.format.magic(1, 0)):
        (tmp_path / FRAMES).write_bytes(head + content)
        with pytest.raises(BadInput, match="quantise the model again"):
            load_frames(tmp_path)
