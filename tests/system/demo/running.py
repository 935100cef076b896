"""A demo as a newcomer starts it, in a process of its own, whose parts a test can kill."""

import json
import os
import pathlib
import selectors
import signal
import subprocess
import sys
from typing import Any


class Demo:
    """`raceday demo --once --headless` in `folder`; its output is read line by line."""

    def __init__(self, folder: pathlib.Path, *words: str) -> None:
        self.folder = folder / "d"
        self.summary_file = folder / "summary.json"
        self.lines: list[str] = []
        command = [sys.executable, "-m", "raceday", "demo", "--once", "--headless"]
        command += ["--folder", str(self.folder), "--summary", str(self.summary_file), *words]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1
        )

    def __enter__(self) -> "Demo":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def read_once(self, words: str) -> None:
        """As `read_until`, unless a line that was read already contains `words`."""
        if not any(words in line for line in self.lines):
            self.read_until(words)

    def read_until(self, words: str, timeout_s: float = 120) -> str:
        """The next line that contains `words`; if it does not come, fails with all output so far."""
        assert self.process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while selector.select(timeout_s):
                line = self.process.stdout.readline()
                if not line:
                    break
                self.lines.append(line.rstrip())
                if words in line:
                    return line.rstrip()
        raise AssertionError(f"{words!r} was never said:\n" + "\n".join(self.lines) + self._logs())

    def kill(self, name: str) -> None:
        """Kills a part with SIGKILL, as abruptly as a power cut."""
        pids = json.loads((self.folder / "pids.json").read_text())
        os.kill(pids[name], signal.SIGKILL)

    def finish(self, timeout_s: float = 150) -> dict[str, Any]:
        """Waits for the end and returns the summary. Fails unless every racer qualified."""
        rest, _ = self.process.communicate(timeout=timeout_s)
        self.lines += rest.splitlines()
        assert self.process.returncode == 0, "\n".join(self.lines) + self._logs()
        document: dict[str, Any] = json.loads(self.summary_file.read_text())
        return document

    def _logs(self) -> str:
        logs = sorted(self.folder.glob("*.log")) if self.folder.is_dir() else []
        return "".join(f"\n== {log.name}\n" + log.read_text(errors="replace")[-1500:] for log in logs)


def check_summary(document: dict[str, Any]) -> None:
    """Checks what every demo must show: times match the ground truth, scores the laps, ranks the scores."""
    for racer in document["racers"]:
        laps = racer["laps"]
        assert [lap["number"] for lap in laps] == list(range(1, len(laps) + 1))
        for lap in laps:
            assert abs(lap["official_ns"] - lap["true_ns"]) <= 1000, lap
        answer = racer["result"]["answer"]
        assert racer["score_ms"] == answer["score_ms"] == best_average_ms(document, laps)
    ranked = sorted(document["racers"], key=lambda r: r["rank"])
    assert [r["rank"] for r in ranked] == list(range(1, len(ranked) + 1))
    assert [r["score_ms"] for r in ranked] == sorted(r["score_ms"] for r in ranked)
    assert [row["racer"] for row in document["standing"]] == [r["racer"] for r in ranked]
    assert len(document["journal_head"]) == 64


def best_average_ms(document: dict[str, Any], laps: list[dict[str, Any]]) -> int:
    """The rule computed independently: the best mean of consecutive laps, penalties included."""
    size = document["rules"]["consecutive_laps"]
    penalty_ns = round(document["rules"]["off_track_penalty_s"] * 1e9)
    times = [lap["official_ns"] + lap["off_tracks"] * penalty_ns for lap in laps]
    return min(sum(times[k : k + size]) // size // 1_000_000 for k in range(len(times) - size + 1))
