// A board for the firmware: MicroPython itself, with pins, a 30-bit counter and a line of our own around it.
//
//   node board.mjs MICROPYTHON FIRMWARE TRUTH     runs main.py; its USB is this process's stdin and stdout
//   node board.mjs MICROPYTHON FIRMWARE           runs the script on stdin, beside gatewire.py
//
// A pin changes each tenth of a second; TRUTH gets a line `ns pin level` with the instant at which the interrupt stamped.

import fs from "node:fs";
import { pathToFileURL } from "node:url";

const [micropython, firmware, truth] = process.argv.slice(2);
const { loadMicroPython } = await import(pathToFileURL(`${micropython}/micropython.mjs`));
const HEAP = 190 * 1024; // bytes, as on a Pico
const WRAP = 1n << 30n; // of ticks_us
const EDGE_NS = 100_000_000n;
const DRIFT_PPM = 50n;

// `sys` is built in and cannot be replaced by a file; everything else that main.py imports can.
const PARTS = {
  "machine.py": `
class Pin:
    IN = 0; PULL_UP = 1; IRQ_RISING = 8; IRQ_FALLING = 4
    pins = {}
    def __init__(self, number, mode, pull):
        self.level = 1
        Pin.pins[number] = self
    def irq(self, handler, trigger, hard=False):
        assert trigger == 12 and hard
        self.handler = handler
    def value(self):
        return self.level
def reset():
    raise SystemExit
`,
  "os.py": "import board\ndef urandom(count): return bytes([board.chance() for _ in range(count)])\n",
  "time.py": "import board\ndef ticks_us(): return board.ticks_us()\n",
  "select.py": `
import board, machine
POLLIN = 1
class Poll:
    def register(self, stream, events):
        pass
    def poll(self, wait):
        number = board.due()
        if number >= 0:
            pin = machine.Pin.pins[number]
            pin.level ^= 1
            board.changed(number, pin.level)
            pin.handler(pin)
        return [1] if board.waiting() else []
poll = Poll
`,
  "usb.py": `
import board
class Buffer:
    def read(self, count): return bytes([board.read()])
    def write(self, data):
        for byte in data: board.write(byte)
class Stream: buffer = Buffer()
class Usb: stdin = Stream(); stdout = Stream()
`,
};

function board() {
  const inbox = [];
  let outbox = [];
  let [began, last, number, note] = [process.hrtime.bigint(), 0n, 0, null];
  const log = fs.openSync(truth, "w");
  const patiently = (once) => {
    try {
      return once();
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
      return 0;
    }
  };
  return {
    chance: () => Math.floor(Math.random() * 256),
    ticks_us() {
      const now = process.hrtime.bigint();
      if (note !== null) fs.writeSync(log, `${now} ${note}\n`);
      note = null;
      const since = now - began;
      return Number((WRAP - 3_000_000n + (since + (since * DRIFT_PPM) / 1_000_000n) / 1000n) % WRAP);
    },
    due() {
      const now = process.hrtime.bigint();
      if (now - last < EDGE_NS) return -1;
      last = now;
      number += 1;
      return 2 + ((number >> 1) % 4);
    },
    changed: (pin, level) => (note = `${pin} ${level}`),
    waiting() {
      if (outbox.length) outbox = outbox.slice(patiently(() => fs.writeSync(1, Buffer.from(outbox))));
      const piece = Buffer.alloc(4096);
      inbox.push(...piece.subarray(0, patiently(() => fs.readSync(0, piece, 0, piece.length, null))));
      return inbox.length > 0 ? 1 : 0;
    },
    read: () => inbox.shift() ?? 0,
    write: (byte) => outbox.push(byte),
  };
}

const machine = await loadMicroPython({ heapsize: HEAP, stdout: (line) => process.stdout.write(`${line}\n`) });
const file = (name, text) => machine.FS.writeFile(`/${name}`, text);
file("gatewire.py", fs.readFileSync(`${firmware}/gatewire.py`, "utf8"));
machine.runPython("import sys\nsys.path.insert(0, '/')");
if (truth === undefined) {
  machine.runPython(fs.readFileSync(0, "utf8"));
} else {
  machine.registerJsModule("board", board());
  for (const [name, text] of Object.entries(PARTS)) file(name, text);
  const main = fs.readFileSync(`${firmware}/main.py`, "utf8");
  file("main.py", main.replace("\nimport sys\n", "\nfrom usb import Usb as sys\n"));
  machine.runPython("import main");
}
