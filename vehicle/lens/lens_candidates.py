"""The lenses among which a measurement chooses: pinhole or fisheye, with as many unknowns as the data can tell.

A coefficient that the data do not show is not fitted but left at 0: candidates with more unknowns must earn them by
the Bayesian information criterion (Schwarz, 1978). Called by shown_boards.py and gate_drive.py.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from shared.errors import BadInput
from vehicle.lapwatch.lens import Lens
from vehicle.lens.bundle import BundleFit, Floats, Prior

NAMES = ("focal_px", "centre_x_px", "centre_y_px", "k1", "k2", "k3", "k4")
FOCAL, CENTRE, COEFFICIENTS = (0,), (1, 2), (3, 4, 5, 6)
_CENTRE_SIGMA = 0.02  # of the picture's width: how far lenses are glued beside the middle of their sensor
_COEFFICIENT_SIGMA = 0.15
_STARTS = (
    (False, math.radians(65.0)),
    (True, math.radians(90.0)),
    (True, math.radians(120.0)),
    (True, math.radians(155.0)),
)


@dataclass(frozen=True, slots=True)
class LensCandidate:
    """A kind of lens with the unknowns that are to be fitted, indices of NAMES; the others keep their `start`."""

    is_fisheye: bool
    free: tuple[int, ...]
    start: tuple[float, ...]  # of NAMES, the focal length as its logarithm
    width_px: int

    def lens(self, unknowns: Floats) -> Lens:
        """The lens with these free unknowns."""
        values = self.values(unknowns)
        coefficients = (float(values[3]), float(values[4]), float(values[5]), float(values[6]))
        k = coefficients if self.is_fisheye else None
        return Lens(float(np.exp(np.clip(values[0], -5, 20))), (float(values[1]), float(values[2])), k)

    def values(self, unknowns: Floats) -> Floats:
        """All of NAMES, the focal length as its logarithm."""
        values = np.array(self.start, np.float64)
        values[list(self.free)] = unknowns[: len(self.free)]
        return values

    @property
    def unknowns(self) -> Floats:
        """The free unknowns to begin with."""
        return np.array([self.start[n] for n in self.free], np.float64)

    @property
    def prior(self) -> Prior:
        """Centres are near the middle, coefficients small; of the focal length nothing is known."""
        sigmas = np.array([math.inf, *[_CENTRE_SIGMA * self.width_px] * 2, *[_COEFFICIENT_SIGMA] * 4])
        means = np.array([0.0, *self.start[1:3], 0.0, 0.0, 0.0, 0.0])
        return Prior(means[list(self.free)], sigmas[list(self.free)])

    def with_free(self, free: tuple[int, ...], values: Floats) -> "LensCandidate":
        """The same kind with other unknowns, beginning with these values of NAMES."""
        kept = [float(v) if n in (*self.free, *free) else s for n, (v, s) in enumerate(zip(values, self.start))]  # noqa: B905
        return LensCandidate(self.is_fisheye, free, tuple(kept), self.width_px)


# Fits a candidate, from the fit of a smaller one if there is one.
FitCandidate = Callable[[LensCandidate, BundleFit | None], BundleFit]


def choose_lens(fit_candidate: FitCandidate, width_px: int, height_px: int) -> tuple[LensCandidate, BundleFit]:
    """The candidate that explains the data best, and its fit. Raises BadInput if no lens explains them."""
    found = [(start, fit_candidate(start, None)) for start in _starts(width_px, height_px)]
    simple = sorted(found, key=lambda one: _criterion(*one))
    best: list[tuple[LensCandidate, BundleFit]] = []
    for is_fisheye in (False, True):
        start, first = next(one for one in simple if one[0].is_fisheye == is_fisheye)
        best += _grown(fit_candidate, start, first)
    usable = [one for one in best if _is_usable(one[0].lens(one[1].shared), width_px, height_px)]
    if not usable:
        raise BadInput("no lens explains these pictures: are the boards' sizes right, and all from one camera?")
    return min(usable, key=lambda one: _criterion(*one))


def _starts(width_px: int, height_px: int) -> Iterable[LensCandidate]:
    for is_fisheye, fov_rad in _STARTS:
        focal_px = width_px / 2 / (fov_rad / 2 if is_fisheye else math.tan(fov_rad / 2))
        start = (math.log(focal_px), (width_px - 1) / 2, (height_px - 1) / 2, 0.0, 0.0, 0.0, 0.0)
        yield LensCandidate(is_fisheye, FOCAL, start, width_px)


def _grown(
    fit_candidate: FitCandidate, candidate: LensCandidate, fit: BundleFit
) -> list[tuple[LensCandidate, BundleFit]]:
    """The candidate, and those with more unknowns, each begun where a smaller one ended."""
    grown = [(candidate, fit)]
    sets: list[tuple[int, ...]] = [FOCAL + CENTRE]
    if candidate.is_fisheye:
        sets += [FOCAL + COEFFICIENTS[:1], FOCAL + COEFFICIENTS[:2]]
        sets += [FOCAL + CENTRE + COEFFICIENTS[:n] for n in (1, 2, 4)]
    for free in sets:
        smaller, its_fit = max((one for one in grown if set(one[0].free) < set(free)), key=lambda one: len(one[0].free))
        larger = smaller.with_free(free, smaller.values(its_fit.shared))
        grown.append((larger, fit_candidate(larger, its_fit)))
    return grown


def _criterion(candidate: LensCandidate, fit: BundleFit) -> float:
    """Schwarz's criterion: less is better; a further unknown costs the logarithm of the number of measurements."""
    missed = np.abs(fit.misses[np.isfinite(fit.misses)])
    free = max(2, fit.measured - fit.own.size)  # each view's own unknowns take as many measurements
    robust = float((np.minimum(missed, 3.0) ** 2).sum()) / free
    return free * math.log(max(robust, 1e-9)) + len(candidate.free) * math.log(free)


def _is_usable(lens: Lens, width_px: int, height_px: int) -> bool:
    """Whether the lens gives a ray for all of the picture between the middles of its sides."""
    edges = np.array([[0.0, height_px / 2], [width_px - 1.0, height_px / 2], [width_px / 2, height_px - 1.0]])
    return bool(np.isfinite(lens.rays(edges)).all())
