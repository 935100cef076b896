"""What docs/train-a-model.md shows runs as it stands there."""

import pathlib
import re

import pytest

GUIDE = pathlib.Path(__file__).resolve().parents[3] / "docs" / "train-a-model.md"


def test_the_script_of_the_guide_drives(capsys: pytest.CaptureFixture[str]) -> None:
    (script,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert 15 <= script.count("\n") <= 25
    exec(compile(script, str(GUIDE), "exec"), {})
    printed = capsys.readouterr().out
    assert printed.startswith("(8, 120, 160, 1) pictures, ")
