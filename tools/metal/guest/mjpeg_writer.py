"""The webcam itself: writes JPEGs of a moving picture to a v4l2loopback device, 30 a second, until it is killed.

    python mjpeg_writer.py DEVICE

Started by camera.py with the installed product's Python; prints a line once the first frame is there. The pictures are
made before, so that the processor is free while they are shown.
"""

import fcntl
import os
import struct
import sys
import time

import cv2
import numpy as np

WIDTH_PX, HEIGHT_PX = 320, 240
RATE_HZ = 30.0
PICTURES = 30
# linux/videodev2.h: VIDIOC_S_FMT; struct v4l2_format is a type, padding, and a union of 200 bytes.
S_FMT = 0xC0D05605
VIDEO_OUTPUT, FIELD_NONE, SRGB = 2, 1, 8
MJPEG = int.from_bytes(b"MJPG", "little")
PIX_FORMAT = struct.Struct("=I4xIIIIIIII")
FORMAT_BYTES = 208


def pictures() -> list[bytes]:
    """JPEGs of a bar that moves over noise, so that no two are alike."""
    random = np.random.default_rng(1)
    noise = random.integers(0, 80, (HEIGHT_PX, WIDTH_PX, 3), dtype=np.uint8)
    made = []
    for number in range(PICTURES):
        picture = noise.copy()
        picture[:, number * WIDTH_PX // PICTURES :][:, :16] = 255
        made.append(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes())
    return made


def main() -> None:
    frames = pictures()
    device = os.open(sys.argv[1], os.O_RDWR)
    size = WIDTH_PX * HEIGHT_PX * 2
    wanted = PIX_FORMAT.pack(VIDEO_OUTPUT, WIDTH_PX, HEIGHT_PX, MJPEG, FIELD_NONE, 0, size, SRGB, 0)
    fcntl.ioctl(device, S_FMT, bytearray(wanted.ljust(FORMAT_BYTES, b"\0")))
    next_s, number = time.monotonic(), 0
    while True:
        os.write(device, frames[number % PICTURES])
        if number == 0:
            print("shows", flush=True)
        number += 1
        next_s = max(next_s + 1 / RATE_HZ, time.monotonic())
        time.sleep(max(0.0, next_s - time.monotonic()))


if __name__ == "__main__":
    main()
