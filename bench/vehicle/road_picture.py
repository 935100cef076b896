"""The input picture of the car's benchmarks: a road, since the pilot rejects a picture without content."""

import cv2
import numpy as np

from vehicle.hardware.frame import Pixels


def road(width_px: int, height_px: int, seed: int = 2) -> Pixels:
    """Draw grey ground, two white lines that meet at the horizon, a light wall, and sensor noise. uint8 (h, w)."""
    picture = np.full((height_px, width_px), 70, np.uint8)
    horizon, middle = height_px // 3, width_px // 2
    picture[:horizon] = 160
    for left in (0.05, 0.95):
        foot = (round(left * width_px), height_px - 1)
        cv2.line(picture, foot, (middle, horizon), (230,), max(2, width_px // 40))
    noise = np.random.default_rng(seed).normal(0.0, 2.0, picture.shape)
    noisy: Pixels = np.clip(picture + noise, 0, 255).astype(np.uint8)
    return noisy


def in_colours(picture: Pixels) -> Pixels:
    """The same picture as a camera delivers it: BGR, uint8 (h, w, 3)."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR), np.uint8)
