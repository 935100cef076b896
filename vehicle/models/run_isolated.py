"""Runs code that handles an untrusted model in a child: only its own files, no network, limits on what it takes.

Called by library.py, trial.py and `raceday model`; the job is a module of JOBS. By hand:

    python -m vehicle.models.run_isolated checkpoints ARCHIVE
    python -m vehicle.models.run_isolated prepare SOURCE FOLDER [METADATA or "" [CHECKPOINT]]
    python -m vehicle.models.run_isolated quantise FOLDER FRAMES PROFILE
    python -m vehicle.models.run_isolated strip ARCHIVE KEPT
    python -m vehicle.models.run_isolated trial PATH [any-sensors]

Such a child also writes what lies in the folder for temporary files; `run_isolated` gives it one of its own.
"""

import importlib.util
import os
import pathlib
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from typing import IO

from shared.errors import BadInput
from shared.text import Sentence, text
from vehicle.models.memory_limit import largest_memory, machine_memory
from vehicle.models.model_grants import model_grants
from vehicle.process.child_main import without_secrets
from vehicle.process.landlock import FileGrant, restrict_files
from vehicle.process.program_files import program_grants
from vehicle.process.sandbox import IMPORT, confine
from vehicle.process.seccomp import install_filter, left_open_without_filter

JOBS = {
    "checkpoints": "vehicle.models.importing.list_checkpoints",
    "prepare": "vehicle.models.importing.prepare",
    "quantise": "vehicle.models.int8.quantise",
    "strip": "vehicle.models.importing.strip",
    "trial": "vehicle.models.trial",
}
WORK = {
    "checkpoints": text("the list of its checkpoints"),
    "prepare": text("the model's conversion"),
    "quantise": text("the model's conversion to int8"),
    "strip": text("the reading of the archive"),
    "trial": text("the model's trial"),
}
# Of a job's arguments, counted from 0: the files that it reads, and the folders or the file's folder that it writes in.
_READ = {"checkpoints": (0,), "prepare": (0, 2), "quantise": (1,), "strip": (0,), "trial": (0,)}
_WRITTEN = {"prepare": (1,), "quantise": (0,), "strip": (1,)}
NEEDED = ("onnx", "onnxruntime")
TIMEOUT_S = 60.0
# One thread. Large blocks go back to the system at once, which lowers the peak by a fifth for a model of 25 MB.
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_MMAP_THRESHOLD_": "1048576"}
REFUSED = 2  # the exit code of a child that says what is wrong with the model
MAX_PRINTED_BYTES = 32 << 20  # the runs of a submission with their traces are a third of it at most
_CPU_S = 30
_GRACE_S = 5  # of processor time, from SIGXCPU to SIGKILL
MEMORY = 4 << 30


class ChildFailed(BadInput):
    """The child ended without saying what is wrong: this machine may be at fault as well as the model."""


def run_isolated(
    work: str,
    *arguments: str,
    about: pathlib.Path,
    timeout_s: float = TIMEOUT_S,
    meanwhile: Callable[[], object] = lambda: None,
) -> str:
    """Runs a job of JOBS with `arguments`; returns what it printed. `meanwhile` is called while the child works.

    Raises BadInput with the sentence that the child wrote, or with one about how it ended; `about` is named there.
    Raises ModuleNotFoundError where a package for models is missing.
    """
    for package in NEEDED:
        if importlib.util.find_spec(package) is None:  # the child could only say so in the words of an exception
            raise ModuleNotFoundError(f"No module named {package!r}", name=package)
    # -P: nothing is imported from the folder that this process happens to work in.
    command = [sys.executable, "-P", "-m", "vehicle.models.run_isolated", work, *arguments]
    return run_child(command, WORK[work], about, timeout_s, meanwhile=meanwhile)


def run_child(
    command: Sequence[str],
    work: str,
    about: pathlib.Path,
    timeout_s: float,
    given: str = "",
    meanwhile: Callable[[], object] = lambda: None,
) -> str:
    """Runs a command that calls `restrict` first, with `given` on its input; returns what it printed.

    `work` says in a sentence what it does. Raises BadInput as `run_isolated` does; ChildFailed where it was not the
    child that said what is wrong with the model (exit code 2), nor its limit of processor time that ended it.
    """
    # Files, and no pipes: the kernel ends a child that prints without end, before this process has to hold it all.
    with (
        tempfile.TemporaryFile() as printed,
        tempfile.TemporaryFile() as wrong,
        tempfile.TemporaryDirectory(prefix="raceday-child-", ignore_cleanup_errors=True) as own,
    ):
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE if given else subprocess.DEVNULL,
            stdout=printed,
            stderr=wrong,
            text=True,
            env=child_environment() | {"TMPDIR": own},
        ) as child:
            try:
                meanwhile()
                child.communicate(given or None, timeout=timeout_s)
            except subprocess.TimeoutExpired:
                raise ChildFailed(f"{about}: {took_too_long(work, timeout_s)}") from None
            finally:
                child.kill()  # no effect on a child that has ended
        return what_it_said(child.returncode, printed, wrong, work, about)


def what_it_said(code: int, printed: IO[bytes], wrong: IO[bytes], work: str, about: pathlib.Path) -> str:
    """What a child printed that ended with this exit code (below 0: by that signal). Raises as `run_child`.

    `printed` and `wrong` are the files that it wrote its output and its errors to.
    """
    if code == -signal.SIGXFSZ:
        wrote = text("The model's process was ended, as it wrote more than it may.")
        raise BadInput(f"{about}: {wrote}")
    if code < 0:
        fault = BadInput if code == -signal.SIGXCPU else ChildFailed
        name = signal.Signals(-code).name
        ended = text("It needs too much memory or time: {what} was ended by {signal}.", what=work, signal=name)
        raise fault(f"{about}: {ended}")
    if code != 0:
        # It may quote names from the model: control characters must not reach a terminal or a page.
        sentence = "".join(sign if sign.isprintable() else "?" for sign in _end(wrong).split("\n")[-1])
        fault = BadInput if code == REFUSED else ChildFailed
        raise fault(sentence or f"{about}: {text('It came to nothing: {what}.', what=work)}")
    return _end(printed)


def _end(file: IO[bytes]) -> str:
    """What is written there, of which no more is read than a child may print."""
    file.seek(max(0, file.seek(0, os.SEEK_END) - MAX_PRINTED_BYTES))
    return file.read(MAX_PRINTED_BYTES).decode(errors="replace").strip()


def took_too_long(work: str, limit_s: float) -> Sentence:
    """What is said of a child that was ended because of that."""
    return text("It took longer than {seconds:.0f} s: {what}.", what=work, seconds=limit_s)


def child_environment() -> dict[str, str]:
    """The variables of a child that handles a stranger's model: those of this process without its secrets."""
    return without_secrets(os.environ) | ENVIRONMENT


def restrict(cpu_s: int = _CPU_S, parent_pid: int | None = None, max_memory: int = MEMORY) -> None:
    """Restricts this process, the child: no network, limits on memory, processor time and the size of a file.

    Which files it may open is `restrict_to`'s matter, which comes before anything of the model's is read. Up to
    `max_memory` it may raise the limit on memory itself, for a second model.
    """
    for sentence in confine(os.getppid() if parent_pid is None else parent_pid, IMPORT) + install_filter():
        sys.stderr.write(f"{sentence}\n")
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + _GRACE_S))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, max_memory))
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)  # Python ignores it: what is too large ends the child


def restrict_to(grants: Sequence[FileGrant]) -> None:
    """From here on this process, the child, opens these files, its own temporary ones and its program's only."""
    own = FileGrant(pathlib.Path(tempfile.gettempdir()), "write")
    is_filtered = not left_open_without_filter(os.uname().machine)
    for sentence in restrict_files([*program_grants(), *grants, own], is_filtered=is_filtered):
        sys.stderr.write(f"{sentence}\n")


def job_grants(work: str, arguments: Sequence[str]) -> list[FileGrant]:
    """What a job of JOBS opens, by its arguments; metadata may lie beside a model."""
    given = dict(enumerate(arguments))
    read = [pathlib.Path(given[place]) for place in _READ.get(work, ()) if given.get(place)]
    written = [pathlib.Path(given[place]) for place in _WRITTEN.get(work, ())]
    folders = [path if path.is_dir() else path.parent for path in written]
    # Frames are a folder of pictures or recordings; what is not there, as of the names of a model, is passed over.
    folders_read = [FileGrant(path) for path in read if path.is_dir() and work == "quantise"]
    return [*model_grants(*read), *folders_read, *(FileGrant(folder, "write") for folder in folders)]


def limit_printing() -> None:
    """From here on this process, the child, writes no more than `MAX_PRINTED_BYTES`: its model is unpacked."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_PRINTED_BYTES, MAX_PRINTED_BYTES))


def main(arguments: list[str]) -> int:
    """Entry point of the child: sets the limits, then loads the libraries and the model."""
    restrict()
    limit = largest_memory(machine_memory())
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))  # the job lowers it to what its model may take
    restrict_to(job_grants(arguments[0], arguments[1:]))
    code: int = importlib.import_module(JOBS[arguments[0]]).main(arguments[1:])
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
