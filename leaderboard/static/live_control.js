// Race control of a LIVE race: buttons without a new page, the order by drag and by keys, the multiplier by slider and keys.
(() => {
  "use strict";

  const turns = document.getElementById("turns");
  const list = document.querySelector("[data-rows]");
  const refusal = document.querySelector("[data-refusal]");
  const announce = document.querySelector("[data-announce]");
  const speedForm = document.querySelector("[data-speed]");
  const slider = document.getElementById("percent");
  const speedWords = document.querySelector("[data-speed-words]");
  const STEP = 5;

  function showRefusal(sentence) {
    refusal.hidden = !sentence;
    refusal.textContent = sentence ? `✕ ${sentence}` : "";
  }

  // The same form as without a script; the answer is the version of the queue, or a refusal with a sentence.
  let sending = Promise.resolve();

  function send(form, fields) {
    const body = new URLSearchParams(new FormData(form));
    for (const [name, value] of Object.entries(fields)) body.set(name, value);
    sending = sending.then(() => post(form.action, body));
    return sending;
  }

  async function post(address, body) {
    if (body.has("version")) body.set("version", turns.elements.version.value);
    try {
      const answer = await fetch(address, { method: "POST", body, headers: { accept: "application/json" } });
      const { version, detail } = await answer.json();
      if (answer.ok) actOn(version);
      return showRefusal(detail ?? "");
    } catch {
      return showRefusal(t("The leaderboard gave no answer: the queue shows whether it was done."));
    }
  }

  // The next press is of the queue as the last one left it, which the stream may not have said yet, or as the stream
  // says that another official left it.
  function actOn(version) {
    const newest = Math.max(version, Number(turns.elements.version.value));
    for (const field of document.querySelectorAll('input[name="version"]')) field.value = newest;
  }

  document.addEventListener("submit", (event) => {
    const { submitter, target } = event;
    if (target.action !== turns.action || !submitter) return;
    event.preventDefault();
    if (submitter.dataset.ask && !window.confirm(submitter.dataset.ask)) return;
    send(target, { act: submitter.value }).then(() => {
      if (submitter.value === "add") target.reset();
    });
  });

  // What other officials and the clock did: the version for the next press, and the multiplier of now.
  let dragged = null;
  document.addEventListener("live-race", () => {
    actOn(Number(document.querySelector('[data-part="version"]').textContent));
    showSpeedOfNow();
  });

  // The order: Alt with an arrow on a turn, or a drag.
  const waiting = () => [...list.children].filter((row) => row.draggable);

  function move(row, place) {
    const bounded = Math.max(1, Math.min(place, waiting().length));
    if (bounded === Number(row.dataset.place)) return;
    announce.textContent = t("{name}: place {place}", { name: row.dataset.name, place: bounded });
    send(turns, { act: `place ${row.dataset.key}`, place: bounded });
  }

  list.addEventListener("keydown", (event) => {
    const row = event.target.closest("[data-key]");
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!by || !row) return;
    if (event.altKey && row.draggable) {
      event.preventDefault();
      move(row, Number(row.dataset.place) + by);
    } else if (event.target === row) {
      event.preventDefault();
      const rows = waiting();
      rows[rows.indexOf(row) + by]?.focus();
    }
  });

  list.addEventListener("dragstart", (event) => {
    dragged = event.target.closest("[data-key]");
    event.dataTransfer.setData("text/plain", dragged.dataset.name);
    event.dataTransfer.effectAllowed = "move";
    dragged.classList.add("dragged");
  });
  list.addEventListener("dragover", (event) => {
    const over = event.target.closest?.('[draggable="true"]');
    for (const row of list.querySelectorAll(".drop")) if (row !== over) row.classList.remove("drop");
    if (!dragged || !over) return;
    event.preventDefault();
    over.classList.add("drop");
  });
  list.addEventListener("drop", (event) => {
    const over = event.target.closest('[draggable="true"]');
    if (!dragged || !over) return;
    event.preventDefault();
    move(dragged, Number(over.dataset.place));
  });
  list.addEventListener("dragend", () => {
    dragged = null;
    for (const row of list.querySelectorAll(".drop, .dragged")) row.classList.remove("drop", "dragged");
  });

  // The multiplier: sent when the slider rests.
  function showSpeed(percent) {
    slider.value = percent;
    speedWords.textContent = `×${(percent / 100).toFixed(2)}`;
  }
  // What was asked for last, until the stream says so: each of several presses in a row goes on from the one before.
  let asked = null;
  const PATIENCE_MS = 2000;
  const setSpeed = (percent) => {
    showSpeed(percent);
    const mine = (asked = { percent });
    send(speedForm, { act: "speed", percent: slider.value }).then(() => setTimeout(() => {
      if (asked !== mine) return;
      asked = null; // it was refused, or somebody else changed it meanwhile
      showSpeedOfNow();
    }, PATIENCE_MS));
  };

  function showSpeedOfNow() {
    const whose = speedForm.querySelector('[name="whose"]:checked')?.value;
    const shown = [...document.querySelectorAll("[data-now-speed]")].find((each) => !whose || each.dataset.racer === whose);
    if (!shown || document.activeElement === slider) return;
    const percent = Number(shown.dataset.nowSpeed);
    if (asked && asked.percent !== percent) return;
    asked = null;
    showSpeed(percent);
  }
  speedForm.addEventListener("change", (event) => {
    if (event.target.name === "whose") showSpeedOfNow();
  });
  slider.addEventListener("input", () => showSpeed(Number(slider.value)));
  slider.addEventListener("change", () => setSpeed(Number(slider.value)));

  // With Alt, so that no single key that is pressed by accident drives a car.
  // + and − are elsewhere on a German keyboard than on an American one.
  const KEYS = {
    Equal: () => setSpeed(Math.min(150, Number(slider.value) + STEP)),
    NumpadAdd: () => setSpeed(Math.min(150, Number(slider.value) + STEP)),
    BracketRight: () => setSpeed(Math.min(150, Number(slider.value) + STEP)),
    Minus: () => setSpeed(Math.max(50, Number(slider.value) - STEP)),
    NumpadSubtract: () => setSpeed(Math.max(50, Number(slider.value) - STEP)),
    Slash: () => setSpeed(Math.max(50, Number(slider.value) - STEP)),
    Digit0: () => setSpeed(100),
    Numpad0: () => setSpeed(100),
    KeyL: () => document.querySelector("[data-launch]")?.click(),
  };
  document.addEventListener("keydown", (event) => {
    if (!event.altKey || event.ctrlKey || event.metaKey || event.repeat || !(event.code in KEYS)) return;
    event.preventDefault();
    KEYS[event.code]();
  });
})();
