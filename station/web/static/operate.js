// Race control: which run the controls are for, the keys, the queue, and the question that is shown.
"use strict";

(() => {
  const field = (id) => document.getElementById(id);
  // Those on the track, or the last one; the page was drawn with them.
  let runs = [...document.querySelectorAll("#controls > [data-run]")].map((each) => ({ run_id: each.dataset.run }));
  let chosen = ""; // the run that the controls are for
  let gateReady = true; // as the stream last said
  let question = 0; // which of the open questions is shown

  function remembered(name, fallback) {
    try {
      return JSON.parse(localStorage.getItem(name)) ?? fallback;
    } catch {
      return fallback; // storage may be switched off; then nothing is remembered
    }
  }

  function remember(name, value) {
    try {
      localStorage.setItem(name, JSON.stringify(value));
    } catch {
      commands.show(t("This browser cannot remember settings."), "refused");
    }
  }

  // With several cars on the track, the controls are for the one that was chosen.
  function choose(run_id) {
    chosen = run_id;
    document.body.classList.toggle("none-chosen", runs.length > 1 && chosen === "");
    for (const each of document.querySelectorAll("#controls > [data-run], #lap_rows > [data-run]")) {
      each.hidden = each.dataset.run !== chosen;
    }
    for (const pick of document.querySelectorAll("[data-pick]")) {
      pick.setAttribute("aria-pressed", String(pick.dataset.pick === chosen));
      pick.closest("[data-run]").classList.toggle("picked", pick.dataset.pick === chosen);
    }
  }

  function showQuestion() {
    const rows = [...field("questions").children];
    question = rows.length ? question % rows.length : 0;
    rows.forEach((row, place) => { row.hidden = place !== question; });
  }

  async function press(button) {
    if (button.getAttribute("aria-disabled") === "true") {
      return commands.show(`✕ ${button.querySelector(".why").textContent}`, "refused");
    }
    if (button.dataset.dialog && button.dataset.dialog !== "checklist") return openDialog(button);
    const command = commands.of(button);
    const what = commands.words(button);
    if (button.hasAttribute("data-of-run")) command.run_id = chosen;
    if (command.run_id === "") return commands.show(`✕ ${t("Choose a car first: several are on the track.")}`, "refused");
    if (button.dataset.dialog === "checklist") {
      const override_reason = await dialogs.checklist(command.run_id);
      if (override_reason === null) return undefined;
      if (override_reason) command.override_reason = override_reason;
    }
    if (button.dataset.ask) {
      button.closest("dialog")?.close();
      const reason = await dialogs.reason(button.dataset.ask, button.hasAttribute("data-may-be-silent"));
      if (reason === null) return undefined;
      if (reason) command.reason = reason;
    }
    if (button.hasAttribute("data-closes")) button.closest("dialog").close();
    const reply = await commands.send(command, what, dialogs.override);
    if (reply?.run_id && command.command === "open_run") choose(reply.run_id);
    return undefined;
  }

  function openDialog(button) {
    const dialog = field(button.dataset.dialog);
    if (dialog.id === "add") {
      field("add-form").elements.racer.value = button.dataset.textRacer ?? "";
      field("add-form").elements.car.value = "";
      offerHandTiming();
    }
    if (dialog.id === "keys") listKeys();
    dialog.showModal();
  }

  // Timing by hand is offered for any run, and shown at once while the gate is not ready.
  function offerHandTiming() {
    const { hand_timed, hand_reason } = field("add-form").elements;
    hand_timed.checked = hand_reason.required = false;
    hand_reason.value = "";
    document.querySelector("#add-form [value=queue]").disabled = false;
    field("by-hand").open = false;
    showGate();
  }

  function showGate() {
    if (!field("by-hand")) return;
    field("by-hand-now").hidden = gateReady;
    if (!gateReady) field("by-hand").open = true;
  }

  async function add(form, how) {
    const { racer, car, model, throttle_percent, hand_timed, hand_reason } = Object.fromEntries(new FormData(form));
    if (how === "queue") return commands.send({ command: "queue", racer, car }, t("{racer} queued", { racer }));
    const command = { command: "open_run", racer, car, model, throttle_percent: Number(throttle_percent) };
    if (hand_timed) Object.assign(command, { hand_timed: true, reason: hand_reason.trim() });
    const reply = await commands.send(command, t("Run of {racer} opened", { racer }), dialogs.override);
    if (reply) choose(reply.run_id);
    return undefined;
  }

  field("add")?.addEventListener("close", () => {
    if (["queue", "open"].includes(field("add").returnValue)) add(field("add-form"), field("add").returnValue);
    field("add").returnValue = "";
  });
  field("add-form")?.elements.hand_timed.addEventListener("change", ({ target }) => {
    field("add-form").elements.hand_reason.required = target.checked;
    document.querySelector("#add-form [value=queue]").disabled = target.checked; // it is a matter of the run, not of the queue
  });
  field("add-form")?.elements.throttle_percent.addEventListener("input", (typed) => {
    field("throttle-words").textContent = `${typed.target.value} %`;
  });

  document.addEventListener("click", (click) => {
    const button = click.target.closest("button");
    if (!button) return;
    if (button.dataset.pick) choose(button.dataset.pick);
    else if (button.hasAttribute("data-next-question")) {
      question += 1;
      showQuestion();
    } else if (button.hasAttribute("data-ruling")) dialogs.ruling(button);
    else if (button.hasAttribute("data-undo")) commands.send({ command: "undo" }, t("Undo"));
    else if (button.dataset.command || button.dataset.dialog) press(button);
  });

  // Single-key shortcuts: only while no text field has the focus and no dialog is open; each can be turned off.
  const off = new Set(remembered("raceday-keys-off", []));
  const usable = (button) => button.checkVisibility() && !button.closest("dialog");

  // A question that is shown has the keys Y and N before everything else.
  function buttonOf(key) {
    const named = [...document.querySelectorAll(`button[data-key="${CSS.escape(key)}"]`)].filter(usable);
    return named.find((button) => button.closest(".question")) ?? named[0];
  }

  document.addEventListener("keydown", (key) => {
    const typing = key.target.closest("input:not([type=checkbox]):not([type=range]), textarea, select, dialog");
    // An open dialog takes all keys, even if nothing in it has the focus.
    if (document.querySelector("dialog[open]") || typing || key.ctrlKey || key.metaKey || key.repeat) return;
    const row = key.target.closest(".queue-row.waiting");
    if (key.altKey && row && ["ArrowUp", "ArrowDown"].includes(key.key)) return moveByKey(key, row);
    const button = key.altKey || off.has(key.key.toLowerCase()) ? null : buttonOf(key.key.toLowerCase());
    if (!button) return;
    key.preventDefault();
    button.focus();
    if (button.closest("[data-stop]")) document.dispatchEvent(new Event("raceday-stop"));
    else button.click();
  });

  function listKeys() {
    const buttons = [...document.querySelectorAll("button[data-key]")].filter((button) => !button.closest("dialog"));
    const lines = new Map(buttons.map((button) => [button.dataset.key, button]));
    field("key-lines").replaceChildren(...[...lines].map(([key, button]) => {
      const line = document.createElement("li");
      const label = document.createElement("label");
      const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: !off.has(key) });
      box.addEventListener("change", () => turn(key, box.checked));
      const name = Object.assign(document.createElement("kbd"), { className: "always", textContent: key.toUpperCase() });
      label.append(box, name, ` ${button.getAttribute("aria-label") ?? commands.words(button).replace(/\s+/g, " ")}`);
      line.append(label);
      return line;
    }));
  }

  function turn(key, on) {
    if (on) off.delete(key);
    else off.add(key);
    remember("raceday-keys-off", [...off]);
    markKeys();
  }

  function markKeys() {
    for (const kbd of document.querySelectorAll("button[data-key] kbd:not(.always)")) {
      kbd.hidden = off.has(kbd.closest("button").dataset.key);
    }
  }

  // The queue: by buttons, by Alt with an arrow, and by dragging a row onto another one.
  let dragged = null;

  function move(racer, place) {
    commands.send({ command: "move_in_queue", racer, place: BigInt(place) }, t("{racer} moved", { racer }));
  }

  function moveByKey(key, row) {
    key.preventDefault();
    const place = Number(row.dataset.place) + (key.key === "ArrowUp" ? -1 : 1);
    if (place >= 1) move(row.dataset.racer, place);
  }

  const queue = field("queue_rows");
  queue?.addEventListener("dragstart", (drag) => {
    dragged = drag.target.closest(".queue-row.waiting")?.dataset.racer ?? null;
  });
  queue?.addEventListener("dragover", (drag) => {
    if (dragged !== null && drag.target.closest(".queue-row.waiting")) drag.preventDefault();
  });
  queue?.addEventListener("drop", (drop) => {
    const onto = drop.target.closest(".queue-row.waiting");
    if (dragged === null || !onto) return;
    drop.preventDefault();
    if (onto.dataset.racer !== dragged) move(dragged, onto.dataset.place);
    dragged = null;
  });

  // What Undo would take back now, and how many of one's own acts it still could, one after the other.
  let undoable = [];
  let asked = 0; // an older answer is not shown over a newer one

  async function askActs() {
    const turn = ++asked;
    try {
      const response = await fetch("/api/v1/acts");
      const { acts = [] } = await response.json();
      if (turn !== asked) return;
      undoable = acts.filter((act) => !act.undone && !act.why_not);
      drawUndo();
    } catch {
      // the station is away: the page says so, and asks again after the next command
    }
  }

  function drawUndo() {
    const [next] = undoable;
    for (const place of document.querySelectorAll("[data-undo-count]")) place.textContent = undoable.length || "";
    for (const place of document.querySelectorAll("[data-undo-what]")) {
      place.textContent = next ? [next.words, next.run_id].filter(Boolean).join(" · ") : t("Nothing to undo.");
    }
  }

  document.addEventListener("given", askActs);

  function options(id, names) {
    field(id)?.replaceChildren(...names.map((name) => Object.assign(document.createElement("option"), { value: name })));
  }

  function follow(data) {
    if (data) {
      runs = data.runs;
      gateReady = data.gate_ready;
      showGate();
      options("racer-names", data.racers);
      options("car-names", data.cars);
      for (const button of document.querySelectorAll("[data-mode-of]")) {
        button.setAttribute("aria-pressed", String(button.dataset.modeOf === data.mode));
      }
    }
    const only = runs.length === 1 ? runs[0].run_id : "";
    choose(runs.some((run) => run.run_id === chosen) ? chosen : only);
    showQuestion();
    markKeys();
    drawUndo();
  }

  document.addEventListener("raceday", ({ detail }) => follow(Object.values(detail).find(({ data }) => data?.runs)?.data));
  follow(null);
  if (document.querySelector("[data-undo-count]")) askActs();
})();
