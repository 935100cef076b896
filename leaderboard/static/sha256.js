// SHA-256 (FIPS 180-4) of a file in pieces: browsers offer their own only over https, and only of what is whole in memory.
"use strict";
class Sha256 {
  static #constants = (() => {
    const primes = [];
    for (let n = 2; primes.length < 64; n++) if (primes.every((prime) => n % prime)) primes.push(n);
    const bits = (root) => Math.floor((root - Math.floor(root)) * 2 ** 32);
    return { rounds: Int32Array.from(primes, (prime) => bits(Math.cbrt(prime)) | 0), start: Int32Array.from(primes.slice(0, 8), (prime) => bits(Math.sqrt(prime)) | 0) };
  })();
  #state = Sha256.#constants.start.slice();
  #words = new Int32Array(64);
  #rest = new Uint8Array(0);
  #bytes = 0;

  update(piece) {
    this.#bytes += piece.length;
    let data = piece;
    if (this.#rest.length) {
      data = new Uint8Array(this.#rest.length + piece.length);
      data.set(this.#rest);
      data.set(piece, this.#rest.length);
    }
    const whole = data.length - (data.length % 64);
    for (let at = 0; at < whole; at += 64) this.#block(data, at);
    this.#rest = data.slice(whole);
  }

  hex() {
    const length = this.#bytes;
    const end = new Uint8Array(((this.#rest.length + 9 + 63) & ~63) - this.#rest.length);
    end[0] = 0x80;
    new DataView(end.buffer).setUint32(end.length - 8, Math.floor(length / 2 ** 29));
    new DataView(end.buffer).setUint32(end.length - 4, (length * 8) >>> 0);
    this.update(end);
    return Array.from(this.#state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }

  #block(data, at) {
    const [w, k] = [this.#words, Sha256.#constants.rounds];
    for (let i = 0; i < 16; i++, at += 4) w[i] = (data[at] << 24) | (data[at + 1] << 16) | (data[at + 2] << 8) | data[at + 3];
    for (let i = 16; i < 64; i++) {
      const [x, y] = [w[i - 15], w[i - 2]];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    const s = this.#state;
    let [a, b, c, d, e, f, g, h] = [s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]];
    for (let i = 0; i < 64; i++) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const one = (h + s1 + ((e & f) ^ (~e & g)) + k[i] + w[i]) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const two = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g; g = f; f = e; e = (d + one) | 0; d = c; c = b; b = a; a = (one + two) | 0;
    }
    s[0] += a; s[1] += b; s[2] += c; s[3] += d; s[4] += e; s[5] += f; s[6] += g; s[7] += h;
  }
}
