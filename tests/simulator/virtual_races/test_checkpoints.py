"""The choice among checkpoints: which are found, in which order they stand, and why the first is the best."""

import base64
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.conditions import Conditions, DrivenRules
from shared.errors import BadInput
from shared.rules.ranking import RunLap
from shared.traces.encoding import encode
from simulator.virtual_races.checkpoints import ModelCheckpoint, choose_checkpoint, find_checkpoints
from simulator.virtual_races.isolated import EvaluationJob, EvaluationReport, ReportedRun
from simulator.virtual_races.judging.run_book import RunEnd
from simulator.virtual_races.seeds import validation_seeds
from tests.shared.traces.driven import round_trip

S = 1_000_000_000
ONE_LAP = Conditions(laps=2, rules=DrivenRules(consecutive_laps=1, method="best_lap"))
TRACE = base64.b64encode(encode(round_trip(0))).decode()


def run(laps: tuple[int, ...], end: RunEnd = "laps", progress_ppm: int = 0, resets: int = 0) -> ReportedRun:
    counted = tuple(RunLap(n, lap_s * S, n * lap_s * S) for n, lap_s in enumerate(laps, 1))
    return ReportedRun(0, counted, end, resets, progress_ppm, 60 * S, 900, TRACE)


def driver(runs: dict[str, tuple[ReportedRun, ...]]) -> Callable[[EvaluationJob], EvaluationReport]:
    """Evaluates by a table, and refuses what is not in it."""

    def drive(job: EvaluationJob) -> EvaluationReport:
        assert job.seeds == validation_seeds(2)
        if job.checkpoint not in runs:
            raise BadInput(f"{job.checkpoint}: The model answered with values that are not finite.")
        return EvaluationReport("00", runs[job.checkpoint], 1.0)

    return drive


CHOICES = [
    (
        {"a": (run((9, 9)), run((9,), "resets", 400_000)), "b": (run((7, 7)), run((7, 8)))},
        "b",
        "most completed laps: 4, the next one has 3",
    ),
    (
        {"a": (run((9,), "time", 900_000), run((9,), "time", 0)), "b": (run((5,), "resets", 500_000),) * 2},
        "b",
        "as many laps as the next one, and further: 3.00 laps in all, against 2.90",
    ),
    (
        {"a": (run((9, 8)), run((9, 9))), "b": (run((8, 9)), run((7, 9)))},
        "b",
        "as many laps as the next one, with the better score: 8.000 s against 9.000 s",
    ),
    ({"a": (run((9, 9)),) * 2, "b": (run((9, 9)),) * 2}, "a", "equal to the next one, and earlier"),
    ({"b": (run((), "resets", 100),) * 2}, "b", "it is the only one that can be driven"),
]


@pytest.mark.parametrize(("runs", "best", "reason"), CHOICES)
def test_most_laps_then_furthest_then_the_best_score(
    runs: dict[str, tuple[ReportedRun, ...]], best: str, reason: str
) -> None:
    both = tuple(ModelCheckpoint(name, Path("models.zip"), name) for name in ("a", "b"))
    choice = choose_checkpoint(both, ONE_LAP, 2, jobs=2, evaluate=driver(runs))
    assert (choice.best.name, str(choice.reason)) == (best, reason)
    assert [bool(result.refused) for result in choice.results] == [False, len(runs) == 1]


def test_if_none_can_be_driven_the_first_sentence_is_said() -> None:
    with pytest.raises(BadInput, match="a: The model answered with values that are not finite"):
        choose_checkpoint((ModelCheckpoint("a", Path("x"), "a"),), ONE_LAP, 2, evaluate=driver({}))
    alone = choose_checkpoint((ModelCheckpoint("a", Path("x"), "a"),), ONE_LAP, 2, evaluate=driver({"a": (run((9,)),)}))
    assert str(alone.reason) == "it is the only one"


def test_checkpoints_are_found_in_folders_and_archives_in_natural_order(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    for name in ("step-900/model.onnx", "step-10000/model.onnx", "agent/model_2.pb", "notes.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    assert [each.name for each in find_checkpoints(folder)] == ["agent/model_2.pb", "step-900", "step-10000"]
    assert find_checkpoints(folder)[1].path == folder / "step-900"
    archive = tmp_path / "model.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        for name, content in (("agent/model_10.pb", b"ten"), ("agent/model_9.pb", b"nine"), ("model.pb", b"ten")):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
    found = find_checkpoints(archive)
    assert [(each.name, each.member) for each in found] == [("agent/model_9.pb",) * 2, ("agent/model_10.pb",) * 2]
    with pytest.raises(BadInput, match="holds 3 checkpoints; at most 2 are driven"):
        find_checkpoints(folder, limit=2)
    (folder / "empty").mkdir()
    with pytest.raises(BadInput, match=r"holds no checkpoint: there is no \.onnx and no \.pb"):
        find_checkpoints(folder / "empty")
    (tmp_path / "wrong.zip").write_bytes(b"no archive")
    with pytest.raises(BadInput, match=r"wrong\.zip: "):
        find_checkpoints(tmp_path / "wrong.zip")


def test_seeds_of_validation_are_fixed_and_all_different() -> None:
    assert validation_seeds(3) == validation_seeds(100)[:3]
    assert len(set(validation_seeds(100))) == 100
    assert all(0 <= seed < 1 << 48 for seed in validation_seeds(100))
