// Rulings on one run: a lap is chosen, a ruling tried (before and after are shown), and only then done.
"use strict";

(() => {
  const main = document.getElementById("main");
  const run = main.dataset.run;
  const race = main.dataset.race;
  const sheet = document.getElementById("sheet");
  const form = document.getElementById("ruling");
  const choices = document.getElementById("choices");
  const answer = document.getElementById("answer");
  const refusal = document.getElementById("refusal");
  const title = document.getElementById("sheet-title");
  const field = (name) => form.elements[name];
  const FIELDS = {
    add_penalty: ["seconds"], reassign: ["racer"], replace_crossing: ["witness"], split: ["at"], take_back: ["kind"],
    official: ["confirmed_by", "second_pin"], official_race: ["confirmed_by", "second_pin"],
    reopen_results: ["pin", "confirmed_by", "second_pin"], reopen_race: ["pin", "confirmed_by", "second_pin"],
  };
  const NEEDS_REASON = new Set(["disqualify", "reopen_results", "reopen_race"]);
  const NOT_TRIED = new Set(["official", "official_race", "reopen_results", "reopen_race", "rerun"]); // they change no figure
  const KEYS = { v: "void_lap", r: "restore_lap", p: "add_penalty", j: "drop_crossing", s: "split", w: "replace_crossing", t: "take_back" };
  let lap = null; // the row that is chosen; null: the run as a whole
  let ruling = "";
  let turn = 0; // of previews: an older answer is not shown over a newer one

  // Stamps are integer nanoseconds, too large for a JavaScript number: a BigInt is written out with all its digits.
  function json(command) {
    const text = (value) => (typeof value === "bigint" ? String(value) : JSON.stringify(value));
    return `{${Object.entries(command).map(([name, value]) => `${JSON.stringify(name)}:${text(value)}`)}}`;
  }

  async function post(path, command) {
    const response = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: json(command),
    });
    return { ok: response.ok, ...(await response.json()) };
  }

  function show(text, state) {
    answer.textContent = text;
    answer.dataset.state = state;
  }

  const number = () => Number(lap.dataset.number);

  const confirmed = () => ({ confirmed_by: field("confirmed_by").value.trim(), second_pin: field("second_pin").value });

  function command() {
    const reason = field("reason").value.trim();
    const common = { run_id: run, reason };
    switch (ruling) {
      case "add_penalty": return { command: "add_penalty", number: number(), seconds: field("seconds").value, ...common };
      case "split": {
        const [how, at, unsure] = field("at").value.split(" ");
        if (how === "hand") return { command: "hand_crossing", at_ns: BigInt(at), ...common };
        return { command: "add_crossing", at_ns: BigInt(at), uncertainty_ns: BigInt(unsure), ...common };
      }
      case "replace_crossing": return { command: "replace_crossing", number: number(), witness: field("witness").value, ...common };
      case "take_back": return { command: "take_back", number: number(), kind: field("kind").value, ...common };
      case "drop_start": return { command: "drop_crossing", number: 0, ...common };
      case "reassign": return { command: "reassign", racer: field("racer").value.trim(), ...common };
      case "official": return { command: "official", ...confirmed(), ...common };
      case "official_race": return { command: "official", race_id: race, ...confirmed(), reason };
      case "reopen_results": return { command: "reopen_results", pin: field("pin").value, ...confirmed(), ...common };
      case "reopen_race": return { command: "reopen_results", race_id: race, pin: field("pin").value, ...confirmed(), reason };
      case "void_lap": case "restore_lap": case "drop_crossing": return { command: ruling, number: number(), ...common };
      default: return { command: ruling, ...common };
    }
  }

  function complete() {
    if (ruling === "add_penalty") return /^[-+\u2212]?\s?\d+([.,]\d+)?(\s?s)?$/.test(field("seconds").value.trim());
    if (ruling === "reassign") return field("racer").value.trim() !== "";
    return !NEEDS_REASON.has(ruling) || field("reason").value.trim() !== "";
  }

  async function tryIt() {
    refusal.textContent = "";
    if (NOT_TRIED.has(ruling) || !complete()) {
      rulingEffect.hide();
      return;
    }
    const mine = ++turn;
    try {
      const reply = await post("/api/v1/preview", command());
      if (mine !== turn) return;
      if (reply.ok) return rulingEffect.show(reply.effect);
      rulingEffect.hide();
      refusal.textContent = reply.error;
    } catch {
      refusal.textContent = t("The station did not answer.");
    }
  }

  function option(value, label) {
    const made = document.createElement("option");
    made.value = value;
    made.textContent = label;
    return made;
  }

  function splits() {
    const began = BigInt(lap.dataset.began);
    const ended = BigInt(lap.dataset.ended);
    const hand = [...lap.querySelectorAll(".lap-splits li")].map((li) => option(`hand ${li.dataset.at}`, `${field("at").dataset.hand} ${li.textContent}`));
    const unsure = (ended - began) / 10n; // of a place that nobody saw
    const seconds = (Number(unsure) / 1e9).toFixed(1);
    const middle = option(`middle ${began + (ended - began) / 2n} ${unsure}`, `${field("at").dataset.middle}${seconds} s`);
    return [...hand, middle];
  }

  function begin(name, button) {
    ruling = name;
    turn += 1;
    for (const each of choices.children) each.setAttribute("aria-pressed", String(each === button));
    for (const each of form.querySelectorAll("[data-field]")) each.hidden = !(FIELDS[name] ?? []).includes(each.dataset.field);
    document.getElementById("ruling-what").textContent = button.firstChild.textContent.trim();
    field("reason").required = NEEDS_REASON.has(name);
    field("seconds").value = field("pin").value = field("second_pin").value = "";
    if (name === "replace_crossing") {
      field("witness").replaceChildren(...[...lap.querySelectorAll(".lap-choices li")].map((li) => option(li.dataset.witness, li.textContent)));
    }
    if (name === "split") field("at").replaceChildren(...splits());
    if (name === "take_back") {
      for (const each of field("kind").options) each.disabled = each.hidden = !lap.dataset.happened.split(" ").includes(each.value);
      field("kind").value = lap.dataset.happened.split(" ")[0];
    }
    form.hidden = false;
    rulingEffect.hide();
    refusal.textContent = "";
    (form.querySelector("[data-field]:not([hidden]) :is(input, select)") ?? field("reason")).focus();
    tryIt();
  }

  function close() {
    form.hidden = true;
    ruling = "";
    for (const each of choices.children) each.setAttribute("aria-pressed", "false");
  }

  const POSSIBLE = {
    void_lap: () => lap.dataset.void === "0",
    restore_lap: () => lap.dataset.void === "1" || lap.dataset.held === "1",
    replace_crossing: () => lap.querySelector(".lap-choices") !== null,
    take_back: () => lap.dataset.happened !== "",
  };
  const locked = () => document.querySelector("#run-whole > .run-note.tone-green") !== null;

  function offer() {
    for (const each of choices.children) {
      const wanted = each.dataset.for === (lap ? "lap" : "run");
      each.hidden = !wanted;
      const possible = wanted && (POSSIBLE[each.dataset.ruling] ?? (() => true))();
      each.disabled = !possible || (locked() && !("locked" in each.dataset));
    }
    title.textContent = lap ? t("Lap {number}: {time}", { number: lap.dataset.number, time: lap.dataset.time }) : title.dataset.runWords;
  }

  function choose(row) {
    close();
    pick(row);
    offer();
  }

  function pick(row) {
    for (const each of document.querySelectorAll(".lap-table tbody tr")) {
      const chosen = each === row;
      each.classList.toggle("chosen", chosen);
      each.querySelector(".lap-pick").setAttribute("aria-pressed", String(chosen));
    }
    lap = row;
    globalThis.trace.choose(row ? row.dataset.number : "");
  }

  // The whole page is drawn by the server again; what is chosen stays chosen.
  // After an act of one's own. By the time it is drawn, the next lap may be chosen, or the next ruling begun.
  async function redraw() {
    const fresh = await globalThis.runLive.redraw();
    if (!fresh) return;
    follow(fresh);
    drawActs();
  }

  // The run went on: a ruling that is being made stays open, and its effect is worked out again.
  function follow(fresh) {
    if (ruling && (lap === null || document.getElementById(lap.id))) {
      if (lap) pick(document.getElementById(lap.id));
      tryIt();
      return;
    }
    choices.replaceChildren(...fresh.getElementById("choices").children);
    choose(lap ? document.getElementById(lap.id) : null);
  }

  document.addEventListener("run-redrawn", ({ detail: fresh }) => follow(fresh));

  async function drawActs() {
    const list = document.getElementById("acts");
    try {
      const response = await fetch("/api/v1/acts");
      const { acts = [] } = await response.json();
      list.replaceChildren(...acts.map((act) => {
        const item = document.createElement("li");
        item.textContent = `${act.words}, ${act.run_id}${act.undone ? ` (${t("undone")})` : ""}`;
        return item;
      }));
    } catch {
      list.replaceChildren();
    }
  }

  async function give(given, what) {
    show(`${what} …`, "waiting");
    try {
      const reply = await post("/api/v1/commands", given);
      if (reply.ok) show(reply.effect ? `✓ ${what}. ${reply.effect.sentence}` : `✓ ${what}`, "done");
      else show(`✕ ${reply.error}`, "refused");
      if (reply.ok) {
        close();
        await redraw();
      }
      return reply.ok;
    } catch {
      show(t("✕ {what}: the station did not answer. Check whether it took effect before you press again.", { what }), "refused");
      return false;
    }
  }

  function decide(button) {
    const given = { command: button.dataset.decide, run_id: run };
    for (const { name, value } of button.attributes) {
      if (name.startsWith("data-number-")) given[name.slice(12)] = BigInt(value);
      if (name.startsWith("data-text-")) given[name.slice(10)] = value;
    }
    give(given, button.textContent.trim());
  }

  document.addEventListener("click", (event) => {
    const pick = event.target.closest(".lap-pick");
    const wanted = event.target.closest("[data-ruling]");
    const decided = event.target.closest("[data-decide]");
    if (pick) {
      choose(pick.closest("tr"));
      if (innerWidth < 961) sheet.scrollIntoView({ block: "start" });
    } else if (wanted) begin(wanted.dataset.ruling, wanted);
    else if (decided) decide(decided);
  });
  document.getElementById("close-ruling").addEventListener("click", close);
  document.getElementById("undo").addEventListener("click", () => give({ command: "undo" }, t("Undo")));
  document.addEventListener("choose-lap", ({ detail }) => choose(document.getElementById(`run-lap-${detail}`)));
  form.addEventListener("input", () => tryIt());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (complete()) give(command(), document.getElementById("ruling-what").textContent);
  });

  function step(by) {
    const rows = [...document.querySelectorAll(".lap-table tbody tr")];
    if (!rows.length) return;
    const place = Math.max(0, Math.min(rows.length - 1, lap ? rows.indexOf(lap) + by : 0));
    choose(rows[place]);
    rows[place].querySelector(".lap-pick").focus();
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      const back = lap?.querySelector(".lap-pick");
      if (!form.hidden) close();
      else choose(null);
      back?.focus();
      return;
    }
    if (["input", "select", "textarea", ".trace"].some((each) => event.target.closest(each))) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      step(event.key === "ArrowDown" ? 1 : -1);
      event.preventDefault();
      return;
    }
    if (event.key === "z") {
      document.getElementById("undo").click();
      return;
    }
    const button = lap && choices.querySelector(`[data-ruling="${KEYS[event.key]}"]`);
    if (button && !button.disabled) {
      event.preventDefault();
      button.click();
    }
  });

  choose(null);
  drawActs();
})();
