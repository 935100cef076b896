"""A model's trial run in a child process with limits on time and memory: `python -m vehicle.models.trial PATH`."""

import pathlib
import resource
import subprocess
import sys

from shared.errors import BadInput

_PATIENCE_S = 60.0
_CPU_S = 30
_MEMORY = 4 << 30


def try_model(path: pathlib.Path) -> str:
    """Check, load and run the model in a child; the line that it prints. Raises BadInput with its sentence."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "vehicle.models.trial", str(path)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BadInput(f"{path}: the model's trial run took longer than {_PATIENCE_S:.0f} s.") from None
    if done.returncode < 0:
        raise BadInput(f"{path}: the model's trial run was ended by signal {-done.returncode}: it wants too much.")
    if done.returncode != 0:
        raise BadInput(done.stderr.strip().split("\n")[-1] or f"{path}: the model's trial run failed.")
    return done.stdout.strip()


def main(arguments: list[str]) -> int:
    """The child."""
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Only now: the libraries are loaded under the limits as well.
    from vehicle.models.check import check_model  # noqa: PLC0415
    from vehicle.models.policy import Policy  # noqa: PLC0415

    try:
        model = check_model(pathlib.Path(arguments[0]))
        Policy(model)
    except (BadInput, MemoryError) as error:
        sys.stderr.write(f"{error or 'The model wants more memory than it may have.'}\n")
        return 2
    space = model.metadata.space
    sys.stdout.write(f"{model.path}: fit to drive: {space.kind}, {space.size} outputs, sha256 {model.sha256[:16]}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
