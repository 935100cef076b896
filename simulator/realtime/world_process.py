"""The world process: the stage in real time (times `speed`), its clock in a file, its devices on a socket.

`raceday world --config world.toml` starts it. True events are written line by line to `truth.jsonl` beside the socket,
for the demo and the tests only; no machine of the race reads them.
"""

import argparse
import dataclasses
import json
import pathlib
import sys
import time
import uuid
from dataclasses import dataclass
from typing import TextIO

from shared.config import load, setting
from shared.errors import ConfigError, Refused, StorageError
from shared.files import write_ready_file
from shared.protocol.topics import checked_device
from shared.units import NS_PER_MS
from simulator.fidelity.command import VERBS, run_verb, verbs_help
from simulator.realtime.pacing import AnswerWait, TickSchedule
from simulator.realtime.protocol import (
    CLOCK_NAME,
    TRUTH_NAME,
    FrameTaken,
    Hello,
    PulseWidths,
    ReplayRequest,
    Welcome,
    WorldMessage,
    WorldRefusal,
    WorldRequest,
    WorldStatus,
    pack_frame,
    socket_path,
)
from simulator.realtime.shared_clock import ClockAnchor, ClockWriter
from simulator.realtime.socket_server import Peer, SocketServer
from simulator.realtime.stage import TICK_NS, Stage, StageSettings, StageTick
from simulator.world.optics.lens_table import WorldLensTable
from simulator.world.tracks import load_track
from simulator.world.world import STEPS_PER_S
from vehicle.core.pulses import PERIOD_NS, Pulses
from vehicle.hardware.frame import Pixels

__all__ = ["VERBS", "WorldConfig", "WorldProcess", "main"]

_LONGEST_WAIT_S = 0.2


@dataclass(frozen=True, slots=True)
class WorldConfig:
    """All settings of world.toml."""

    run_dir: str = setting(what="folder for the socket, the clock and the truth", file=True)
    track: str = setting("reinvent_base", what="a shipped track's name or a FILE.npy")
    seed: int = setting(1, min=0, max=2**31, what="the seed of the floor, the light and every car")
    speed: float = setting(1.0, min=0.05, max=50.0, what="simulated seconds per real second")
    frame_rate_hz: int = setting(15, min=1, max=60, what="must divide 240")
    board: bool = setting(True, what="put ArUco boards at the gate")
    splits: tuple[float, ...] = setting((), what="split gates as fractions of the lap, 0 to 1")
    edges_kept: int = setting(1000, min=1, max=100_000, what="how many edges a gate remembers")
    catch_up_ms: int = setting(20, min=0, max=1000, what="delay that is caught up; a longer one stretches time")
    patience_ms: int = setting(0, min=0, max=5000, what="real time to wait for a frame's answer; 0: never wait")
    lens: WorldLensTable | None = None

    def __post_init__(self) -> None:
        if STEPS_PER_S % self.frame_rate_hz:
            raise ConfigError(f"`frame_rate_hz` is {self.frame_rate_hz}; it must divide {STEPS_PER_S}.")
        if any(not 0.0 < share < 1.0 for share in self.splits):
            raise ConfigError("`splits` are fractions of the lap: each must lie between 0 and 1.")


class WorldProcess:
    """Owns the stage; its only thread is the one that calls `run`."""

    def __init__(self, config: WorldConfig) -> None:
        self._config = config
        self._boot = str(uuid.uuid4())
        settings = StageSettings(
            config.seed,
            config.frame_rate_hz,
            config.board,
            tuple(config.splits),
            config.edges_kept,
            config.lens.lens if config.lens is not None else None,
        )
        self._stage = Stage(load_track(config.track), settings)
        self._answer_wait = AnswerWait(config.patience_ms * NS_PER_MS, STEPS_PER_S // config.frame_rate_hz)
        self._frame_seq: dict[str, int] = {}
        folder = pathlib.Path(config.run_dir)
        self._truth = _open_truth(folder)
        self._write_truth({"world": self._boot, "track": config.track, "seed": config.seed, "speed": config.speed})
        self._server = SocketServer(socket_path(config.run_dir), self._on_message)
        self._pace = TickSchedule(TICK_NS, config.speed, config.catch_up_ms * NS_PER_MS, time.monotonic_ns())
        self._clock = ClockWriter(folder / CLOCK_NAME, self._boot, self._anchor(self._pace.base_ns))

    def run(self) -> None:
        """Run until a signal ends the process."""
        while True:
            wall_ns = time.monotonic_ns()
            wait_ns = self._pace.due_ns() - wall_ns
            if wait_ns <= 0:
                wait_ns = self._answer_wait.wait_ns(wall_ns, self._stage.now_ns + TICK_NS)
            if wait_ns > 0:
                self._server.poll(min(wait_ns / 1e9, _LONGEST_WAIT_S))
                continue
            self._tick(wall_ns)
            self._server.poll(0)

    def close(self) -> None:
        self._server.close()
        self._clock.close()
        self._truth.close()

    def _tick(self, wall_ns: int) -> None:
        tick = self._stage.tick()
        self._clock.write(self._anchor(self._pace.ticked(wall_ns)))
        for truth in tick.truths:
            self._write_truth(dataclasses.asdict(truth))
            for peer in self._server.peers("control"):
                if peer.live:
                    self._server.send(peer, truth)
        for beam, edge in tick.edges:
            for peer in self._server.peers("gate", beam):
                if peer.live:
                    self._server.send(peer, edge)
        self._send_frames(tick)

    def _send_frames(self, tick: StageTick) -> None:
        """Send frames to the cameras: the car on the track sees the track, the others the pits."""
        car = self._stage.car
        if tick.shot is not None:
            seq = self._frame(car, tick.shot.pixels, tick.shot.at_ns)
            ready = bool(self._server.peers("camera", car) and self._server.peers("motors", car))
            self._answer_wait.on_frame_sent(car if ready else "", seq, tick.shot.at_ns, time.monotonic_ns())
        if tick.pits_due:
            waiting = {peer.name for peer in self._server.peers("camera")} - {car}
            shot = self._stage.pit_shot() if waiting else None
            for name in sorted(waiting):
                assert shot is not None
                self._frame(name, shot.pixels, shot.at_ns)

    def _frame(self, car: str, pixels: Pixels, at_ns: int) -> int:
        seq = self._frame_seq[car] = self._frame_seq.get(car, 0) + 1
        packet = pack_frame(pixels, at_ns, seq)
        for peer in self._server.peers("camera", car):
            peer.frames += 1
            self._server.send_frame(peer, packet)
        return seq

    def _on_message(self, peer: Peer, message: WorldMessage) -> None:
        try:
            self._do(peer, message)
        except Refused as error:
            self._server.send(peer, WorldRefusal(str(error)))

    def _do(self, peer: Peer, message: WorldMessage) -> None:
        match message:
            case Hello():
                self._welcome(peer, message)
            case ReplayRequest() if peer.role in ("gate", "control"):
                self._replay(peer, message.after)
            case PulseWidths() if peer.role == "motors":
                if not (0 <= message.steering_ns <= PERIOD_NS and 0 <= message.throttle_ns <= PERIOD_NS):
                    raise Refused(f"A pulse is 0 to {PERIOD_NS} ns wide.")
                self._stage.wire(peer.name, Pulses(message.steering_ns, message.throttle_ns))
                self._answer_wait.on_pulses(peer.name, time.monotonic_ns())
            case FrameTaken() if peer.role == "camera":
                self._answer_wait.on_frame_taken(peer.name, message.seq, time.monotonic_ns())
            case WorldRequest() if peer.role == "control":
                self._answer(peer, message)
            case _:
                raise Refused(f"A peer with role {peer.role or 'unknown'} cannot send {type(message).__name__} here.")

    def _welcome(self, peer: Peer, hello: Hello) -> None:
        if hello.role == "gate" and hello.name not in self._stage.beams:
            raise Refused(f"there is no beam {hello.name!r} across this track, only {', '.join(self._stage.beams)}.")
        if hello.role in ("camera", "motors"):
            checked_device(hello.name)
        peer.introduce(hello)
        self._server.send(peer, Welcome(self._boot, self._config.speed))

    def _replay(self, peer: Peer, after: int) -> None:
        peer.live = True
        if peer.role == "gate":
            for edge in self._stage.edges_after(peer.name, after):
                self._server.send(peer, edge)
        else:
            for truth in self._stage.truths:
                if truth.seq > after:
                    self._server.send(peer, truth)

    def _answer(self, peer: Peer, request: WorldRequest) -> None:
        match request.deed:
            case "place":
                self._stage.place(request.car)
            case "remove":
                self._stage.remove()
            case "put_back":
                self._stage.put_back()
            case "appearance":
                self._stage.set_appearance(request.number)
        self._server.send(peer, self._status())

    def _status(self) -> WorldStatus:
        stage, world = self._stage, self._stage.world
        return WorldStatus(
            boot=self._boot,
            track=stage.track.name,
            length_m=stage.track.length_m,
            now_ns=stage.now_ns,
            rate=self._config.speed,
            car=stage.car,
            frames=stage.frames,
            speed_mps=world.pose.speed_mps if world else 0.0,
            off_track=world.off_track if world else False,
            stretched_ms=self._pace.stretched_ns // NS_PER_MS,
            waited_ms=self._answer_wait.waited_ns // NS_PER_MS,
            missed_frames=sum(peer.missed for peer in self._server.peers("camera")),
        )

    def _anchor(self, wall_ns: int) -> ClockAnchor:
        return ClockAnchor(wall_ns, self._stage.now_ns, TICK_NS, self._config.speed, self._boot)

    def _write_truth(self, line: dict[str, object]) -> None:
        self._truth.write(json.dumps(line) + "\n")


def _open_truth(folder: pathlib.Path) -> TextIO:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return (folder / TRUTH_NAME).open("a", buffering=1, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"The world cannot write in {folder} ({error}): choose another `run_dir`.") from None


def main(argv: list[str]) -> int:
    """`raceday world --config FILE` runs until SIGTERM or Ctrl-C; `raceday world VERB` returns when it is done."""
    code = run_verb(argv)
    if code is not None:
        return code
    parser = argparse.ArgumentParser(
        prog="raceday world",
        description=__doc__,
        epilog=verbs_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--config", type=pathlib.Path, required=True)
    parser.add_argument("--ready-file", type=pathlib.Path, help="written when the world can be reached")
    chosen = parser.parse_args(argv)
    config = load(chosen.config, WorldConfig)
    world = WorldProcess(config)
    try:
        address = f"unix:{socket_path(config.run_dir)}"
        sys.stdout.write(f"listening on {address}\n")
        sys.stdout.flush()
        if chosen.ready_file is not None:
            write_ready_file(chosen.ready_file, address)
        world.run()
    finally:
        world.close()
    return 0
