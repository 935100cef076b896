"""gymnasium's CarRacing-v3 in its own environment: steps per second on request by stdin. Imports nothing of Raceday."""

import json
import sys
import time

import gymnasium


def main():
    world = gymnasium.make("CarRacing-v3", continuous=True)
    world.reset(seed=1)
    world.action_space.seed(1)
    print("ready", flush=True)
    for line in sys.stdin:
        what, count, _ = line.split()
        taken = []
        used_s = time.process_time()
        for _ in range(int(count)):
            action = world.action_space.sample()
            began = time.perf_counter_ns()
            _, _, ended, cut, _ = world.step(action)
            taken.append(time.perf_counter_ns() - began)
            if ended or cut:
                world.reset(seed=1)
        print(time.process_time() - used_s if what == "cpu" else json.dumps(taken), flush=True)


if __name__ == "__main__":
    main()
