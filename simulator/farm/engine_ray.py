"""The engine `ray`: each job is a task of a Ray cluster, which takes one core of any of its machines.

Placement, growth, and the work of machines that die are Ray's. This is the only file that imports ray, and of it only
the core. A worker drives the job in a restricted child of its own machine (worker.py).
"""

import contextlib
import hashlib
import os
import signal
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import ray
from ray.exceptions import RayError, RayTaskError

from shared.conditions import ENGINE
from shared.errors import BadInput, OperatorError
from shared.text import text
from simulator.farm.worker import WorkerOutcome, decode_outcome, encode_job, read_model
from simulator.virtual_races.isolated import EvaluationJob, EvaluationReport, wall_limit_s
from vehicle.models.run_isolated import ChildFailed

_RETRIES = 3  # of a task whose worker or machine died
_MODELS_KEPT = 16  # in the cluster's object store
_PROBE_S = 5.0
_LOOK_EVERY_S = 5.0
_NO_RACEDAY = b""


@dataclass(slots=True)
class _Task:
    """A job. `ref`: from when Ray has it; `overdue_at_s`: by then it has waited for a core, and been driven twice."""

    job: EvaluationJob
    report: Future[EvaluationReport]
    overdue_at_s: float = 0.0
    ref: ray.ObjectRef | None = None


class RayEngine:
    """A cluster that runs already. `max_jobs`: no more jobs at a time; `say`: tells the operator.

    Machines that are not like the first that answered, by engine and canary, are set aside: what they drive could not
    be compared. This goes by machine, and not by job, so that one without Raceday does not swallow job after job.
    """

    def __init__(self, address: str | None, max_jobs: int | None, say: Callable[[str], None]) -> None:
        """Raises OperatorError."""
        _connect(address, say)
        self._max_jobs, self._say = max_jobs, say
        self._task = ray.remote(num_cpus=1, max_retries=_RETRIES)(_worker_function())
        self._lock = threading.RLock()
        self._models: OrderedDict[str, ray.ObjectRef] = OrderedDict()
        self._tasks: list[_Task] = []
        self._canary, self._like_it, self._set_aside = "", set[str](), set[str]()
        self._closed = threading.Event()
        # Ray calls back on a thread that may not call Ray.
        self._ends = ThreadPoolExecutor(1, thread_name_prefix="ends of tasks")
        self._watch = threading.Thread(target=self._look_for_overdue, daemon=True)
        self._watch.start()

    @property
    def slots(self) -> int:
        """The cores of all machines in use, and a few more: what waits keeps cores busy, and makes a cluster grow."""
        with self._lock:
            cores = sum(_cores(node) for node in ray.nodes() if node["Alive"] and node["NodeID"] not in self._set_aside)
        slots = cores + max(1, cores // 8)
        return slots if self._max_jobs is None else min(slots, self._max_jobs)

    def submit(self, job: EvaluationJob) -> Future[EvaluationReport]:
        """As FarmEngine. A machine that dies is Ray's to mend; what Ray gives up raises ChildFailed."""
        task = _Task(job, Future())
        task.report.set_running_or_notify_cancel()
        with self._lock:
            if self._closed.is_set():  # Ray would start a cluster of its own
                raise ChildFailed(text("The farm is ending."))
            self._tasks.append(task)
            self._begin_what_may_run()
        return task.report

    def close(self) -> None:
        """As FarmEngine: what is still driven is cut off. The cluster goes on."""
        self._closed.set()
        with self._lock:
            for task in list(self._tasks):
                self._give_up(task, text("The farm was stopped before the run ended."))
        self._ends.shutdown(wait=True)
        self._watch.join()
        ray.shutdown()

    def _begin_what_may_run(self) -> None:
        """Give Ray the jobs that came first, up to `max_jobs`: of runs, of heats, of checkpoints that are tried."""
        for task in [task for task in self._tasks if task.ref is None]:
            if self._max_jobs is not None and sum(each.ref is not None for each in self._tasks) >= self._max_jobs:
                return
            task.overdue_at_s = time.monotonic() + 2 * wall_limit_s(task.job)
            try:
                self._begin(task)
            except (OSError, RayError) as error:
                self._tasks.remove(task)
                task.report.set_exception(ChildFailed(_about(error)))

    def _begin(self, task: _Task) -> None:
        """Give a job to Ray. It may be given a second time, elsewhere."""
        options = {"label_selector": {"ray.io/node-id": f"!in({','.join(self._set_aside)})"}} if self._set_aside else {}
        models = [self._model(Path(path)) for path in (task.job.model, task.job.opponent) if path]
        asked = self._task.options(**options)
        task.ref = asked.remote(encode_job(task.job), ENGINE, tuple(self._like_it), *models)
        task.ref.future().add_done_callback(lambda answer: self._pass_on(task, answer))

    def _pass_on(self, task: _Task, answer: "Future[tuple[str, str, bytes]]") -> None:
        with contextlib.suppress(RuntimeError):  # it is closed, and has given the task up
            self._ends.submit(self._ended, task, answer)

    def _model(self, path: Path) -> ray.ObjectRef:
        """The model in the object store, from which each machine fetches it once."""
        content = read_model(path)
        digest = hashlib.sha256(b"".join(name.encode() + b"\0" + file for name, file in content.items())).hexdigest()
        if digest not in self._models:
            self._models[digest] = ray.put(content)
            while len(self._models) > _MODELS_KEPT:
                self._models.popitem(last=False)  # Ray keeps it for the tasks that still need it
        self._models.move_to_end(digest)
        return self._models[digest]

    def _ended(self, task: _Task, answer: "Future[tuple[str, str, bytes]]") -> None:
        """Take what a task came to: its report, or why there is none; or give it to another machine."""
        try:
            node, host, answered = answer.result()
            outcome = decode_outcome(answered) if answered != _NO_RACEDAY else None
        except (RayError, ValueError) as error:
            self._settle(task, ChildFailed(_about(error)))
            return
        with self._lock:
            if sentence := self._unlike(node, outcome):
                self._put_aside(task, node, f"{host}: {sentence}")
                return
        assert outcome is not None
        if outcome.report is not None:
            self._settle(task, outcome.report)
        else:
            self._settle(task, (ChildFailed if outcome.machine_failed else BadInput)(outcome.sentence))

    def _unlike(self, node: str, outcome: WorkerOutcome | None) -> str:
        """How this machine differs from the others; "" if it does not."""
        if outcome is None:
            return text("it is left out, since Raceday is not installed there for Ray's Python.")
        if outcome.engine != ENGINE:
            return text(
                "it is left out, since its engine is {theirs}, and ours {ours}.", theirs=outcome.engine, ours=ENGINE
            )
        if node in self._set_aside:
            return text("it is left out.")
        if outcome.canary_sha256:
            self._canary = self._canary or outcome.canary_sha256
            if outcome.canary_sha256 != self._canary:
                return text("it is left out, since its arithmetic differs from that of the others.")
            self._like_it.add(node)
        return ""

    def _put_aside(self, task: _Task, node: str, sentence: str) -> None:
        """Leave a machine out from now on, and drive the task elsewhere."""
        if node not in self._set_aside:
            self._set_aside.add(node)
            self._say(sentence)
        if any(_cores(each) for each in ray.nodes() if each["Alive"] and each["NodeID"] not in self._set_aside):
            self._begin(task)
        else:
            self._settle(task, OperatorError(text("No machine of the cluster is left to drive. {why}", why=sentence)))

    def _settle(self, task: _Task, result: EvaluationReport | Exception) -> None:
        with self._lock:
            if task not in self._tasks:
                return
            self._tasks.remove(task)
            if not self._closed.is_set():
                self._begin_what_may_run()
        if isinstance(result, Exception):
            task.report.set_exception(result)
        else:
            task.report.set_result(result)

    def _look_for_overdue(self) -> None:
        while not self._closed.wait(_LOOK_EVERY_S):
            with self._lock:
                for task in [task for task in self._tasks if task.ref and time.monotonic() > task.overdue_at_s]:
                    self._give_up(task, text("The cluster did not drive the run in time."))

    def _give_up(self, task: _Task, sentence: str) -> None:
        if task.ref is not None:
            with contextlib.suppress(RayError):
                ray.cancel(task.ref, force=True)
        self._settle(task, ChildFailed(sentence))


def _worker_function() -> Callable[..., tuple[str, str, bytes]]:
    """What a worker runs; Ray sends its code along, so that one without Raceday answers too: with no bytes."""

    def drive_here(
        job: str, engine: str, known: tuple[str, ...], *models: Mapping[str, bytes]
    ) -> tuple[str, str, bytes]:
        node = ray.get_runtime_context().get_node_id()
        try:
            from simulator.farm.worker import drive  # noqa: PLC0415
        except ModuleNotFoundError:
            return node, socket.gethostname(), b""
        return node, socket.gethostname(), drive(models, job, engine, node not in known)

    return drive_here


def _cores(node: Mapping[str, Mapping[str, float]]) -> int:
    return int(node["Resources"].get("CPU", 0))


def _about(error: Exception) -> str:
    """One sentence about what Ray, or Python on a worker, says."""
    cause = error.cause if isinstance(error, RayTaskError) else error
    sentence = _first_line(cause)
    return text(
        "The cluster could not drive the run ({kind}: {sentence})", kind=type(cause).__name__, sentence=sentence
    )


def _first_line(error: BaseException) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "")


def _connect(address: str | None, say: Callable[[str], None]) -> None:
    """Join the cluster as a driver. Raises OperatorError."""
    address = address or os.environ.get("RAY_ADDRESS") or "auto"
    if address != "auto":
        _probe(address)
        say(text("Joining the Ray cluster at {address} ...", address=address))
    stop = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(address, namespace="raceday", log_to_driver=False, configure_logging=False)
    except (RayError, OSError, RuntimeError, ValueError) as error:
        raise OperatorError(
            text(
                "No Ray cluster can be used at {address}, of which this machine must be one ({kind}: {sentence})",
                address=address,
                kind=type(error).__name__,
                sentence=_first_line(error),
            )
        ) from error
    finally:
        signal.signal(signal.SIGTERM, stop)  # Ray sets its own, which ends the process with exit code 15


def _probe(address: str) -> None:
    """Ray itself would try for minutes, and then end the process."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or "/" in host:
        raise BadInput(
            text("{address} is not the address of a Ray cluster: HOST:PORT, as `ray start` prints it.", address=address)
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), _PROBE_S).close()
    except (OSError, OverflowError) as error:
        raise OperatorError(
            text("There is no Ray cluster at {address} ({error}).", address=address, error=error)
        ) from None
