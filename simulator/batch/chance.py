"""Chance that depends on a seed and a number alone, compiled: the same in whatever order worlds are driven."""

from typing import Any

import numpy as np

from simulator.batch.compiled import compiled_part


@compiled_part
def unit_from(seed: Any, number: Any) -> Any:
    """A number in [0, 1) by hashing a seed and a number (the finaliser of SplitMix64)."""
    return (mixed(seed, number) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@compiled_part
def mixed(seed: Any, number: Any) -> Any:
    """64 bits by hashing a seed and a number (SplitMix64 by Steele, Lea, Flood)."""
    z = np.uint64(seed) + (np.uint64(number) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
