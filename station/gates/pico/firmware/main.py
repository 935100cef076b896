"""The gate on a Raspberry Pi Pico, under MicroPython: pins, interrupts and USB around gatewire.py.

Copy this file and gatewire.py to the Pico (docs/set-up-a-track.md). Connect the beams to GP2 to GP5; the pins are
pulled up, for sensors with open-collector outputs, and the station's config says which level means broken. Ctrl-C
stops the program, so that a new version can be copied.
"""

import os
import select
import sys
from array import array
from time import ticks_us  # type: ignore[attr-defined]

import machine  # type: ignore[import-not-found]
from gatewire import Counter, GateFirmware  # type: ignore[import-not-found]
from machine import Pin

PINS = (2, 3, 4, 5)
RAW = 256  # edges between two rounds of the loop; a power of two
HEARTBEAT_US = 1_000_000

stamps = array("I", [0] * RAW)
changes = bytearray(RAW)
head = 0


def watch(index: int, pin: Pin) -> None:
    """Stamps the edges of one pin in a hard interrupt, which may not allocate."""

    def changed(pin: Pin) -> None:
        global head  # noqa: PLW0603
        stamps[head & (RAW - 1)] = ticks_us()
        changes[head & (RAW - 1)] = index << 1 | pin.value()
        head = (head + 1) & 0x3FFFFFFF

    pin.irq(changed, Pin.IRQ_RISING | Pin.IRQ_FALLING, hard=True)


def main() -> None:
    """Runs the main loop: stores edges, answers the station, and sends a heartbeat each second."""
    gate = GateFirmware("".join(["{:02x}".format(byte) for byte in os.urandom(4)]))  # noqa: UP032
    counter = Counter(30)  # ticks_us wraps every 18 minutes
    poller = select.poll()
    poller.register(sys.stdin, select.POLLIN)
    for index, number in enumerate(PINS):
        pin = Pin(number, Pin.IN, Pin.PULL_UP)
        gate.levels = gate.levels & ~(1 << index) | pin.value() << index
        watch(index, pin)
    tail = heartbeat_us = 0
    while True:
        output = b""
        while tail != head:
            if (head - tail) & 0x3FFFFFFF > RAW:
                machine.reset()  # edges were overwritten before they were numbered: only a new boot shows the loss
            slot = tail & (RAW - 1)
            gate.edge(counter.extend(stamps[slot]), changes[slot] >> 1, changes[slot] & 1)
            tail = (tail + 1) & 0x3FFFFFFF
        while poller.poll(0):
            output += gate.on_data(sys.stdin.buffer.read(1), counter.extend(ticks_us()))
        now_us = counter.extend(ticks_us())
        if now_us - heartbeat_us >= HEARTBEAT_US:
            heartbeat_us = now_us
            output += gate.heartbeat()
        output += gate.next_edges()
        if output:
            sys.stdout.buffer.write(output)


main()
