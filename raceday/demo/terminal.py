"""Shows the demo in the terminal: progress, the run, live laps, the standings and the URLs."""

from dataclasses import dataclass, field
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from shared.units import format_ms, format_ns
from station.core.facts import Lap
from station.views.views import View

NOTES_SHOWN = 5


@dataclass(slots=True)
class TerminalState:
    """Everything on the screen; changed by Terminal's methods, drawn by its thread."""

    urls: list[tuple[str, str]] = field(default_factory=list)
    step: str = "starting"
    done: int = 0
    steps: int = 1
    view: View | None = None
    notes: list[str] = field(default_factory=list)


class Terminal:
    """A live screen on a terminal; plain lines if the output is not a terminal (a log, CI)."""

    def __init__(self, console: Console) -> None:
        self.state = TerminalState()
        self._console = console
        self._live = Live(console=console, get_renderable=self._draw, refresh_per_second=8, transient=False)
        self._printed: set[tuple[str, str]] = set()

    def __enter__(self) -> "Terminal":
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def step(self, what: str, done: int, steps: int) -> None:
        """Shows the current step, `done` of `steps`."""
        self.state.step, self.state.done, self.state.steps = what, done, steps
        if not self._console.is_terminal:
            self._console.print(f"[{done}/{steps}] {what}", markup=False, highlight=False)

    def show_urls(self, urls: list[tuple[str, str]]) -> None:
        """Shows the names and URLs of the pages."""
        self.state.urls = urls
        if not self._console.is_terminal:
            for name, url in urls:
                self._console.print(f"{name}: {url}", markup=False, highlight=False)

    def log(self, sentence: str) -> None:
        """Shows one sentence."""
        self.state.notes = [*self.state.notes, sentence][-NOTES_SHOWN:]
        if not self._console.is_terminal:
            self._console.print(sentence, markup=False, highlight=False)

    def update(self, view: View) -> None:
        """Shows the newest state of the station."""
        self.state.view = view
        if self._console.is_terminal or view.run is None:
            return
        for lap in view.run.laps:
            for words in _lap_lines(lap):
                key = (view.run.run_id, words)
                if key not in self._printed:
                    self._printed.add(key)
                    self._console.print(f"{view.run.racer}: {words}", markup=False, highlight=False)

    def _draw(self) -> RenderableType:
        state = self.state
        parts: list[RenderableType] = [_links(state), _progress(state)]
        if state.view is not None:
            parts += [_run(state.view), _standing(state.view)]
        parts += [Text(f"· {note}", style="dim") for note in state.notes]
        return Panel(Group(*parts), title="Raceday", border_style="cyan", padding=(1, 2))


def _lap_lines(lap: Lap) -> list[str]:
    """One line for each thing that is known of a lap; `update` prints each of them once."""
    lines = [f"lap {lap.number}  {format_ns(lap.lap_ns)}"]
    lines += [] if lap.valid else [f"lap {lap.number} is void: {lap.reason}"]
    return lines + ([f"lap {lap.number} is confirmed by the car"] if lap.confirmed else [])


def _links(state: TerminalState) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, url in state.urls:
        table.add_row(Text(name, style="bold"), Text(url, style="underline cyan"))
    return table


def _progress(state: TerminalState) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_row(ProgressBar(total=state.steps, completed=state.done, width=32), Text(state.step))
    return table


def _run(view: View) -> RenderableType:
    run = view.run
    if run is None:
        return Text("No run yet.", style="dim")
    clock = ""
    if run.lap_started_ns is not None and run.phase == "running":
        clock = f"  lap {run.lap_number}  {format_ns(max(0, view.clock.now_ns - run.lap_started_ns))[:-2]}"
    table = Table(expand=False)
    for name in ("lap", "time", "status", "car"):
        table.add_column(name, justify="right" if name in ("lap", "time") else "left")
    for lap in run.laps:
        status = "ok" if lap.valid else f"void: {lap.reason}"
        penalty = f" +{lap.off_tracks} off" if lap.off_tracks else ""
        best = " ★" if lap.lap_ns == run.best_ns else ""
        table.add_row(str(lap.number), format_ns(lap.lap_ns) + best, status + penalty, "✓" if lap.confirmed else "…")
    return Group(Text(f"{run.racer} · {run.car} · {run.phase}{clock}", style="bold"), table)


def _standing(view: View) -> RenderableType:
    if not view.standing:
        return Text("")
    table = Table(expand=False)
    for name in ("rank", "racer", "score", "gap"):
        table.add_column(name, justify="left" if name == "racer" else "right")
    for line in view.standing:
        gap = f"+{format_ms(line.gap_ms)}" if line.gap_ms else ""
        table.add_row(str(line.rank), line.racer, format_ms(line.score_ms), gap)
    return Group(Text("Standing", style="bold"), table)
