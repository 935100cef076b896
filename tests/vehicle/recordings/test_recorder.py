"""The recorder: what it writes of a drive, how large recordings may grow, what a killed process leaves readable."""

import hashlib
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcap.writer import CompressionType, Writer

from shared.clock import ManualClock
from shared.errors import BadInput, ConfigError, StorageError
from shared.protocol.messages import CarMode, CarState
from tests.vehicle.sample_parts import METADATA, tiny_graph, write_model
from vehicle.commands.run import driven_model, driven_profile
from vehicle.commands.run import main as run_main
from vehicle.config import ModelChoice, RecorderOptions
from vehicle.core.messages import ControlTrace, LoopTelemetry
from vehicle.models.card import Card
from vehicle.models.running.check import check_model
from vehicle.models.running.policy import Policy
from vehicle.models.running.replay import compare
from vehicle.recordings.frame_feed import RecordedFrame, jpeg_of, png_of
from vehicle.recordings.mcap_file import Recorded
from vehicle.recordings.plot import svg_of
from vehicle.recordings.reader import Recording, read_recording
from vehicle.recordings.recorder import RETRY_NS, Recorder, RecorderThread, make_room, recordings

MS = 1_000_000
NOISE = np.random.default_rng(1).integers(0, 255, (240, 320), np.uint8)


def parts(
    folder: pathlib.Path, file_mb: int = 1, total_mb: int = 4
) -> tuple[RecorderOptions, str, str, ModelChoice, Callable[[], datetime]]:
    """The arguments of a Recorder."""
    options = RecorderOptions(True, folder, file_mb, total_mb)
    model = ModelChoice(pathlib.Path("selected"))
    return options, "car-1", "boot-1", model, lambda: datetime(2026, 1, 2, tzinfo=UTC)


def new_recorder(folder: pathlib.Path, file_mb: int = 1, total_mb: int = 4) -> Recorder:
    return Recorder(*parts(folder, file_mb, total_mb))


def state(mode: CarMode, reason: str = "") -> CarState:
    return CarState(True, mode, reason, "tiny", "ab" * 32, 50)


def trace(n: int, mode: CarMode = "driving") -> ControlTrace:
    return ControlTrace(n * 33 * MS + 5 * MS, mode, n, n * 33 * MS, 0.0, 1.0, 0.0, 0.5, 1_450_000, 1_400_000)


def picture(n: int, jpeg: bytes | None = None) -> RecordedFrame:
    return RecordedFrame(jpeg or jpeg_of(np.roll(NOISE, n)), n * 33 * MS, n)


def drive(recorder: Recorder, frames: int) -> None:
    """Record a drive: armed, `frames` frames, tripped, and the second after it."""
    recorder.record(0, state("ready"))
    for n in range(1, frames + 1):
        recorder.record(n * 33 * MS, picture(n))
        recorder.record(n * 33 * MS + 5 * MS, trace(n))
    end_ns = (frames + 1) * 33 * MS
    recorder.record(end_ns, state("tripped", "Emergency stop."))
    recorder.record(end_ns + 1_100 * MS, LoopTelemetry(frames, 0, 0, 0, (), (), 0.0, 0.0))


def test_a_drive_is_one_whole_recording(tmp_path: pathlib.Path) -> None:
    recorder = new_recorder(tmp_path)
    recorder.record(0, state("disarmed"))
    assert recorder.path is None
    drive(recorder, 10)
    assert recorder.path is None
    (path,) = recordings(tmp_path)
    assert path.name == "000001-20260102T000000Z.mcap"
    run = read_recording([path])
    assert run.is_complete
    assert (run.about["device"], run.about["model"], run.about["boot"]) == ("car-1", "tiny", "boot-1")
    assert [p.seq for p in run.frames] == list(range(1, 11))
    assert run.traces == [trace(n) for n in range(1, 11)]
    assert [s.reason for _, s in run.states] == ["", "Emergency stop."]
    assert run.telemetry[0][1].frames == 10


def test_a_second_drive_is_a_second_recording_and_re_arming_goes_on_in_the_first(tmp_path: pathlib.Path) -> None:
    recorder = new_recorder(tmp_path)
    drive(recorder, 2)
    drive(recorder, 2)
    assert len(recordings(tmp_path)) == 2
    recorder.record(0, state("ready"))
    recorder.record(10 * MS, state("stopped"))
    recorder.record(20 * MS, state("ready"))
    recorder.record(5_000 * MS, trace(1))
    assert recorder.path is not None
    recorder.close()
    assert len(recordings(tmp_path)) == 3


def test_pictures_that_overtake_the_mode_are_in_the_recording(tmp_path: pathlib.Path) -> None:
    recorder = new_recorder(tmp_path)
    for n in range(30):
        recorder.record(n * 33 * MS, picture(n))
    recorder.record(30 * 33 * MS, state("ready"))
    recorder.record(30 * 33 * MS, picture(30))
    recorder.record(31 * 33 * MS, state("disarmed"))
    recorder.close()
    (path,) = recordings(tmp_path)
    assert [p.seq for p in read_recording([path]).frames] == list(range(14, 31))


def test_recordings_rotate_and_the_oldest_go(tmp_path: pathlib.Path) -> None:
    recorder = new_recorder(tmp_path, file_mb=1, total_mb=3)
    drive(recorder, 60)  # noise: some 70 kB a frame
    paths = recordings(tmp_path)
    sizes = [path.stat().st_size for path in paths]
    assert len(paths) >= 2
    assert max(sizes) < 1.3 * (1 << 20)
    assert sum(sizes) < 3.3 * (1 << 20)
    assert int(paths[-1].name[:6]) > 3
    run = read_recording(paths)
    assert run.is_complete
    assert run.frames[-1].seq == 60


WRITER = """
import pathlib, sys
from tests.vehicle.recordings.test_recorder import new_recorder, state, picture, trace
recorder = new_recorder(pathlib.Path(sys.argv[1]), 16, 64)
recorder.record(0, state("ready"))
n = 0
while True:
    n += 1
    recorder.record(n * 33_000_000, picture(n))
    recorder.record(n * 33_000_000, trace(n))
    if n == 50:
        print("many", flush=True)
"""


@pytest.mark.slow
def test_a_killed_writer_leaves_all_but_its_last_chunk(tmp_path: pathlib.Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "many\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    process.stdout.close()
    run = read_recording(recordings(tmp_path))
    assert not run.is_complete
    assert len(run.frames) >= 48  # a chunk of 64 kB holds one or two of these
    assert [p.seq for p in run.frames] == list(range(1, len(run.frames) + 1))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A short recording."""
    folder = tmp_path_factory.mktemp("recorded")
    drive(new_recorder(folder), 3)
    return recordings(folder)[0]


def readable(path: pathlib.Path) -> int:
    """How many pictures can be read; -1 when it was refused with a sentence."""
    try:
        return len(read_recording([path]).frames)
    except BadInput:
        return -1


@settings(deadline=None)  # it waits for the disk
@given(cut=st.integers(0, 300_000), flip=st.integers(0, 300_000))
def test_no_cut_or_damage_is_a_traceback(recorded: pathlib.Path, cut: int, flip: int) -> None:
    content = bytearray(recorded.read_bytes())
    content[flip % len(content)] ^= 0x55
    with tempfile.NamedTemporaryFile(suffix=".mcap") as file:
        file.write(content[: len(content) - cut % len(content)])
        file.flush()
        assert -1 <= readable(pathlib.Path(file.name)) <= 3


def test_a_disk_that_refuses_is_one_sentence_and_the_next_drive_tries_again(tmp_path: pathlib.Path) -> None:
    (tmp_path / "runs").write_text("in the way")
    recorder = new_recorder(tmp_path / "runs")
    with pytest.raises(StorageError, match="cannot be created"):
        recorder.record(0, state("ready"))
    recorder.record(1, trace(1))
    (tmp_path / "runs").unlink()
    recorder.record(2, state("ready"))
    assert recordings(tmp_path / "runs") == []  # not with every state: each failure is a line in the log
    recorder.record(1 + RETRY_NS, state("ready"))
    recorder.close()
    assert len(recordings(tmp_path / "runs")) == 1


def test_a_full_queue_drops_and_never_waits(tmp_path: pathlib.Path) -> None:
    thread = RecorderThread(new_recorder(tmp_path), ManualClock())  # not started: nothing takes anything out
    for n in range(400):
        thread.on_frame(picture(n, b"\xff\xd8"))
    assert thread.dropped == 400 - 256


def test_frames_that_were_left_out_are_counted_in_the_recording(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder = new_recorder(tmp_path)
    recorder.record(0, state("ready"))
    for n, dropped in ((1, 3), (2, 3), (5, 5), (6, 5)):
        recorder.record(n * 33 * MS, replace(picture(n), dropped=dropped))
        recorder.record(n * 33 * MS, trace(n))
    recorder.close()
    run = read_recording(recordings(tmp_path))
    assert [(p.seq, p.dropped) for p in run.frames] == [(1, 3), (2, 3), (5, 5), (6, 5)]
    assert run.frames_missing == 2
    assert "4 frames, 2 frames not recorded" in svg_of(run)
    assert run_main(["list", str(tmp_path)]) == 0
    assert capsys.readouterr().out.rstrip().endswith("tiny; 2 frames could not be recorded")


def test_each_file_of_a_drive_tells_what_is_missing_up_to_it(tmp_path: pathlib.Path) -> None:
    recorder = new_recorder(tmp_path)
    recorder.record(0, state("ready"))
    for n in range(1, 40):  # noise: some 70 kB a frame
        recorder.record(n * 33 * MS, replace(picture(n), dropped=n // 10))
    recorder.close()
    paths = recordings(tmp_path)
    assert len(paths) >= 2
    assert read_recording(paths).frames_missing == 3
    for path in paths:
        assert all(p.dropped == p.seq // 10 for p in read_recording([path]).frames)


class Stalled(Recorder):
    """A recorder on a disk that blocks until `go` is set."""

    def __init__(self, folder: pathlib.Path) -> None:
        super().__init__(*parts(folder))
        self.called, self.go, self.caught_up = threading.Event(), threading.Event(), threading.Event()

    def record(self, at_ns: int, what: Recorded) -> None:
        self.called.set()
        assert self.go.wait(60)
        super().record(at_ns, what)
        if isinstance(what, RecordedFrame) and what.seq == 255:
            self.caught_up.set()


def test_frames_that_the_full_queue_left_out_are_in_the_recording_too(tmp_path: pathlib.Path) -> None:
    recorder = Stalled(tmp_path)
    thread = RecorderThread(recorder, ManualClock())
    thread.start()
    thread.on_message(state("ready"))
    assert recorder.called.wait(60)
    for n in range(260):  # the queue has room for 256
        thread.on_frame(replace(picture(n, b"\xff\xd8"), dropped=2))
    recorder.go.set()
    assert recorder.caught_up.wait(60)
    thread.on_frame(replace(picture(260, b"\xff\xd8"), dropped=3))
    thread.close()
    run = read_recording(recordings(tmp_path))
    assert [p.seq for p in run.frames] == [*range(256), 260]
    assert (run.frames[-1].dropped, run.frames_missing) == (7, 5)


def test_room_is_made_by_number_not_by_name_of_other_files(tmp_path: pathlib.Path) -> None:
    for number in (1, 2, 10):
        (tmp_path / f"{number:06d}-x.mcap").write_bytes(b"x" * 100)
    (tmp_path / "mine.mcap").write_bytes(b"x" * 1000)
    make_room(tmp_path, 150)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["000010-x.mcap", "mine.mcap"]


def test_the_caps_must_fit() -> None:
    with pytest.raises(ConfigError, match="at least twice"):
        RecorderOptions(True, pathlib.Path("runs"), 64, 100)


def test_the_same_model_gives_the_same_setpoints_again(tmp_path: pathlib.Path) -> None:
    drive(new_recorder(tmp_path / "runs"), 5)
    run = read_recording(recordings(tmp_path / "runs"))
    straight = Policy(check_model(write_model(tmp_path / "straight")))
    comparison = compare(run, straight)
    assert (comparison.compared, comparison.same, comparison.agreement) == (5, 5, 1.0)
    left = write_model(tmp_path / "left", tiny_graph([0.0, 0.0, 9.0]), METADATA)
    comparison = compare(run, Policy(check_model(left)))
    assert (comparison.same, comparison.steering_max) == (0, pytest.approx(0.5))
    run.frames.clear()
    with pytest.raises(BadInput, match="nothing to compare"):
        compare(run, straight)


def test_what_the_policy_saw_is_compared_exactly_and_damage_is_said(tmp_path: pathlib.Path) -> None:
    recorder = new_recorder(tmp_path / "runs")
    recorder.record(0, state("ready"))
    small = np.full((120, 160), 7, np.uint8)
    for n, policy_input in enumerate((png_of(small), b"", png_of(small)), start=1):
        recorder.record(n * 33 * MS, replace(picture(n), policy_input=policy_input))
        recorder.record(n * 33 * MS + 5 * MS, trace(n))
    recorder.close()
    run = read_recording(recordings(tmp_path / "runs"))
    policy = Policy(check_model(write_model(tmp_path / "straight")))
    comparison = compare(run, policy)
    assert (comparison.compared, comparison.exact, comparison.same) == (3, 2, 3)
    assert policy.small[0, 0] == 7
    for damage in (b"\x89PNG", png_of(np.zeros((90, 160), np.uint8)), jpeg_of(np.zeros((9, 9, 3), np.uint8))):
        run.frames[0] = replace(run.frames[0], policy_input=damage)
        with pytest.raises(BadInput, match="frame 1"):
            compare(run, policy)


def test_the_model_that_drove_then_is_found_when_another_is_selected(tmp_path: pathlib.Path) -> None:
    for name, bias in (("then", 1.0), ("now", 2.0)):
        folder = write_model(tmp_path / name, tiny_graph([bias, 0.0, 0.0]))
        card = Card(name, "", "", "", "", "", ("LEFT_CAMERA",), "sac", "5", "", 3, "", 1, None, None)
        (folder / "card.json").write_text(card.to_json())
    small = tmp_path / "now" / "smaller.onnx"
    small.write_bytes(b"the same in fewer bits")
    (tmp_path / "selected").symlink_to("now")

    def model_found(drove: pathlib.Path) -> pathlib.Path:
        sha256 = hashlib.sha256(drove.read_bytes()).hexdigest()
        return driven_model(
            Recording(about={"model_path": str(tmp_path / "selected"), "model_sha256": sha256})
        ).resolve()

    assert model_found(tmp_path / "then" / "model.onnx") == (tmp_path / "then").resolve()
    assert model_found(tmp_path / "now" / "model.onnx") == (tmp_path / "now").resolve()
    assert model_found(small) == small.resolve()
    lost = Recording(about={"model_path": str(tmp_path / "selected"), "model_sha256": "0" * 64})
    assert driven_model(lost) == tmp_path / "selected"
    assert driven_model(Recording(about={"model_path": str(tmp_path / "gone")})) == tmp_path / "gone"
    assert driven_profile(Recording(about={"profile": "deepracer-car"})) == "deepracer-car"
    assert driven_profile(Recording(about={"profile": "by eye"})) == "grey-area"


def test_the_drawing_shows_three_diagrams_and_the_modes(tmp_path: pathlib.Path) -> None:
    drive(new_recorder(tmp_path), 30)
    run = read_recording(recordings(tmp_path))
    text = svg_of(run)
    assert text.count("<polyline") == 5
    assert "Age of the frame" in text
    assert "1.0 s  tripped: Emergency stop." in text
    assert "30 frames" in text
    assert 'fill="#e0f5e9"' in text
    run.traces.clear()
    with pytest.raises(BadInput, match="nothing to draw"):
        svg_of(run)


@pytest.mark.parametrize("compression", [CompressionType.ZSTD, CompressionType.LZ4])
def test_a_chunk_that_cannot_be_unpacked_is_no_traceback(compression: CompressionType, tmp_path: pathlib.Path) -> None:
    """Found by fuzzing: the library lets the compressors' own errors through."""
    path = tmp_path / "run.mcap"
    with path.open("wb") as file:
        writer = Writer(file, compression=compression, enable_crcs=False)
        writer.start("raceday", "raceday")
        writer.add_metadata("raceday", {"car": "car-1"})
        channel = writer.register_channel("/state", "json", writer.register_schema("state", "jsonschema", b"{}"))
        for number in range(50):
            writer.add_message(channel, number, b'{"online": true, "mode": "tripped"}', number)
        writer.finish()  # type: ignore[no-untyped-call]
    content = path.read_bytes()
    states = len(read_recording([path]).states)
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        assert readable(path) in (-1, 0)
    assert states == 50
