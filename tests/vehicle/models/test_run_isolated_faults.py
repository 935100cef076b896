"""Who is at fault when a child ends: the model, where the child says so or used up its time."""

import pathlib
import sys

import pytest

from shared.errors import BadInput
from vehicle.models.run_isolated import ChildFailed, run_child

ABOUT = pathlib.Path("model")
ENDINGS = {
    "refused": ("import sys; sys.stderr.write('The graph is wrong.\\n'); sys.exit(2)", "The graph is wrong.", False),
    "out of processor time": (
        "import os, signal; os.kill(os.getpid(), signal.SIGXCPU)",
        "model: It needs too much memory or time: work was ended by SIGXCPU.",
        False,
    ),
    "killed": (
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "model: It needs too much memory or time: work was ended by SIGKILL.",
        True,
    ),
    "broken": ("raise OSError('no room')", "OSError: no room", True),
    "broken without a word": ("raise SystemExit(3)", "model: It came to nothing: work.", True),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_who_is_at_fault(ending: str) -> None:
    code, sentence, machine = ENDINGS[ending]
    with pytest.raises(BadInput) as caught:
        run_child([sys.executable, "-S", "-c", code], "work", ABOUT, 30.0)
    assert str(caught.value) == sentence
    assert isinstance(caught.value, ChildFailed) is machine


def test_a_child_is_told_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RACEDAY_KEY", "RAY_AUTH_TOKEN", "PGPASSWORD", "aws_secret_access"):
        monkeypatch.setenv(name, "rk_secret")
    monkeypatch.setenv("LANG", "C.UTF-8")
    told = run_child([sys.executable, "-S", "-c", "import os; print(dict(os.environ))"], "work", ABOUT, 30.0)
    assert "C.UTF-8" in told
    assert "rk_secret" not in told


def test_a_child_that_never_ends_may_be_the_machines_fault() -> None:
    with pytest.raises(ChildFailed, match="took longer than"):
        run_child([sys.executable, "-S", "-c", "import signal; signal.pause()"], "work", ABOUT, 0.3)


def test_the_limit_of_processor_time_says_itself() -> None:
    code = "from vehicle.models.run_isolated import restrict; restrict(1)\nwhile True: pass"
    with pytest.raises(BadInput, match="SIGXCPU") as caught:
        run_child([sys.executable, "-c", code], "work", ABOUT, 60.0)
    assert not isinstance(caught.value, ChildFailed)


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_child_that_prints_without_end_is_ended_and_its_model_refused(stream: str) -> None:
    limits = "from vehicle.models.run_isolated import limit_printing, restrict; restrict(20); limit_printing()"
    code = f"import sys; {limits}\nwhile True: sys.{stream}.write('#' * 65536)"
    with pytest.raises(BadInput, match="model: The model's process was ended, as it wrote more than it may") as caught:
        run_child([sys.executable, "-c", code], "work", ABOUT, 60.0)
    assert not isinstance(caught.value, ChildFailed)
