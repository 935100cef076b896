"""Three laps as an older commit drove them, from its worktree: seconds of processor for each line of stdin.

Arguments: the worktree, the track, the number of laps. Imports that worktree's simulator, not this one.
"""

import sys
import time


def main():
    worktree, name, laps = sys.argv[1:]
    sys.path.insert(0, worktree)
    from simulator.evaluate import drive  # noqa: PLC0415
    from simulator.policy import DEMO, load_policy  # noqa: PLC0415
    from simulator.tracks import load_track  # noqa: PLC0415

    policy, track = load_policy(DEMO), load_track(name)
    print("ready", flush=True)
    for seed, _ in enumerate(sys.stdin):
        used_s = time.process_time()
        drive(policy, track, seed, int(laps))
        print(time.process_time() - used_s, flush=True)


if __name__ == "__main__":
    main()
