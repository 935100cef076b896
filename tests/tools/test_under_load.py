"""The script that runs the tests beside busy loops: it counts runs, stops at a failure and leaves nothing behind."""

import os
import pathlib
import shlex
import signal
import subprocess
import sys

import psutil
import pytest

from tools.under_load import ROOT, busy, main

SCRIPT = ROOT / "tools" / "under_load.py"


@pytest.fixture
def repository(tmp_path: pathlib.Path) -> pathlib.Path:
    """A small repository with the committed file `words`."""
    root = tmp_path / "repository"
    root.mkdir()
    (root / "words").write_text("== 1 failed, 7 passed, 2 skipped in 0.12s ==\n")
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for arguments in (["init", "-q"], ["add", "words"], [*who, "commit", "-q", "-m", "Words"]):
        subprocess.run(["git", "-C", str(root), *arguments], check=True)
    return root


def test_each_run_has_a_clone_of_what_is_committed(
    repository: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / "words").write_text("not committed\n")
    assert main(["--runs", "2", "--loops", "0", "--command", "cat words", "--repository", str(repository)]) == 0
    output = capsys.readouterr().out
    assert "run 1 of 2: passed; 1 failed, 7 passed, 2 skipped;" in output
    assert "run 2 of 2: passed; 1 failed, 7 passed, 2 skipped;" in output


def test_the_first_failure_ends_it_and_its_output_is_kept(
    repository: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--loops", "0", "--command", "sh -c 'cat words; exit 3'", "--repository", str(repository)]) == 1
    output = capsys.readouterr().out
    assert "run 1 of 3: FAILED (exit 3); 1 failed, 7 passed, 2 skipped;" in output
    assert "run 2 of 3" not in output
    assert "7 passed" in (repository / "run" / "under-load" / "1.log").read_text()


@pytest.mark.parametrize(("sessions", "first", "of_their_own"), [("same", 1, 0), ("one", 1, 1), ("each", 2, 2)])
def test_the_loops_stand_where_they_should_and_end_with_the_block(sessions: str, first: int, of_their_own: int) -> None:
    with busy(2, sessions) as loops:
        assert len(loops) == first
        groups = {os.getsid(loop.pid) for loop in loops}
        assert len(groups - {os.getsid(0)}) == of_their_own
    assert all(loop.poll() is not None for loop in loops)


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_when_it_is_interrupted_all_that_it_started_ends(repository: pathlib.Path, sign: signal.Signals) -> None:
    begun = repository / "begun"
    os.mkfifo(begun)
    command = shlex.join(["sh", "-c", f"echo begun > {begun}; exec sleep 600"])
    options = ["--sessions", "each", "--loops", "2", "--repository", str(repository), "--command", command]
    script = psutil.Popen([sys.executable, str(SCRIPT), *options], stdout=subprocess.DEVNULL)
    assert begun.read_text() == "begun\n"
    started = script.children(recursive=True)
    assert len(started) == 3
    script.send_signal(sign)
    assert script.wait(30) == 130
    assert psutil.wait_procs(started, 0)[1] == []


def test_loops_end_by_themselves_when_the_script_is_killed() -> None:
    code = "import sys, tools.under_load as u\nwith u.busy(3, 'one'):\n print('on', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as script:
        assert script.stdout is not None
        assert script.stdout.readline() == b"on\n"
        script.kill()
        assert script.stdout.read() == b""  # the loops have its other end, too
