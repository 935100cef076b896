// The lap clock: the station's clock as this browser knows it, and the text that runs between two messages.
"use strict";

const stationClock = (() => {
  // A message can only be late, so the sample with the least delay is the best one: a sample ahead of ours is adopted
  // at once, one behind it pulls the clock back gently, and one far behind it restarts the clock.
  const FAR_MS = 2000;
  const PULL = 0.05;
  let base = null;

  function update(sample, at_ms) {
    const jumped = base && (sample.boot !== base.boot || sample.rate !== base.rate);
    if (!base || jumped) return set(sample, sample.now_ms, at_ms);
    const ahead = sample.now_ms - now(at_ms);
    if (ahead >= 0 || ahead < -FAR_MS * Math.max(1, sample.rate)) return set(sample, sample.now_ms, at_ms);
    return set(sample, now(at_ms) + ahead * PULL, at_ms);
  }

  function set(sample, now_ms, at_ms) {
    base = { boot: sample.boot, rate: sample.rate, now_ms, at_ms };
  }

  function now(at_ms) {
    return base.now_ms + (at_ms - base.at_ms) * base.rate;
  }

  return { update, now, known: () => base !== null, rate: () => base.rate };
})();

function tenths(elapsed_ms) {
  const all = Math.floor(Math.max(0, elapsed_ms) / 100);
  const minutes = Math.floor(all / 600);
  const seconds = Math.floor(all / 10) % 60;
  const text = `${minutes ? String(seconds).padStart(2, "0") : seconds}.${all % 10}`;
  return minutes ? `${minutes}:${text}` : text;
}

function wholeSeconds(left_ms) {
  const all = Math.floor(Math.max(0, left_ms) / 1000);
  const minutes = Math.floor(all / 60);
  return minutes ? `${minutes}:${String(all % 60).padStart(2, "0")}` : String(all);
}

const lapClock = (() => {
  const face = document.getElementById("clock");
  let started_ms = null;
  let ends_ms = null;
  let shown_ms = 0;

  function update(clock) {
    stationClock.update(clock, performance.now());
    if (clock.started_ms !== started_ms) shown_ms = 0;
    started_ms = clock.started_ms;
    ends_ms = clock.ends_ms;
    if (!face) return; // the gates' page has no lap clock
    if (started_ms === null) write(face, clock.text);
    face.classList.toggle("words", started_ms === null && !/^\d/.test(clock.text));
  }

  function write(element, text) {
    if (!element || element.textContent === text) return;
    element.textContent = text;
    element.dataset.chars = text.length; // page.css makes longer texts smaller, so that they fit the same place
  }

  function frame(at_ms) {
    if (stationClock.known() && !silence.isSilent()) {
      const now_ms = stationClock.now(at_ms);
      if (started_ms !== null && face) {
        shown_ms = Math.max(shown_ms, now_ms - started_ms); // within one lap the clock never runs backwards
        write(face, tenths(shown_ms));
      }
      for (const other of document.querySelectorAll(".car-clock[data-started], .running-clock[data-started]")) {
        write(other, tenths(now_ms - Number(other.dataset.started)));
      }
      for (const other of document.querySelectorAll(".time-left[data-ends]")) {
        write(other, wholeSeconds(Number(other.dataset.ends) - now_ms));
      }
      if (ends_ms !== null) write(document.querySelector("[data-countdown]"), wholeSeconds(ends_ms - now_ms));
    }
    requestAnimationFrame(frame);
  }

  const number = (text) => (text === "" ? null : Number(text));
  if (face) {
    const first = face.dataset;
    update({
      boot: first.boot,
      now_ms: Number(first.now),
      rate: Number(first.rate),
      started_ms: number(first.started),
      ends_ms: number(first.ends),
      text: face.textContent,
    });
  }
  requestAnimationFrame(frame);
  return { update };
})();
