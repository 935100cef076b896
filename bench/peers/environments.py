"""The peers of other projects: each in its own virtual environment under run/peers, made by pip on first use."""

import json
import pathlib
import subprocess
import sys

from bench.pacing import request_priority

PEERS = pathlib.Path("run") / "peers"
DONKEYCAR, CARRACING, TENSORFLOW = "donkeycar", "carracing", "tensorflow"
_WANTED: dict[str, tuple[tuple[str, ...], str]] = {
    DONKEYCAR: (("donkeycar", "onnxruntime"), "import donkeycar, onnxruntime"),
    CARRACING: (("gymnasium[box2d]",), "import gymnasium, Box2D"),
    TENSORFLOW: (("tensorflow-cpu", "tf2onnx"), "import importlib.util as u; assert u.find_spec('tf2onnx')"),
}
_HEAD = "main_level/agent/main/online/network_{}/{}:0"


class PeerMissing(Exception):
    """The peer is not available on this machine; the message is one sentence with the reason."""


def peer_python(name: str) -> pathlib.Path:
    """The Python interpreter of a peer's environment, made if needed. Raises PeerMissing."""
    packages, probe = _WANTED[name]
    folder = PEERS / name
    python = folder / "bin" / "python"
    if not (folder / ".ready").exists():
        print(f"creating an environment for {name} in {folder} (once) ...", flush=True)
        _run(name, [sys.executable, "-m", "venv", str(folder)])
        _run(name, [str(python), "-m", "pip", "install", "-q", *packages])
        _run(name, [str(python), "-c", probe])
        (folder / ".ready").touch()
    return python.absolute()


def tf2onnx_graph() -> tuple[pathlib.Path, pathlib.Path]:
    """A frozen shallow network at its true size, and tf2onnx's conversion of it. Raises PeerMissing."""
    python, folder = peer_python(TENSORFLOW), PEERS / "graphs"
    frozen, made = folder / "shallow.pb", folder / "shallow-tf2onnx.onnx"
    if not made.exists():
        script = pathlib.Path(__file__).parents[2] / "tools" / "parity" / "write_frozen.py"
        arguments = ["--dialect", "tf2v1", "--full", "--only", "shallow", "--out", str(folder)]
        _run(TENSORFLOW, [str(python), str(script), *arguments])
        part = folder / "part.onnx"
        inputs, outputs = _HEAD.format(0, "observation/observation"), _HEAD.format(1, "ppo_head_0/policy")
        ends = ["--inputs", inputs, "--outputs", outputs, "--opset", "13"]
        _run(
            TENSORFLOW,
            [str(python), "-m", "tf2onnx.convert", "--graphdef", str(frozen), *ends, "--output", str(part)],
        )
        part.rename(made)
    return frozen, made


def _run(name: str, command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last_line = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise PeerMissing(f"not measured: {name} is not available here ({last_line[:120]})")


class Worker:
    """A peer's process: one line in, one line of JSON out."""

    def __init__(self, python: pathlib.Path, script: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [str(python), str(pathlib.Path(__file__).with_name(script)), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._script = script
        request_priority(self._process.pid)
        try:
            self._line()
        except PeerMissing:
            self.close()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    def timed(self, what: str, count: int, pace_s: float) -> list[int]:
        """Times of `count` calls in ns."""
        times_ns: list[int] = json.loads(self.request(f"{what} {count} {pace_s}"))
        return times_ns

    def request(self, line: str) -> str:
        """Send a line and return the answer. Raises PeerMissing."""
        self.send(line)
        return self._line()

    def send(self, line: str) -> None:
        """Send a line without waiting for the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def close(self) -> None:
        """End the process by closing its input."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise PeerMissing(f"not measured: {self._script} ended; run it by hand to see why")
        return line
