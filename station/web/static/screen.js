// The big screen: shows what the officials chose for this browser, one mode or several in turn, turns the pages of the
// board, lets rows glide to their new places, and stays with a new result for a while.
"use strict";

(() => {
  const ROWS = 9;
  const STAY = 3; // the first places are on every page
  const FINISHER_MS = 12_000; // the page with a new result stays this long
  const CARD_MS = 12_000;
  const CARD_MODES = ["board", "both", "run", "chart"];
  const MOVE_MS = 30_000; // how long a gained place is marked
  const IDENTIFY_MS = 8_000;
  const ROTATE_MS = 20_000; // how long each mode stays, where they are shown in turn
  const HERE_EVERY_MS = 5_000;
  const LONG_LINE = 70; // a message above this many characters is set smaller
  const body = document.body;
  const TURN_MS = Number(body.dataset.turn) * 1000;
  const field = (id) => document.getElementById(id);
  const list = field("hall_rows");
  const card = field("hall-card");
  const fixed = body.dataset.fixed !== ""; // the address says what is shown
  const me = identity();
  const ranks = new Map(); // row to its rank
  const moved = new Map(); // row to when its rank changed
  let page = 0;
  let held = false;
  let stay_until_ms = 0;
  let card_until_ms = 0;
  let chosen = body.dataset.fixed || body.dataset.show;
  let rotation = ["both"]; // what is shown in turn
  let inTurn = "both"; // the one whose turn it is
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

  function write(id, words) {
    const element = field(id);
    if (element.textContent !== words) element.textContent = words;
  }

  function turn(to) {
    const all = rows();
    page = to % pagesOf(all.length);
    all.forEach((row, index) => {
      const hidden = !isOnPage(index, all.length);
      if (row.hidden !== hidden) row.hidden = hidden;
      if (!hidden) pageRows.settle(row);
    });
    if (!("paged" in body.dataset)) body.dataset.paged = "";
    const first = all.length <= ROWS ? 1 : STAY + page * (ROWS - STAY) + 1;
    const last = Math.min(all.length, all.length <= ROWS ? ROWS : first + ROWS - STAY - 1);
    write("hall-page", all.length > ROWS ? `${first}–${last} / ${all.length}` : "");
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

  // How many places each of these rows has gained or lost since it was last drawn.
  function markMoves(changed, whole) {
    for (const row of changed) {
      const [rank, before] = [Number(row.dataset.rank), ranks.get(row)];
      ranks.set(row, rank);
      if (whole || before === undefined || before === rank) continue;
      moved.set(row, { by: before - rank, at_ms: performance.now() });
    }
    showMoves();
  }

  function showMoves() {
    for (const [row, { by, at_ms }] of moved) {
      const mark = row.querySelector(".hall-move");
      const recent = row.isConnected && performance.now() - at_ms < MOVE_MS;
      const words = recent ? `${by > 0 ? "↑" : "↓"}${Math.abs(by)}` : "";
      if (!recent) moved.delete(row);
      if (mark.textContent === words) continue;
      mark.textContent = words;
      mark.className = `hall-move ${by > 0 ? "up" : "down"}`;
    }
  }

  // By the station's clock, so that all screens turn together. What is held or old stays, unless nothing is left to turn to.
  function mode() {
    if (chosen !== "rotate") return chosen;
    const now_ms = performance.now();
    const turns = !held && !silence.isSilent() && stationClock.known();
    if (rotation.length === 1 || now_ms < card_until_ms) inTurn = "both";
    else if (turns) inTurn = rotation[Math.floor(stationClock.now(now_ms) / stationClock.rate() / ROTATE_MS) % rotation.length];
    return inTurn;
  }

  function show() {
    const shown = show_until_ms ? "winner" : mode();
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
    const shown = mode();
    const beside = ["both", "run"].includes(shown) && field("hall_panel").querySelector(".phase-finished") !== null;
    card.hidden = performance.now() > card_until_ms || beside || !CARD_MODES.includes(shown);
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
    write("hall-big-message", message);
    ends_ms = countdown_ms;
    tick();
    if (!mine) return;
    if (!fixed) chosen = mine.mode;
    if (asked && mine.reloaded > asked.reloaded) location.reload();
    if (asked && mine.identified > asked.identified) identify(mine.name);
    asked = { identified: mine.identified, reloaded: mine.reloaded };
    if (body.dataset.sound !== mine.sound) body.dataset.sound = mine.sound;
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
    write("hall-countdown", words);
    const band = field("hall-message");
    const message = field("hall-big-message").textContent;
    const line = [message, words].filter(Boolean).join(" · ");
    write("hall-message", line);
    band.toggleAttribute("data-long", line.length > LONG_LINE);
    band.hidden = !line || body.dataset.show === "message" || body.dataset.show === "blank";
  }

  const glide = gliding(list);
  let first = true; // the rows of the first message stand on the page already

  document.addEventListener("raceday-before", ({ detail }) => {
    if (detail.screen?.whole) first = true;
    if (detail.screen?.lists.hall_rows && !detail.screen.whole) glide.before();
  });

  document.addEventListener("raceday-rows", ({ detail }) => {
    const changed = detail.filter((row) => row.parentElement === list);
    if (!changed.length) return;
    turn(page);
    markMoves(changed, first);
  });

  document.addEventListener("raceday", ({ detail }) => {
    const topic = detail.screen;
    if (!topic) return;
    if (topic.data) {
      if (body.dataset.figures !== String(topic.data.figures)) body.dataset.figures = topic.data.figures;
      follow(topic.data.screens);
      if (official === false && topic.data.official) show_until_ms = performance.now() + CARD_MS;
      official = topic.data.official;
      rotation = topic.data.rotation;
      onResult(topic.data);
      show();
      tick();
      placeCard();
    }
    if (topic.lists.hall_rows) turn(page);
    glide.after();
    first = false;
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
  markMoves(rows(), true);
  show();
  sayHere();
  setInterval(sayHere, HERE_EVERY_MS);
  setInterval(turnPage, TURN_MS);
  setInterval(() => {
    show();
    tick();
    showMoves();
    placeCard();
  }, 1000);
})();
