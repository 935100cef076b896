"""`raceday world VERB ...`: the verbs that hold the mock world against the real simulator. Without one it starts.

Called by `simulator.realtime.world_process`, whose arguments go on as they are.
"""

import importlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WorldVerb:
    """A verb: its name, the module whose `main(arguments)` returns the exit code, and what it does."""

    name: str
    module: str
    what: str


# A verb's module is imported only when the verb is used.
VERBS: tuple[WorldVerb, ...] = (
    WorldVerb("compare", "simulator.fidelity.frame_compare", "a frame of the real simulator beside ours, in figures"),
    WorldVerb("fit", "simulator.fidelity.fit_command", "a car fitted to simtraces, and how far cars are off"),
)


def run_verb(arguments: list[str]) -> int | None:
    """Run the verb that the arguments begin with and return its exit code; None if they begin with none."""
    verb = next((verb for verb in VERBS if arguments[:1] == [verb.name]), None)
    if verb is None:
        return None
    code: int = importlib.import_module(verb.module).main(arguments[1:])
    return code


def verbs_help() -> str:
    """One line for each verb."""
    return "\n".join(["verbs, instead of starting the world:", *(f"  {verb.name:<10} {verb.what}" for verb in VERBS)])
