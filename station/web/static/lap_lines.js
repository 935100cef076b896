// On a wide window, the laps of each racer's best run as a small line in the standings. They are asked for apart from the
// updates, once the scores have been at rest for a while: a phone never loads them, and no update is larger for them.
"use strict";

(() => {
  const VIEW_BOX = "0 0 64 20"; // shared/web/drawing/sparkline.py
  const SVG = "http://www.w3.org/2000/svg";
  const REST_MS = 2_000;
  const SPREAD_MS = 4_000; // not all windows ask at once
  const wide = matchMedia("(min-width: 80rem)");
  const places = document.getElementById("places");
  const scores = new WeakMap(); // row to its score
  const drawn = new WeakMap(); // row to the line in it
  let lines = {};
  let timer = 0;

  const path = (className, d) => {
    const made = document.createElementNS(SVG, "path");
    if (className) made.setAttribute("class", className);
    made.setAttribute("d", d);
    return made;
  };

  function draw(row) {
    const slot = row.querySelector("[data-own]");
    const line = lines[row.id]?.join("|") ?? "";
    if ((drawn.get(row) ?? "") === line) return;
    drawn.set(row, line);
    if (!line) {
      slot.replaceChildren();
      return;
    }
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("class", "sparkline");
    svg.setAttribute("viewBox", VIEW_BOX);
    svg.setAttribute("aria-hidden", "true");
    svg.append(path("", lines[row.id][0]), path("marks", lines[row.id][1]));
    slot.replaceChildren(svg);
  }

  async function load() {
    timer = 0;
    const first = places.querySelector("a.name");
    if (!wide.matches || first === null) return;
    const [results] = first.getAttribute("href").split("/racers/"); // of the race that is on
    let answer;
    try {
      answer = await fetch(`${results}/lines.json`);
    } catch {
      return; // the page says that the station is away; the next score asks again
    }
    if (!answer.ok) return;
    lines = await answer.json();
    for (const row of places.children) draw(row);
  }

  function soon(wait_ms) {
    if (wide.matches && !timer) timer = setTimeout(load, wait_ms);
  }

  // Whether the row's score is another than when it was last drawn.
  function isNews(row) {
    const [score, before] = [row.querySelector(".score").textContent, scores.get(row)];
    scores.set(row, score);
    return before !== score;
  }

  document.addEventListener("raceday-rows", ({ detail }) => {
    const rows = detail.filter((row) => row.parentElement === places);
    if (rows.filter(isNews).length) soon(REST_MS + Math.random() * SPREAD_MS);
  });
  wide.addEventListener("change", () => soon(0));
  for (const row of places.children) isNews(row);
  load();
})();
