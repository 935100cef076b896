"""Makes videos of runs while the node has nothing to drive: one at a time, in a child that gives way to all else."""

import base64
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from shared.errors import OperatorError, Refused, RetryLater
from shared.protocol.farm import RunFailure, encode
from shared.protocol.videos import VideoWork
from shared.text import text
from simulator.farm.server_calls import FarmServer

ASK_EACH_S = 5.0
BUSY_WAIT_S = 2.0  # so long a claim of runs may stay with the leaderboard while a video is made
CHILD = (sys.executable, "-m", "simulator.virtual_races.video.cli")
_SENTENCE_CHARS = 500


@dataclass
class VideoMaker:
    """What a node does beside driving. `look` never waits: it takes note of the child, or starts the next one."""

    server: FarmServer
    say: Callable[[str], None]
    clock_s: Callable[[], float] = time.monotonic
    command: tuple[str, ...] = CHILD
    _made: "_VideoBeingMade | None" = field(default=None, init=False)
    _ask_at_s: float = field(default=0.0, init=False)

    @property
    def busy(self) -> bool:
        """Whether a video is being made."""
        return self._made is not None

    def look(self, idle: bool) -> bool:
        """Go on; `idle`: nothing is driven, so that a video may be begun. True if one is being made."""
        if self._made is not None and self._made.ended(self.clock_s()):
            made, self._made, self._ask_at_s = self._made, None, 0.0
            self._report(made)
        if self._made is None and idle and self.clock_s() >= self._ask_at_s:
            self._ask_at_s = self.clock_s() + ASK_EACH_S
            work = self._claimed()
            if work is not None:
                self._made = _VideoBeingMade(work, self.command, self.clock_s())
        return self.busy

    def close(self) -> None:
        """End the child; its video is given to another."""
        if self._made is not None:
            self._made.close()
            self._made = None

    def _claimed(self) -> VideoWork | None:
        try:
            return self.server.video()
        except (RetryLater, Refused, OperatorError) as error:  # an older leaderboard has no videos
            self.say(str(error))
            return None

    def _report(self, made: "_VideoBeingMade") -> None:
        claim = made.work.claim
        try:
            if made.failure:
                body = encode(RunFailure("farm", made.failure[:_SENTENCE_CHARS]))
                self.server.call("POST", f"/videos/{claim}/fail", body)
            else:
                self.server.call("PUT", f"/videos/{claim}", made.file())
                self.say(str(text("A video was made.")))
        except (RetryLater, Refused, OperatorError) as error:  # then its time runs out, and another makes it
            self.say(str(error))
        finally:
            made.close()


class _VideoBeingMade:
    """One video and its child."""

    def __init__(self, work: VideoWork, command: tuple[str, ...], now_s: float) -> None:
        self.work, self.failure = work, ""
        self._until_s = now_s + work.deadline_s
        self._folder = tempfile.TemporaryDirectory(prefix="raceday-video-")
        folder = Path(self._folder.name)
        self._path = folder / "run.mp4"
        (folder / "run.trace").write_bytes(base64.b64decode(work.trace))
        (folder / "conditions.json").write_text(work.conditions.canonical())
        asked = ["--conditions", str(folder / "conditions.json"), "--seed", str(work.seed), "--out", str(self._path)]
        self._errors = (folder / "errors").open("wb+")
        self._child = subprocess.Popen(
            [*command, str(folder / "run.trace"), *asked],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
        )

    def ended(self, now_s: float) -> bool:
        """Whether the child is through; one that takes too long is ended. `failure` says then what went wrong."""
        code = self._child.poll()
        if code is None and now_s < self._until_s:
            return False
        if code is None:
            self.failure = text("The video took too long.")
        elif code != 0 or not self._path.exists():
            self._errors.seek(0)
            lines = self._errors.read().decode(errors="replace").strip().splitlines()
            last = "".join(sign for sign in (lines[-1] if lines else "") if sign.isprintable())
            self.failure = last or text("The child that makes the video ended with code {code}.", code=code)
        return True

    def file(self) -> bytes:
        """The video."""
        return self._path.read_bytes()

    def close(self) -> None:
        """End the child if it goes on, and delete its files."""
        if self._child.poll() is None:
            self._child.kill()
        self._child.wait()
        self._errors.close()
        self._folder.cleanup()
