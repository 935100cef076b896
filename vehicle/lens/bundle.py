"""Least squares over views of one camera: what they share (the lens) and what each has of its own (a pose).

Bundle adjustment as in Triggs et al., "Bundle Adjustment: A Modern Synthesis" (1999): Levenberg-Marquardt with the
unknowns of each view eliminated first, so that a hundred views cost no more than their number. Outliers are weighed
down after Huber. Pure; called by shown_boards.py and gate_drive.py.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# (shared (G,), own (V, M)) -> misses (V, N) in units of their standard deviation; NaN where nothing was measured.
Misses = Callable[[Floats, Floats], Floats]

_STEP = 1e-6
_RIDGE = 1e-9  # keeps an unknown that nothing depends on from being divided by
_HUBER = 2.5
_MAX_STEPS = 40
_SETTLED = 1e-6
_LARGEST_DAMPING = 1e8


@dataclass(frozen=True, slots=True)
class Prior:
    """What is known beforehand: the likely values and how far they may be off; infinity: nothing is known."""

    mean: Floats
    sigma: Floats

    def misses(self, values: Floats) -> Floats:
        """The difference to the likely values, in standard deviations."""
        return (values - self.mean) / self.sigma


@dataclass(frozen=True, slots=True)
class BundleFit:
    """The solution: shared and own unknowns, and the covariance of the shared ones, scaled by the scatter that is seen.

    `misses` are those of the solution; `scatter` is their root mean square, `measured` how many there are.
    """

    shared: Floats
    own: Floats
    covariance: Floats
    misses: Floats
    scatter: float
    measured: int


def fit(
    misses: Misses, shared: Floats, own: Floats, shared_prior: Prior, own_prior: Prior, steps: int = _MAX_STEPS
) -> BundleFit:
    """The unknowns under which the sum of the squared misses is least, found from the given ones in so many steps."""
    damping, missed = 1e-3, misses(shared, own)
    cost = _cost(missed, shared_prior, own_prior, shared, own)
    for _ in range(steps):
        system = _linearise(misses, missed, shared, own, shared_prior, own_prior)
        better = None
        while better is None and damping < _LARGEST_DAMPING:
            step_shared, step_own = system.solve(damping)
            new_shared, new_own = shared + step_shared, own + step_own
            new_missed = misses(new_shared, new_own)
            new_cost = _cost(new_missed, shared_prior, own_prior, new_shared, new_own)
            if new_cost < cost:
                better = new_cost
            else:
                damping *= 8.0
        if better is None:
            break
        gained = cost - better
        shared, own, missed, cost = new_shared, new_own, new_missed, better
        damping = max(damping / 6.0, 1e-9)
        if gained < _SETTLED * cost:
            break
    system = _linearise(misses, missed, shared, own, shared_prior, own_prior)
    measured = int(np.isfinite(missed).sum())
    unknown = max(1, measured - len(shared) - own.size)
    scatter = float(np.sqrt(np.nansum(_weights(missed) * missed**2) / unknown))
    return BundleFit(shared, own, system.covariance() * scatter**2, missed, scatter, measured)


@dataclass(frozen=True, slots=True)
class _System:
    """The normal equations, with the blocks of each view beside those that are shared."""

    shared: Floats  # (G, G)
    mixed: Floats  # (V, G, M)
    own: Floats  # (V, M, M)
    shared_right: Floats  # (G,)
    own_right: Floats  # (V, M)

    def solve(self, damping: float) -> tuple[Floats, Floats]:
        """The damped step of the shared and of each view's own unknowns."""
        own = self.own + damping * _diagonals(self.own)
        shared = self.shared + np.diag(damping * np.diag(self.shared) + _RIDGE)
        reduced = np.linalg.solve(own, np.swapaxes(self.mixed, 1, 2))  # (V, M, G)
        matrix = shared - np.einsum("vgm,vmh->gh", self.mixed, reduced)
        right = self.shared_right - np.einsum("vmg,vm->g", reduced, self.own_right)
        step_shared = np.linalg.solve(matrix, right)
        step_own = np.linalg.solve(own, self.own_right[:, :, None])[:, :, 0] - reduced @ step_shared
        return step_shared, step_own

    def covariance(self) -> Floats:
        """Of the shared unknowns, with those of the views free."""
        own = self.own + _RIDGE * _diagonals(self.own)  # a view may not tell one of its own from another
        reduced = np.linalg.solve(own, np.swapaxes(self.mixed, 1, 2))
        return np.asarray(np.linalg.pinv(self.shared - np.einsum("vgm,vmh->gh", self.mixed, reduced)))


def _linearise(
    misses: Misses, missed: Floats, shared: Floats, own: Floats, shared_prior: Prior, own_prior: Prior
) -> _System:
    """The normal equations around the present unknowns, by forward differences."""
    of_shared = np.stack([_slopes(misses(moved, own), missed) for moved in _moved(shared)], axis=-1)
    of_own = np.stack([_slopes(misses(shared, moved), missed) for moved in _moved(own)], axis=-1)
    weights = _weights(missed)
    known = np.nan_to_num(missed)
    weighted = of_own * weights[:, :, None]
    shared_weight, own_weight = 1.0 / shared_prior.sigma**2, 1.0 / own_prior.sigma**2
    return _System(
        np.einsum("vng,vn,vnh->gh", of_shared, weights, of_shared) + np.diag(shared_weight),
        np.einsum("vng,vnm->vgm", of_shared, weighted),
        np.einsum("vnm,vnk->vmk", weighted, of_own) + np.diag(own_weight + _RIDGE),
        -np.einsum("vng,vn->g", of_shared, weights * known) - shared_prior.misses(shared) / shared_prior.sigma,
        -np.einsum("vnm,vn->vm", weighted, known) - own_prior.misses(own) / own_prior.sigma,
    )


def _moved(values: Floats) -> list[Floats]:
    """The unknowns with one of the last axis moved a little, for each of them."""
    return [values + _STEP * np.eye(values.shape[-1])[n] for n in range(values.shape[-1])]


def _slopes(moved: Floats, missed: Floats) -> Floats:
    return np.nan_to_num((moved - missed) / _STEP)


def _weights(missed: Floats) -> Floats:
    size = np.abs(np.nan_to_num(missed))
    return np.where(np.isfinite(missed), np.minimum(1.0, _HUBER / np.maximum(size, _HUBER)), 0.0)


def _cost(missed: Floats, shared_prior: Prior, own_prior: Prior, shared: Floats, own: Floats) -> float:
    size = np.abs(missed[np.isfinite(missed)])
    huber = np.where(size <= _HUBER, size**2, 2 * _HUBER * size - _HUBER**2)
    return float(huber.sum() + (shared_prior.misses(shared) ** 2).sum() + (own_prior.misses(own) ** 2).sum())


def _diagonals(blocks: Floats) -> Floats:
    return blocks * np.eye(blocks.shape[-1])
