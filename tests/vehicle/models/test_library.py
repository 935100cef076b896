"""The library of models: imported once, selected by a link, complete or not there at all."""

import gzip
import json
import os
import pathlib
import subprocess
import sys
import tarfile

import numpy as np
import pytest

from raceday.__main__ import main
from shared.errors import BadInput
from tests.vehicle.models.importing.tars import Member, tar_gz
from tests.vehicle.models.tensorflow.frozen_graphs import DATA
from tests.vehicle.models.tensorflow.protobuf_writer import (
    HEAD,
    SEEN,
    attribute,
    constant,
    dense,
    field,
    graph,
    integers,
    node,
    placeholder,
)
from tests.vehicle.sample_parts import METADATA, tiny_graph
from vehicle.models.library import Library
from vehicle.models.model_files import NAME, fit_name
from vehicle.models.run_isolated import ENVIRONMENT
from vehicle.models.running.check import check_model
from vehicle.models.running.policy import Policy

pytestmark = pytest.mark.slow  # each import is a child with limits


def archive(folder: pathlib.Path, case: str, name: str) -> pathlib.Path:
    """An archive as the DeepRacer console exports it, with one of the stored graphs."""
    path = folder / name
    with tarfile.open(path, "w:gz") as packed:
        packed.add(DATA / f"{case}.pb", "agent/model.pb")
        packed.add(DATA / f"{case}.json", "model_metadata.json")
    return path


def test_an_archive_becomes_a_model_that_the_car_runs(tmp_path: pathlib.Path) -> None:
    library = Library(tmp_path / "models")
    entry = library.add(archive(tmp_path, "tf1/deep", "My first model!.tar.gz"))
    assert (entry.name, entry.is_new, entry.is_selected) == ("My_first_model", True, False)
    assert entry.card.sensors == ("FRONT_FACING_CAMERA",)
    assert entry.card.parity is not None
    assert entry.card.parity < 1e-5
    assert entry.card.timing is not None
    assert entry.card.timing.frames == 50
    assert entry.card.network.startswith("deep: conv 2@8/4, conv 2@4/2, conv 2@4/2, conv 2@3/1")
    library.select(entry.name)
    checked = check_model(library.folder / "selected")
    assert (checked.name, checked.sha256) == (entry.name, entry.card.model_sha256)
    Policy(checked)
    assert sorted(path.name for path in library.folder.iterdir()) == ["My_first_model", "selected"]


def test_the_same_content_is_known_and_another_of_the_same_name_is_distinguished(tmp_path: pathlib.Path) -> None:
    library = Library(tmp_path / "models")
    first = library.add(archive(tmp_path, "tf1/shallow", "model.tar.gz"))
    again = library.add(archive(tmp_path, "tf1/shallow", "other-name.tar.gz"))
    other = library.add(archive(tmp_path, "keras3/shallow", "model.tar.gz"))
    assert (again.name, again.is_new) == (first.name, False)
    assert other.name == f"model-{other.card.content_sha256[:8]}"
    assert [entry.name for entry in library.entries()] == sorted([first.name, other.name])


@pytest.mark.parametrize("case", ["legacy/stereo-sector-lidar", "tf2v1/sac-lidar"])
def test_a_model_of_other_sensors_is_kept_but_does_not_drive_this_car(tmp_path: pathlib.Path, case: str) -> None:
    entry = Library(tmp_path / "models").add(archive(tmp_path, case, "wide.tar.gz"))
    assert len(entry.card.sensors) == 2
    assert not entry.card.fits
    with pytest.raises(BadInput, match="one grey front camera"):
        Library(tmp_path / "models").select(entry.name)
    with pytest.raises(BadInput, match="one grey front camera"):
        check_model(entry.folder)
    with pytest.raises(BadInput, match="one grey front camera"):
        Policy(check_model(entry.folder, any_sensors=True))


def test_what_a_power_cut_left_is_swept_and_what_is_at_work_is_not(tmp_path: pathlib.Path) -> None:
    library = Library(tmp_path / "models")
    for name in (".incoming-old", ".removed-old", ".incoming-new"):
        (library.folder / name).mkdir(parents=True)
        if name.endswith("old"):
            os.utime(library.folder / name, (1e9, 1e9))
    library.add(archive(tmp_path, "tf1/shallow", "model.tar.gz"))
    assert sorted(path.name for path in library.folder.iterdir()) == [".incoming-new", "model"]


def test_a_bare_graph_and_an_onnx_file_come_with_their_metadata(tmp_path: pathlib.Path) -> None:
    (tmp_path / "model_metadata.json").write_text(json.dumps(METADATA))
    (tmp_path / "graph.pb").write_bytes(graph(*dense()))
    (tmp_path / "net.onnx").write_bytes(tiny_graph([0.0, 1.0, 0.0]).SerializeToString())
    library = Library(tmp_path / "models")
    assert library.add(tmp_path / "graph.pb").card.source == "file, graph"
    entry = library.add(tmp_path / "net.onnx", name="Straight on")
    assert (entry.name, entry.card.parity, entry.card.source) == ("Straight_on", None, "file, onnx")


def test_the_commands(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, file = str(tmp_path / "models"), archive(tmp_path, "tf2v1/middle", "mine.tgz")
    assert main(["model", "inspect", str(file)]) == 0
    assert "middle: conv 2@5/2" in capsys.readouterr().out
    assert main(["model", "list", "--library", folder]) == 0
    assert "no models yet" in capsys.readouterr().out
    assert main(["model", "import", str(file), "--into", folder]) == 0
    assert main(["model", "import", str(file), "--into", folder]) == 0
    assert "already on this car" in capsys.readouterr().out
    assert main(["model", "list", "--library", folder]) == 0
    assert "No model is selected" in capsys.readouterr().out
    assert main(["model", "select", "mine", "--library", folder]) == 0
    assert main(["model", "list", "--library", folder]) == 0
    assert "* mine" in capsys.readouterr().out
    assert main(["model", "import", str(archive(tmp_path, "legacy/stereo", "two.tgz")), "--into", folder]) == 0
    assert "cannot drive with it" in capsys.readouterr().out
    assert main(["model", "select", "two", "--library", folder]) == 2
    assert "needs STEREO_CAMERAS" in capsys.readouterr().err
    assert main(["model", "list", "--library", folder]) == 0
    assert "- two " in capsys.readouterr().out
    assert main(["model", "remove", "two", "--library", folder]) == 0
    assert main(["model", "remove", "mine", "--library", folder]) == 2
    assert "select another one" in capsys.readouterr().err
    assert main(["model", "import", str(archive(tmp_path, "tf1/sac", "b.tar.gz")), "--into", folder]) == 0
    assert main(["model", "select", "b", "--library", folder]) == 0
    assert main(["model", "remove", "mine", "--library", folder]) == 0
    assert main(["model", "select", "mine", "--library", folder]) == 2
    assert "there is no model 'mine'; there are: b." in capsys.readouterr().err


def test_a_damaged_card_and_a_missing_file_are_sentences(
    tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "models"
    (folder / "odd").mkdir(parents=True)
    (folder / "odd" / "card.json").write_text("{}")
    assert main(["model", "list", "--library", str(folder)]) == 2
    assert "is not the card" in capsys.readouterr().err
    assert main(["model", "import", str(tmp_path / "nothing.tar.gz"), "--into", str(folder)]) == 2
    assert "there is no such file" in capsys.readouterr().err
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "m.tar.gz").write_bytes(gzip.compress(b""))
    assert main(["model", "import", str(tmp_path / "m.tar.gz"), "--into", str(tmp_path / "file")]) == 2
    assert "cannot be stored" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("My model", "My_model"),
        ("../../etc", "etc"),
        ("", "model"),
        ("...", "model"),
        ("é!", "model"),
        ("-rf", "rf"),
        ("a" * 200, "a" * 60),
    ],
)
def test_names_are_made_fit(given: str, name: str) -> None:
    assert fit_name(given) == name
    assert NAME.fullmatch(name)


def test_a_model_of_usual_size_is_imported_within_its_memory(tmp_path: pathlib.Path) -> None:
    """For 23 MB of weights the child needs less than 200 MB more than a bare interpreter."""
    random = np.random.default_rng(5)

    def weights(name: str, *sizes: int) -> bytes:
        return constant(name, sizes, content=random.normal(0, 0.02, sizes).astype(np.float32).tobytes())

    strides = {n: attribute("strides", field(1, field(3, bytes([1, n, n, 1])))) for n in (1, 2, 4)}
    valid = attribute("padding", field(2, "VALID"))
    nodes = [
        placeholder(), weights("k1", 8, 8, 1, 32), weights("k2", 4, 4, 32, 64), weights("k3", 3, 3, 64, 64),
        node("c1", "Conv2D", (SEEN, "k1"), strides[4], valid), node("c2", "Conv2D", ("c1", "k2"), strides[2], valid),
        node("c3", "Conv2D", ("c2", "k3"), strides[1], valid), integers("to", -1, 11264),
        node("f", "Reshape", ("c3", "to")),
        weights("d1", 11264, 512), node("m1", "MatMul", ("f", "d1")), node("r1", "Relu", ("m1",)),
        weights("d2", 512, 3), node("m2", "MatMul", ("r1", "d2")), node(HEAD, "Softmax", ("m2",)),
    ]  # fmt: skip
    file = tmp_path / "field.tar.gz"
    file.write_bytes(
        tar_gz(Member(b"agent/model.pb", graph(*nodes)), Member(b"model_metadata.json", json.dumps(METADATA).encode()))
    )
    (tmp_path / "fresh").mkdir()
    code = (
        "import resource, sys; bare = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "from vehicle.models.run_isolated import main; assert main(['prepare', *sys.argv[1:]]) == 0\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - bare) / 1024)"
    )
    arguments = [sys.executable, "-c", code, str(file), str(tmp_path / "fresh")]
    done = subprocess.run(
        arguments, env=os.environ | ENVIRONMENT, capture_output=True, text=True, timeout=60, check=True
    )
    assert float(done.stdout) < 200
