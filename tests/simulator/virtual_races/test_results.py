"""Results at home: a model is driven in an isolated child, its result is written, and verified by driving it again."""

import base64
import json
import math
import re
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from raceday import model as model_commands
from shared.conditions import ENGINE, Conditions, DrivenRules
from shared.errors import BadInput
from shared.protocol.driven_results import write_result
from shared.traces.encoding import decode, trace_sha256
from simulator.driving.policy import find_model
from simulator.virtual_races import isolated
from simulator.virtual_races.cli import verify_main
from simulator.virtual_races.entrant import RacingModel
from simulator.virtual_races.evaluation import evaluate_run
from simulator.virtual_races.isolated import EvaluationJob, EvaluationReport, ReportedRun, evaluate_isolated
from simulator.virtual_races.result_file import read_result, result_of, verify
from simulator.virtual_races.seeds import validation_seeds
from tests.vehicle.sample_parts import tiny_graph, write_model
from vehicle.models.run_isolated import ChildFailed

ONE_LAP = Conditions(laps=1, rules=DrivenRules(consecutive_laps=1), profile="physical")
DEMO = find_model("demo").parent


@dataclass(frozen=True)
class Home:
    """What `raceday model race` left, and its report as the child would give it again."""

    folder: Path
    report: EvaluationReport

    def evaluate(self, _job: EvaluationJob) -> EvaluationReport:
        return self.report


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("home")
    words = ["race", "demo", "--profile", "physical", "--laps", "1", "--runs", "1", "--out", str(folder)]
    assert model_commands.main(words) == 0
    written = (folder / "run1.trace").read_bytes()
    run = decode(written)
    reported = ReportedRun(validation_seeds(1)[0], (), "laps", 0, 0, 1, 1, base64.b64encode(written).decode())
    assert run.laps_ns
    return Home(folder, EvaluationReport(read_result(folder / "result.json").model_sha256, (reported,), 1.0))


def test_a_model_is_driven_in_a_child_as_it_is_here(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    result = read_result(home.folder / "result.json")
    assert (result.conditions, [run.seed for run in result.runs]) == (ONE_LAP, list(validation_seeds(1)))
    here = evaluate_run(ONE_LAP, result.runs[0].seed, RacingModel(DEMO, "physical"))
    assert trace_sha256(here.trace) == result.runs[0].trace_sha256
    assert result.runs[0].laps_ns == here.trace.laps_ns
    assert json.loads((home.folder / "run1-metrics.json").read_text())["metrics"][0]["completion_percentage"] == 100
    assert (home.folder / "run1-simtrace.csv").read_text().count("\n") == here.frames + 2
    assert verify_main([str(home.folder / "result.json"), "--model", "demo"]) == 0
    assert "All 1 runs are the same." in capsys.readouterr().out


def test_another_run_or_another_model_is_found(home: Home) -> None:
    result = read_result(home.folder / "result.json")
    assert [run.same for run in verify(result, DEMO, home.evaluate)] == [True]
    forged = replace(result, runs=(replace(result.runs[0], trace_sha256="0" * 64),))
    assert [run.same for run in verify(forged, DEMO, home.evaluate)] == [False]
    other = replace(result, model_sha256="1" * 64)
    with pytest.raises(BadInput, match="is another model than the one of the result"):
        verify(other, DEMO, home.evaluate)
    with pytest.raises(BadInput, match="is another model than the one of the result"):
        verify(other, DEMO / "model.onnx", home.evaluate)
    with pytest.raises(BadInput, match="there is no such model"):
        verify(result, home.folder / "nowhere", home.evaluate)


def test_two_models_are_driven_against_each_other_and_verified(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["race", "demo", "--opponent", "demo", "--profile", "physical", "--laps", "1", "--runs", "1"]
    assert model_commands.main([*words, "--out", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert " in front " in shown
    assert " behind " in shown
    assert re.search(r"first\s.*over the line|first over", shown)
    assert "Ahead in more runs: the " in shown
    result = read_result(tmp_path / "result.json")
    assert result.opponent_sha256 == result.model_sha256
    own, other = (decode((tmp_path / f"run1{who}.trace").read_bytes()) for who in ("", "-opponent"))
    assert (trace_sha256(own), trace_sha256(other)) == (
        result.runs[0].trace_sha256,
        result.runs[0].opponent_trace_sha256,
    )
    assert own.others[0].x_tenths_mm[:100] == other.frames.x_tenths_mm[:100]
    with pytest.raises(BadInput, match="name the other one with --opponent"):
        verify(result, DEMO, home.evaluate)
    with pytest.raises(BadInput, match="leave --opponent out"):
        verify(read_result(home.folder / "result.json"), DEMO, home.evaluate, DEMO)
    run = replace(home.report.runs[0], trace=base64.b64encode((tmp_path / "run1.trace").read_bytes()).decode())
    against = base64.b64encode((tmp_path / "run1-opponent.trace").read_bytes()).decode()
    for rival, same in ((against, True), (run.trace, False)):
        opponent = replace(run, trace=rival)
        again = replace(home.report, runs=(run,), opponent_sha256=result.opponent_sha256, opponent_runs=(opponent,))
        assert [each.same for each in verify(result, DEMO, Home(tmp_path, again).evaluate, DEMO)] == [same]


def test_a_file_is_named_by_its_own_hash(home: Home) -> None:
    job = EvaluationJob(str(DEMO / "model.onnx"), ONE_LAP, validation_seeds(1))
    assert result_of(job, home.report).model_sha256 == home.report.model_sha256
    path = home.folder / "again.json"
    path.write_text(write_result(result_of(job, home.report)))
    assert read_result(path) == result_of(job, home.report)


def test_a_wrong_archive_gets_the_importers_sentence(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.zip"
    wrong.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(BadInput, match=r"wrong\.zip: .+\.$") as refusal:
        evaluate_isolated(EvaluationJob(str(wrong), ONE_LAP, (1,)))
    assert "\n" not in str(refusal.value)


def test_a_model_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="It took longer than 0 s: the model's evaluation"):
        evaluate_isolated(EvaluationJob(str(DEMO), ONE_LAP, (1,)), timeout_s=0.05)


@pytest.mark.parametrize("printed", ["", "{}", '{"model_sha256": "", "runs": [{}], "cost_s": 1}'])
def test_a_child_that_says_something_else_is_not_believed(printed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolated, "run_child", lambda *_args, **_named: printed)
    with pytest.raises(BadInput, match="the model's evaluation did not answer as it should"):
        evaluate_isolated(EvaluationJob("m", ONE_LAP, (1,)))


def test_a_trace_that_is_none_is_not_believed(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = replace(home.report, runs=(replace(home.report.runs[0], trace="AAAA"),))
    printed = isolated._REPORT.dump_json(bad).decode()
    monkeypatch.setattr(isolated, "run_child", lambda *_args, **_named: printed)
    with pytest.raises(BadInput, match="The file is no trace of a run"):
        evaluate_isolated(EvaluationJob("m", ONE_LAP, (1,)))


REFUSED = [
    ("", "is no result of a virtual race at body: "),
    ("[]", "is no result of a virtual race at body: "),
    ('{"model_sha256": "a", "runs": []}', "is no result of a virtual race at conditions: "),
    ('{"conditions": {}, "model_sha256": "a", "runs": []}', "holds no run"),
    (
        '{"conditions": {"laps": 99}, "model_sha256": "a", "runs": [{"seed": 1, "laps_ns": [], "trace_sha256": "b"}]}',
        "The conditions' `laps` is 99",
    ),
    (
        '{"conditions": {"engine": "raceday-0"}, "model_sha256": "a",'
        ' "runs": [{"seed": 1, "laps_ns": [], "trace_sha256": "b"}]}',
        f"was driven by the engine raceday-0, this release has {ENGINE}: install the release of the race",
    ),
    (" " * (1 << 20) + "{}", "is larger than a result can be"),
]


@pytest.mark.parametrize(("written", "words"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_no_result_gets_one_sentence(written: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text(written)
    with pytest.raises(BadInput) as refusal:
        read_result(path)
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)
    with pytest.raises(BadInput, match="cannot be read"):
        read_result(tmp_path / "none.json")


def test_a_model_that_answers_no_number_is_refused_for_its_own_fault(tmp_path: Path) -> None:
    job = EvaluationJob(str(write_model(tmp_path / "m", tiny_graph([math.nan, 0.0, 0.0]))), ONE_LAP, (1,))
    with pytest.raises(BadInput, match="not finite") as refused:
        evaluate_isolated(job)
    assert not isinstance(refused.value, ChildFailed)
