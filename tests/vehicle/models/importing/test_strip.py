"""What is kept of an archive: all that a car makes use of, so that whatever is chosen from it stays the same."""

import io
import pathlib
import random

import pytest

from shared.errors import BadInput
from tests.vehicle.models.importing.tars import Member, tar, tar_gz
from tests.vehicle.models.importing.zips import zip_of
from vehicle.models.importing import strip as strip_file
from vehicle.models.importing.archive import extract_model, model_names
from vehicle.models.importing.strip import strip
from vehicle.models.run_isolated import ChildFailed, run_isolated

STATES = random.Random(4).randbytes(90_000)
ACTIONS = b'{"action_space": [], "neural_network": "X"}'
NOTE = b'{"best_checkpoint": {"name": "24_Step-100.ckpt"}, "last_checkpoint": {"name": "25_Step-120.ckpt"}}'
CONSOLE = (
    Member(b"./", kind=b"5"),
    Member(b"./model_metadata.json", ACTIONS),
    Member(b"./reward_function.py", b"def reward_function(params): return 1.0"),
    Member(b"./agent/", kind=b"5"),
    Member(b"./agent/model.pb", b"graph" * 300),
    Member(b"./agent/._model.pb", b"mac"),
    Member(b"./ip/hyperparameters.json", b"{}"),
)
TRAINED = (  # as DRfC uploads it: two checkpoints with the states of their optimisers, and the metadata twice
    Member(b"model/.coach_checkpoint", b"25_Step-120.ckpt"),
    Member(b"model/deepracer_checkpoints.json", NOTE),
    Member(b"model/24_Step-100.ckpt.data-00000-of-00001", STATES),
    Member(b"model/25_Step-120.ckpt.data-00000-of-00001", STATES[::-1]),
    Member(b"model/model_24.pb", b"best" * 100),
    Member(b"model/model_25.pb", b"last" * 100),
    Member(b"model/model_metadata.json", ACTIONS),
    Member(b"model_metadata.json", ACTIONS.replace(b": []", b":  []")),
    Member(b"../traces/iteration-1.csv", b"1,2\n" * 3000),
)
OURS = {"model.onnx": b"onnx" * 100, "model_metadata.json": ACTIONS, "card.json": b"{}", "events.bin": STATES}
LONG = Member(b"agent/model.pb", b"graph", prefix=b"x" * 150)
ARCHIVES = {
    "console": (tar_gz(*CONSOLE, Member(b"ip/states", STATES)), ("",)),
    "drfc": (tar_gz(*TRAINED), ("", "24", "25", "last")),
    "drfc, unpacked by a browser": (tar(*TRAINED), ("", "25")),
    "ours": (zip_of(OURS), ("", "model.onnx")),
    "a long name": (tar(LONG, Member(b"model_metadata (1).json", ACTIONS), Member(b"log", STATES)), ("",)),
}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_a_stripped_archive_holds_the_same_models(tmp_path: pathlib.Path, kind: str) -> None:
    content, checkpoints = ARCHIVES[kind]
    path, kept = tmp_path / "archive", tmp_path / "kept"
    path.write_bytes(content)
    names = strip(path, kept)
    assert names == model_names(io.BytesIO(content))
    stripped = kept.read_bytes()
    assert len(stripped) < len(content) / 5
    assert STATES[:1000] not in stripped
    for checkpoint in checkpoints:
        assert extract_model(io.BytesIO(stripped), checkpoint) == extract_model(io.BytesIO(content), checkpoint)
    strip(path, tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == stripped, "two machines keep the same"
    assert strip(kept, tmp_path / "nothing to gain") == names
    assert not (tmp_path / "nothing to gain").exists()


def test_an_archive_stays_as_it_is_where_a_child_may_not_write_what_is_used_of_it(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, kept = tmp_path / "archive", tmp_path / "kept"
    path.write_bytes(ARCHIVES["drfc"][0])
    names = strip(path, kept)
    monkeypatch.setattr(strip_file, "FILE_BYTES", kept.stat().st_size - 1)
    assert strip(path, kept) == names
    assert not kept.exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (tar_gz(Member(b"model_metadata.json", b"{}")), "holds no model"),
        (tar_gz(Member(b"model.pb", b"graph")), "holds no model_metadata.json"),
        (b"\x08\x07" + b"onnx" * 200, "pack the model with its model_metadata.json"),
        (b"BZh91AY", "bzip2"),
        (tar_gz(*CONSOLE)[:-40], "damaged on the way"),
        (tar_gz(Member(b"/model.pb", b"graph"), CONSOLE[1]), "leads out of its folder"),
    ],
)
def test_what_cannot_be_driven_is_refused_with_the_importers_sentence(
    tmp_path: pathlib.Path, content: bytes, sentence: str
) -> None:
    (tmp_path / "archive").write_bytes(content)
    with pytest.raises(BadInput, match=sentence):
        strip(tmp_path / "archive", tmp_path / "kept")


def test_the_child_says_what_it_found(tmp_path: pathlib.Path) -> None:
    (tmp_path / "archive").write_bytes(ARCHIVES["drfc"][0])
    said = run_isolated("strip", str(tmp_path / "archive"), str(tmp_path / "kept"), about=tmp_path)
    assert said.startswith('{"checkpoints": ["model/model_24.pb", "model/model_25.pb"], "cost_s": ')
    assert (tmp_path / "kept").is_file()
    with pytest.raises(ChildFailed, match=r"nothing: cannot be read \(No such file"):
        run_isolated("strip", str(tmp_path / "nothing"), str(tmp_path / "kept"), about=tmp_path)
