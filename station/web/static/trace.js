// The trace of a run: zooms and pans by buttons, keys, wheel and pointer. The server draws the whole run; here the marks
// only move. A mark of a counted crossing names its lap: pressing it chooses that lap.
"use strict";

(() => {
  const LEAST_MS = 200; // the shortest part that is shown
  const STEPS_MS = [100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 3e4, 6e4, 12e4, 3e5, 6e5, 18e5, 36e5];
  const TICK_PX = 64; // room for one time on the axis
  let section, marks, axis, whole, shown, width, all;

  const round = (value) => Math.round(value * 1000) / 1000;
  const place = (ms) => round((100 * (ms - shown.from)) / (shown.to - shown.from));

  function words(ms) {
    const sign = ms < 0 ? "-" : "";
    const rest = Math.abs(Math.round(ms));
    const minutes = Math.floor(rest / 60000);
    const seconds = Math.floor((rest % 60000) / 1000);
    const tenths = Math.floor((rest % 1000) / 100);
    const fraction = rest % 1000 ? `.${tenths}` : "";
    return minutes ? `${sign}${minutes}:${String(seconds).padStart(2, "0")}${fraction}` : `${sign}${seconds}${fraction}`;
  }

  function svg(name, attributes) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  function drawAxis() {
    const span = shown.to - shown.from;
    const step = STEPS_MS.find((each) => (span / each) * TICK_PX <= width) ?? 36e5;
    axis.replaceChildren();
    const margin = (span * 24) / width; // a time at the edge would be cut
    for (let at = Math.ceil((shown.from + margin) / step) * step; at <= shown.to - margin; at += step) {
      const x = `${place(at)}%`;
      const group = svg("g", {});
      const text = svg("text", { x, y: 18 });
      text.textContent = words(at);
      group.append(svg("line", { x1: x, x2: x, y1: 0, y2: 5 }), text);
      axis.append(group);
    }
  }

  function draw() {
    for (const mark of marks) {
      const left = place(Number(mark.dataset.at));
      mark.setAttribute("x", `${left}%`);
      if (mark.dataset.to) mark.setAttribute("width", `${Math.max(0.15, round(place(Number(mark.dataset.to)) - left))}%`);
    }
    drawAxis();
  }

  function show(from, to) {
    const least = Math.max(LEAST_MS, to - from);
    const span = Math.min(least, whole.to - whole.from);
    const begin = Math.min(Math.max(from - (span - (to - from)) / 2, whole.from), whole.to - span);
    shown = { from: begin, to: begin + span };
    all = begin <= whole.from && begin + span >= whole.to;
    draw();
  }

  function zoom(factor, at = 0.5) {
    const span = shown.to - shown.from;
    const middle = shown.from + span * at;
    show(middle - span * factor * at, middle + span * factor * (1 - at));
  }

  function pan(part) {
    const by = (shown.to - shown.from) * part;
    show(shown.from + by, shown.to + by);
  }

  const ACTS = {
    in: () => zoom(0.5),
    out: () => zoom(2),
    left: () => pan(-0.25),
    right: () => pan(0.25),
    all: () => show(whole.from, whole.to),
  };
  const KEYS = { "+": "in", "=": "in", "-": "out", ArrowLeft: "left", ArrowRight: "right", 0: "all" };

  function measure() {
    width = Math.max(120, axis.getBoundingClientRect().width);
    drawAxis();
  }

  // Called again after the page has drawn itself anew; keeps the part that is shown if the run is the same.
  function begin() {
    section = document.getElementById("trace");
    if (!section) return;
    const before = all ? null : shown; // a run that is on grows: who sees all of it goes on seeing all
    whole = { from: Number(section.dataset.from), to: Number(section.dataset.to) };
    shown = before && before.to <= whole.to ? before : { ...whole };
    all = shown !== before;
    marks = [...section.querySelectorAll(".mark")];
    axis = section.querySelector(".axis");
    section.querySelector(".trace-tools").hidden = false;
    section.tabIndex = 0;
    new ResizeObserver(measure).observe(axis);
    measure();
    draw();
    section.addEventListener("click", (event) => {
      const button = event.target.closest("[data-zoom]");
      if (button) return ACTS[button.dataset.zoom]();
      const mark = event.target.closest("[data-lap]");
      if (mark) document.dispatchEvent(new CustomEvent("choose-lap", { detail: Number(mark.dataset.lap) }));
    });
    section.addEventListener("keydown", (event) => {
      const act = !event.ctrlKey && !event.metaKey && !event.altKey && KEYS[event.key];
      if (!act) return;
      ACTS[act]();
      event.preventDefault();
    });
    const lanes = section.querySelector(".lanes");
    lanes.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.shiftKey) return; // the page scrolls
      const box = axis.getBoundingClientRect();
      zoom(event.deltaY > 0 ? 1.25 : 0.8, Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)));
      event.preventDefault();
    }, { passive: false });
    let held = null;
    lanes.addEventListener("pointerdown", (event) => {
      if (event.button === 0 && !event.target.closest("[data-lap]")) held = { x: event.clientX, ...shown };
    });
    lanes.addEventListener("pointermove", (event) => {
      if (!held || !event.buttons) return;
      const by = ((held.x - event.clientX) / width) * (held.to - held.from);
      show(held.from + by, held.to + by);
    });
    addEventListener("pointerup", () => { held = null; });
  }

  globalThis.trace = {
    begin,
    show,
    choose(lap) {
      for (const mark of marks ?? []) mark.classList.toggle("chosen", mark.dataset.lap === String(lap));
    },
  };
  begin();
})();
