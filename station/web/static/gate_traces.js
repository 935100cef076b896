// The traces on the gates' page: when each beam was broken in the last 10 s, moving with the station's clock.
"use strict";

(() => {
  const SPAN_MS = 10_000;
  const STEP_MS = matchMedia("(prefers-reduced-motion: reduce)").matches ? 1000 : 100;
  const LEAST = 0.6; // percent: a short break stays visible
  let traces = {}; // gate to sensor to [from, to] in ms of the station's clock

  function bar(from, to, now) {
    const left = Math.max(0, 100 * (1 - (now - from) / SPAN_MS));
    const right = Math.min(100, 100 * (1 - (now - (to ?? now)) / SPAN_MS));
    const made = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    const width = Math.max(LEAST, right - left);
    for (const [name, value] of Object.entries({ x: Math.min(left, 100 - width), width, y: 0, height: 20 })) made.setAttribute(name, value);
    return made;
  }

  function draw() {
    if (document.hidden || !stationClock.known()) return;
    const now = stationClock.now(performance.now());
    for (const lane of document.querySelectorAll("[data-trace-gate]")) {
      const broken = traces[lane.dataset.traceGate]?.[lane.dataset.traceSensor] ?? [];
      const shown = broken.filter(([, to]) => to === null || now - to < SPAN_MS);
      if (!shown.length && !lane.childElementCount) continue;
      lane.replaceChildren(...shown.map(([from, to]) => bar(from, to, now)));
    }
  }

  document.addEventListener("raceday", ({ detail }) => {
    if (detail.gates?.data) traces = detail.gates.data.traces;
    draw();
  });
  setInterval(draw, STEP_MS);
})();
