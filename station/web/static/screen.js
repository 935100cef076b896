// The big screen: shows what the officials chose for this browser, turns the pages of the board, lets rows glide to
// their new places, and stays with a new result for a while.
"use strict";

(() => {
  const ROWS = 9;
  const STAY = 3; // the first places are on every page
  const FINISHER_MS = 12_000; // the page with a new result stays this long
  const CARD_MS = 12_000;
  const CARD_MODES = ["board", "both", "run", "chart"];
  const MOVE_MS = 30_000; // how long a gained place is marked
  const GLIDE_MS = 450;
  const IDENTIFY_MS = 8_000;
  const HERE_EVERY_MS = 5_000;
  const body = document.body;
  const TURN_MS = Number(body.dataset.turn) * 1000;
  const field = (id) => document.getElementById(id);
  const list = field("hall_rows");
  const card = field("hall-card");
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const fixed = body.dataset.fixed !== ""; // the address says what is shown
  const me = identity();
  const ranks = new Map(); // key to rank, and when it changed by how much
  let page = 0;
  let held = false;
  let stay_until_ms = 0;
  let card_until_ms = 0;
  let chosen = body.dataset.show;
  let show_until_ms = 0; // a winner is shown for a moment, whatever was chosen
  let result = null; // the newest run with a result
  let official = null;
  let asked = null; // the counts of identify and reload when this page was loaded
  let ends_ms = null;

  function identity() {
    const made = () => [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    try {
      const known = localStorage.getItem("raceday-screen") ?? made();
      localStorage.setItem("raceday-screen", known);
      return known;
    } catch {
      return made(); // storage may be switched off; then this screen is a new one after each reload
    }
  }

  const rows = () => [...list.children];
  const pagesOf = (count) => (count <= ROWS ? 1 : Math.ceil((count - STAY) / (ROWS - STAY)));
  const isOnPage = (index, count) => {
    if (count <= ROWS || index < STAY) return true;
    const first = STAY + page * (ROWS - STAY);
    return index >= first && index < first + ROWS - STAY;
  };

  function turn(to) {
    const all = rows();
    page = to % pagesOf(all.length);
    all.forEach((row, index) => {
      const hidden = !isOnPage(index, all.length);
      if (row.hidden !== hidden) row.hidden = hidden;
    });
    body.dataset.paged = "";
    const first = all.length <= ROWS ? 1 : STAY + page * (ROWS - STAY) + 1;
    const last = Math.min(all.length, all.length <= ROWS ? ROWS : first + ROWS - STAY - 1);
    field("hall-page").textContent = all.length > ROWS ? `${first}–${last} / ${all.length}` : "";
  }

  function turnPage() {
    const now_ms = performance.now();
    if (show_until_ms && now_ms > show_until_ms) {
      show_until_ms = 0;
      show();
    }
    if (held || silence.isSilent() || now_ms < stay_until_ms || pagesOf(rows().length) === 1) return;
    const board = list.closest(".hall-board");
    board.classList.remove("turning");
    turn(page + 1);
    requestAnimationFrame(() => board.classList.add("turning"));
  }

  // The page of the racer whose result is new.
  function goTo(key) {
    const index = rows().findIndex((row) => row.id === key);
    if (index < 0) return;
    if (index >= STAY) turn(Math.floor((index - STAY) / (ROWS - STAY)));
    stay_until_ms = performance.now() + FINISHER_MS;
  }

  const tops = () => new Map(rows().filter((row) => !row.hidden).map((row) => [row.id, row.offsetTop]));
  let before = new Map();

  function glide() {
    if (still.matches) return;
    for (const row of rows()) {
      const was = before.get(row.id);
      if (row.hidden || was === undefined || was === row.offsetTop) continue;
      row.animate([{ transform: `translateY(${was - row.offsetTop}px)` }, { transform: "none" }], { duration: GLIDE_MS, easing: "ease-out" });
    }
  }

  function markMoves(whole) {
    const now_ms = performance.now();
    const present = new Set();
    for (const row of rows()) {
      const rank = Number(row.dataset.rank);
      const known = ranks.get(row.id);
      present.add(row.id);
      if (whole || !known) ranks.set(row.id, { rank, by: 0, at_ms: now_ms });
      else if (known.rank !== rank) ranks.set(row.id, { rank, by: known.rank - rank, at_ms: now_ms });
      const { by, at_ms } = ranks.get(row.id);
      const mark = row.querySelector(".hall-move");
      const recent = by !== 0 && now_ms - at_ms < MOVE_MS;
      const words = recent ? `${by > 0 ? "↑" : "↓"}${Math.abs(by)}` : "";
      if (mark.textContent === words) continue;
      mark.textContent = words;
      mark.className = `hall-move ${by > 0 ? "up" : "down"}`;
    }
    for (const key of ranks.keys()) if (!present.has(key)) ranks.delete(key);
  }

  function show() {
    const shown = show_until_ms ? "winner" : chosen;
    if (body.dataset.show !== shown) body.dataset.show = shown;
  }

  function showCard({ racer, score, place }) {
    const name = Object.assign(document.createElement("span"), { dir: "auto", title: racer, textContent: racer });
    name.classList.add("hall-name", "is-long");
    const figures = [score, place].map((text) => Object.assign(document.createElement("span"), { className: "figures", textContent: text }));
    card.replaceChildren(name, ...figures);
    card_until_ms = performance.now() + CARD_MS;
    placeCard();
  }

  // A new result stays in sight for a while, also when the next run has taken its place beside the board.
  function placeCard() {
    const beside = ["both", "run"].includes(chosen) && field("hall_panel").querySelector(".phase-finished") !== null;
    card.hidden = performance.now() > card_until_ms || beside || !CARD_MODES.includes(chosen);
  }

  function onResult(data) {
    const first = result === null;
    if (data.card.run === result) return;
    result = data.card.run;
    if (first || !result) return;
    goTo(data.card.key);
    showCard(data.card);
  }

  function follow({ each, message, countdown_ms }) {
    const mine = each[me];
    field("hall-message").textContent = message;
    field("hall-big-message").textContent = message;
    ends_ms = countdown_ms;
    tick();
    if (!mine) return;
    if (!fixed) chosen = mine.mode;
    if (asked && mine.reloaded > asked.reloaded) location.reload();
    if (asked && mine.identified > asked.identified) identify(mine.name);
    asked = { identified: mine.identified, reloaded: mine.reloaded };
    body.dataset.sound = mine.sound;
  }

  function identify(name) {
    const sign = field("hall-identity");
    sign.textContent = name;
    sign.hidden = false;
    setTimeout(() => (sign.hidden = true), IDENTIFY_MS);
  }

  function tick() {
    const left_ms = ends_ms === null || !stationClock.known() ? -1 : ends_ms - stationClock.now(performance.now());
    const all = Math.ceil(left_ms / 1000);
    const words = left_ms < 0 ? "" : `${Math.floor(all / 60)}:${String(all % 60).padStart(2, "0")}`;
    if (field("hall-countdown").textContent !== words) field("hall-countdown").textContent = words;
    const band = field("hall-message");
    const message = field("hall-big-message").textContent;
    const line = [message, words].filter(Boolean).join(" · ");
    if (band.textContent !== line) band.textContent = line;
    band.hidden = !line || body.dataset.show === "message" || body.dataset.show === "blank";
  }

  document.addEventListener("raceday-before", ({ detail }) => {
    if (detail.screen?.lists) before = tops();
  });

  document.addEventListener("raceday", ({ detail }) => {
    const topic = detail.screen;
    if (!topic) return;
    if (topic.data) {
      body.dataset.figures = topic.data.figures;
      follow(topic.data.screens);
      if (official === false && topic.data.official) show_until_ms = performance.now() + CARD_MS;
      official = topic.data.official;
      onResult(topic.data);
      show();
      tick();
      placeCard();
    }
    if (topic.whole || Object.keys(topic.rows).length || Object.keys(topic.lists).length) {
      turn(page);
      markMoves(topic.whole);
      if (!topic.whole) glide();
    }
  });

  document.addEventListener("keydown", (key) => {
    if (key.key !== " " || key.target.closest("a, button, input")) return;
    key.preventDefault();
    held = !held;
    field("hall-held").hidden = !held;
  });

  async function sayHere() {
    const told = { id: me, page: "screen", width: innerWidth, height: innerHeight };
    try {
      await fetch("/api/v1/screens/here", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(told) });
    } catch {
      // The stream shows that the station is away; the next call follows in a moment.
    }
  }

  turn(0);
  markMoves(true);
  show();
  sayHere();
  setInterval(sayHere, HERE_EVERY_MS);
  setInterval(turnPage, TURN_MS);
  setInterval(() => {
    tick();
    placeCard();
    markMoves(false);
  }, 1000);
})();
