"""Three laps as an older commit drove them, from its worktree: seconds of processor for each line of stdin.

Arguments: the worktree, the track, the number of laps. Imports that worktree's simulator, not this one.
"""

import sys
import time
from importlib import import_module


def main() -> None:
    worktree, name, laps = sys.argv[1:]
    sys.path.insert(0, worktree)
    evaluate, policies, tracks = (import_module(f"simulator.{part}") for part in ("evaluate", "policy", "tracks"))
    policy, track = policies.load_policy(policies.DEMO), tracks.load_track(name)
    print("ready", flush=True)
    for seed, _ in enumerate(sys.stdin):
        used_s = time.process_time()
        evaluate.drive(policy, track, seed, int(laps))
        print(time.process_time() - used_s, flush=True)


if __name__ == "__main__":
    main()
