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
  const STEP_MS = 100; // the clocks show tenths
  const LOOK_EVERY_MS = 250; // for clocks that begin, while none runs
  const face = document.getElementById("clock");
  // Live collections: the browser knows them without a search through the page.
  const others = ["car-clock", "running-clock"].map((name) => document.getElementsByClassName(name));
  const left = ["time-left", "countdown"].map((name) => document.getElementsByClassName(name));
  let started_ms = null;
  let ends_ms = null;
  let shown_ms = 0;
  let timer = 0;

  function update(clock) {
    stationClock.update(clock, performance.now());
    if (clock.started_ms !== started_ms) shown_ms = 0;
    if (clock.started_ms !== started_ms || clock.ends_ms !== ends_ms) soon();
    started_ms = clock.started_ms;
    ends_ms = clock.ends_ms;
    if (!face) return; // the gates' page has no lap clock
    if (started_ms === null) write(face, clock.text);
    const isWords = started_ms === null && !/^\d/.test(clock.text);
    if (face.classList.contains("words") !== isWords) face.classList.toggle("words", isWords);
  }

  // The text node is changed in place: that is the least that a browser can be asked to do for a new figure.
  function write(element, text) {
    const node = element.firstChild;
    if (node?.nodeType === Node.TEXT_NODE && node === element.lastChild) {
      if (node.data === text) return;
      node.data = text;
    } else {
      element.textContent = text;
    }
    const chars = String(text.length); // page.css makes longer texts smaller, so that they fit the same place
    if (element.dataset.chars !== chars) element.dataset.chars = chars;
  }

  function soon() {
    clearTimeout(timer);
    timer = 0;
    requestAnimationFrame(frame);
  }

  // Shows all clocks, and returns in how many ms of the station's clock the next figure changes.
  function show(now_ms) {
    let next_ms = Infinity;
    const run = (element, elapsed_ms) => {
      write(element, tenths(elapsed_ms));
      next_ms = Math.min(next_ms, STEP_MS - (Math.max(0, elapsed_ms) % STEP_MS));
    };
    const fall = (element, left_ms) => {
      write(element, wholeSeconds(left_ms));
      next_ms = Math.min(next_ms, left_ms > 0 ? (left_ms % 1000) + 1 : Infinity);
    };
    if (started_ms !== null && face) {
      shown_ms = Math.max(shown_ms, now_ms - started_ms); // within one lap the clock never runs backwards
      run(face, shown_ms);
    }
    for (const clocks of others) {
      for (const each of clocks) if (each.dataset.started) run(each, now_ms - Number(each.dataset.started));
    }
    for (const each of left[0]) if (each.dataset.ends) fall(each, Number(each.dataset.ends) - now_ms);
    if (ends_ms !== null && left[1].length) fall(left[1][0], ends_ms - now_ms);
    return next_ms;
  }

  function frame(at_ms) {
    if (timer) return; // asked for twice
    let wait_ms = LOOK_EVERY_MS;
    if (stationClock.known() && !silence.isSilent()) wait_ms = Math.min(wait_ms, show(stationClock.now(at_ms)) / stationClock.rate());
    timer = setTimeout(() => {
      timer = 0;
      requestAnimationFrame(frame);
    }, wait_ms);
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
  // A clock that was just drawn shows the station's text until its first frame.
  document.addEventListener("raceday", soon);
  return { update };
})();
