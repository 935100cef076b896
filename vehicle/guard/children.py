"""The guard's two child processes, pilot and comms: starts and restarts them and receives their messages."""

import selectors
import time
from dataclasses import dataclass

from vehicle.guard.child import Child, describe_exit
from vehicle.process.channel import IpcMessage
from vehicle.process.log import log


@dataclass(frozen=True, slots=True)
class ChildExited:
    """A child has ended or is about to: its end of the channel is closed."""


@dataclass(frozen=True, slots=True)
class ChildMessage:
    """One message of the child `name`."""

    name: str
    message: IpcMessage | ChildExited


class ChildProcesses:
    """Pilot and comms; `receive` and `restart_exited` never block.

    `ready` holds the names of those that reported ready, or a device that they wait for.
    """

    def __init__(self, pilot: Child, comms: Child) -> None:
        self._children = {child.name: child for child in (pilot, comms)}
        self._selector: selectors.BaseSelector | None = None
        self.ready: set[str] = set()

    def start(self, selector: selectors.BaseSelector) -> None:
        """Start both; their messages wake the selector."""
        self._selector = selector
        for child in self._children.values():
            self._start(child)

    @property
    def all_ready(self) -> bool:
        """Whether both have reported ready, or a device that they wait for."""
        return self.ready >= self._children.keys()

    def startup_exit_code(self) -> int | None:
        """The exit code of one that ended instead of becoming ready (it logged the reason itself)."""
        for child in self._children.values():
            if (code := child.poll_exit()) is not None:
                return code if code > 0 else 1
        return None

    def receive(self) -> list[ChildMessage]:
        """Every message since the last call, oldest first for each child."""
        messages: list[ChildMessage] = []
        for child in self._children.values():
            if child.channel is None:
                continue
            messages += [ChildMessage(child.name, message) for message in child.channel.receive()]
            if child.channel.closed:
                messages.append(self._on_closed(child))
        return messages

    def restart_exited(self) -> list[ChildMessage]:
        """Log each child that ended, and start it again after its pause; returns a ChildExited for each that ended."""
        messages: list[ChildMessage] = []
        for child in self._children.values():
            if (code := child.poll_exit()) is not None:
                log(f"The {child.name} process {describe_exit(code)}.")
                if child.channel is not None:
                    messages.append(self._on_closed(child))
            elif child.restart_due():
                self._start(child)
        return messages

    def send(self, name: str, message: IpcMessage) -> bool:
        """Send a message to the child `name`; False if it was dropped or the child is not running."""
        channel = self._children[name].channel
        return channel is not None and channel.send(message)

    def terminate(self, name: str) -> None:
        """Send SIGTERM; `restart_exited` starts it again later."""
        self._children[name].terminate()

    def stop(self, patience_s: float) -> None:
        """End both with SIGTERM, and with SIGKILL those that have not ended after `patience_s`."""
        for child in self._children.values():
            child.terminate()
        deadline_s = time.monotonic() + patience_s
        for child in self._children.values():
            child.wait_or_kill(deadline_s - time.monotonic())

    def _start(self, child: Child) -> None:
        try:
            child.start()
        except OSError as error:  # as when the other child takes all threads that the service may have
            log(f"the {child.name} process cannot be started ({error.strerror}); it is tried again.")
            return
        assert child.channel is not None
        assert self._selector is not None
        self._selector.register(child.channel, selectors.EVENT_READ)

    def _on_closed(self, child: Child) -> ChildMessage:
        """Close our end now; `restart_exited` logs later how the child ended."""
        assert child.channel is not None
        assert self._selector is not None
        self._selector.unregister(child.channel)
        child.close_channel()
        self.ready.discard(child.name)
        return ChildMessage(child.name, ChildExited())
