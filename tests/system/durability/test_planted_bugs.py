"""The table of bugs for `./dev bench sabotage`: each can still be planted, and is another program then."""

import ast
import pathlib

import pytest

from bench.sabotage.planted_bugs import BUGS, CAMPAIGNS, PlantedBug
from bench.sabotage.run import planted, sentence, with_bug

PROJECT = pathlib.Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.what)
def test_each_bug_can_be_planted(bug: PlantedBug) -> None:
    whole = (PROJECT / bug.file).read_text()
    changed = with_bug(whole, bug)
    assert changed != whole
    assert bug.campaign in CAMPAIGNS
    if bug.file.endswith(".py"):
        assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(whole)), "only a comment or the layout differs"


def test_there_are_twenty_and_more_in_every_campaign() -> None:
    assert len({bug.what for bug in BUGS}) >= 20
    assert {bug.campaign for bug in BUGS} == set(CAMPAIGNS)


def test_a_bug_whose_lines_are_gone_is_said(tmp_path: pathlib.Path) -> None:
    bug = PlantedBug("it forgets", "a.py", "keep()", "pass", "races", "x")
    (tmp_path / "a.py").write_text("keep()\n")
    with planted(tmp_path, bug):
        assert (tmp_path / "a.py").read_text() == "pass\n"
    assert (tmp_path / "a.py").read_text() == "keep()\n"
    for text in ("", "keep()\nkeep()\n"):
        with pytest.raises(ValueError, match="'it forgets' cannot be planted: its lines are there"):
            with_bug(text, bug)


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("...\n== FAILURES ==\nE  lost 3\n", "E  lost 3"),
        ("nothing was lost\n== FAILURES ==\nE  another\n", ""),
        ("applied_once | NO (1)\nlost: a row\n", "lost: a row"),
    ],
)
def test_only_what_a_failure_says_counts(output: str, said: str) -> None:
    assert sentence(output, "lost") == said
