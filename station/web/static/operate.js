// Race control: buttons, keys and the form become commands; the answer is one sentence.
"use strict";

(() => {
  const controls = document.getElementById("controls");
  const answer = document.getElementById("answer");
  const author = document.getElementById("author");
  const shortcuts = document.getElementById("shortcuts");
  const throttle = document.getElementById("throttle");
  const ask = document.getElementById("ask");
  const field = (id) => document.getElementById(id);
  let car = "";
  let cars = [];
  let runs = []; // all that are on the track
  let chosen = ""; // the run that commands go to, when several are on the track
  const RUN_COMMANDS = new Set(["arm", "start", "resume", "finish", "abandon", "off_track", "collision", "reset", "hand_time", "take_back", "drop_crossing"]);

  function remembered(name, fallback) {
    try {
      return localStorage.getItem(name) ?? fallback;
    } catch {
      return fallback; // storage may be switched off; then nothing is remembered
    }
  }

  function remember(name, value) {
    try {
      localStorage.setItem(name, value);
    } catch {
      answer.textContent = t("This browser cannot remember settings.");
    }
  }

  function show(text, state) {
    answer.textContent = text;
    answer.dataset.state = state;
  }

  // Stamps are integer nanoseconds, too large for a JavaScript number: a BigInt is written out with all its digits.
  function json(command) {
    const text = (value) => (typeof value === "bigint" ? String(value) : JSON.stringify(value));
    return `{${Object.entries(command).map(([name, value]) => `${JSON.stringify(name)}:${text(value)}`)}}`;
  }

  // Ordered is not done: the check mark waits until the car itself reports the mode.
  const DONE = {
    arm: ["ready", "driving"], rearm: ["ready", "driving"], start: ["driving"], resume: ["driving"],
    stop: ["stopped", "disarmed", "tripped"], estop: ["tripped"], reset: ["disarmed"],
  };
  const MODES = {
    disarmed: t("disarmed"), ready: t("ready"), driving: t("driving"), stopped: t("stopped"), tripped: t("tripped"), silent: t("silent"),
  };
  let ordered = null;

  function checkOrder(modes) {
    if (!ordered) return;
    const { car, goal, what } = ordered;
    const mode = modes[car];
    if (DONE[goal].includes(mode)) {
      show(`✓ ${t("{what}: {car} is {mode}", { what, car, mode: MODES[mode] ?? mode })}`, "done");
      ordered = null;
    } else if (mode === "silent" || (mode === "tripped" && (goal === "arm" || goal === "start"))) {
      show(`✕ ${t("{what}: ordered, but {car} is {mode}.", { what, car, mode: MODES[mode] ?? mode })}`, "refused");
    }
  }

  async function send(command, what) {
    const document_ = { author: author.value.trim() || "operator", ...command };
    show(`${what} …`, "waiting");
    ordered = null;
    try {
      const response = await fetch("/api/v1/commands", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: json(document_),
      });
      const reply = await response.json();
      if (response.ok ? !reply.accepted : typeof reply.error !== "string") throw new Error("not the station's answer");
      ordered = response.ok && reply.car ? { car: reply.car, goal: reply.goal, what } : null;
      if (ordered) show(`… ${t("{what}: ordered.", { what })} ${reply.note || t("{car} has not confirmed it yet.", { car: reply.car })}`, "waiting");
      else if (response.ok) show(reply.effect ? `✓ ${what}. ${reply.effect.sentence}` : `✓ ${what}`, "done");
      else show(`✕ ${reply.error}`, "refused");
      if (reply.override) {
        const override_reason = await askOverride(reply.error);
        if (override_reason) return send({ ...command, override_reason }, t("{what}, gate overridden", { what }));
      }
      return response.ok ? reply : null;
    } catch {
      show(`✕ ${t("{what}: the station did not answer. Check whether it took effect before you press again.", { what })}`, "refused");
      return null;
    }
  }

  function askReason(button) {
    return new Promise((resolve) => {
      const wantsSeconds = button.hasAttribute("data-ask-seconds");
      field("ask-title").textContent = button.dataset.ask;
      field("ask-reason").value = "";
      field("ask-seconds").value = "";
      field("ask-seconds").required = wantsSeconds;
      field("ask-seconds-box").hidden = !wantsSeconds;
      ask.returnValue = "no";
      ask.addEventListener(
        "close",
        () => {
          if (ask.returnValue !== "yes") return resolve(null);
          const given = { reason: field("ask-reason").value.trim() };
          if (wantsSeconds) given.seconds = field("ask-seconds").value; // as typed: the station reads 1,5 and 1.5
          return resolve(given);
        },
        { once: true },
      );
      ask.showModal();
    });
  }

  // An official may arm although a gate is not ready; the journal records who did, and the reason.
  function askOverride(why) {
    return new Promise((resolve) => {
      const box = field("override");
      field("override-why").textContent = why.replace(/: [^:]*`override_reason`[^:]*$/, ".");
      field("override-reason").value = "";
      box.returnValue = "no";
      box.addEventListener(
        "close",
        () => resolve(box.returnValue === "yes" ? field("override-reason").value.trim() : ""),
        { once: true },
      );
      box.showModal();
    });
  }

  function commandOf(button) {
    const command = { command: button.dataset.command };
    for (const { name, value } of button.attributes) {
      if (name.startsWith("data-number-")) command[name.slice(12)] = BigInt(value);
      if (name.startsWith("data-text-")) command[name.slice(10)] = value;
      if (name.startsWith("data-flag-")) command[name.slice(10)] = true;
    }
    if (button.hasAttribute("data-now")) command.utc_ms = Date.now();
    const run = runs.find((each) => each.run_id === chosen);
    if (runs.length > 1 && RUN_COMMANDS.has(command.command)) command.run_id ??= chosen;
    if (button.hasAttribute("data-car")) command.car = runs.length > 1 ? (run ? run.car : "") : car;
    return command;
  }

  async function press(button) {
    const command = commandOf(button);
    const what = (button.dataset.ask || button.firstChild.textContent).trim();
    if (runs.length > 1 && (command.run_id === "" || command.car === "")) return show(`✕ ${t("Choose a car first: several are on the track.")}`, "refused");
    if (command.car === "") return show(`✕ ${t("There is no car to control: open a run first.")}`, "refused");
    const given = button.dataset.ask ? await askReason(button) : {};
    if (given === null) return undefined;
    return send({ ...command, ...given }, what);
  }

  // With several cars on the track, a command needs a run that was chosen.
  function choose(run_id) {
    chosen = run_id;
    const run = runs.find((each) => each.run_id === chosen);
    const several = runs.length > 1;
    field("chosen").hidden = !several;
    field("chosen").textContent = run ? t("Commands go to {racer}, {car}.", { racer: run.racer, car: run.car }) : t("Choose which car your commands go to.");
    for (const pick of document.querySelectorAll("[data-pick]")) {
      pick.setAttribute("aria-pressed", String(pick.dataset.pick === chosen));
      pick.closest(".car-card").classList.toggle("picked", pick.dataset.pick === chosen);
    }
    if (several) follow(run ? run.next : "");
  }

  document.addEventListener("click", (click) => {
    const pick = click.target.closest("button[data-pick]");
    if (pick) choose(pick.dataset.pick);
    const button = click.target.closest("button[data-command]");
    if (button) press(button);
  });

  field("open-run").addEventListener("submit", async (submit) => {
    submit.preventDefault();
    const values = Object.fromEntries(new FormData(submit.target));
    const form = submit.target;
    const command = { command: "open_run", ...values, throttle_percent: Number(values.throttle_percent) };
    const opened = await send(command, t("Run of {racer} opened", { racer: values.racer }));
    if (!opened) return;
    form.elements.racer.value = "";
    choose(opened.run_id);
  });

  // Single-key shortcuts: only while no text field has the focus and no dialog is open; they can be switched off.
  document.addEventListener("keydown", (key) => {
    const typing = key.target.closest("input:not([type=checkbox]):not([type=range]), textarea, select, dialog");
    // An open dialog takes all keys, even if nothing in it has the focus.
    if (document.querySelector("dialog[open]")) return;
    if (!shortcuts.checked || typing || key.ctrlKey || key.altKey || key.metaKey || key.repeat) return;
    const button = document.querySelector(`button[data-key="${CSS.escape(key.key.toLowerCase())}"]`);
    if (!button) return;
    key.preventDefault();
    button.focus();
    if (button.dataset.pick) choose(button.dataset.pick);
    else if (button.closest("[data-stop]")) document.dispatchEvent(new Event("raceday-stop"));
    else press(button);
  });

  function follow(next) {
    for (const button of controls.querySelectorAll("[data-for]")) {
      button.classList.toggle("primary", button.dataset.for === next);
    }
  }

  document.addEventListener("raceday", ({ detail }) => {
    const data = detail.operate?.data;
    if (!data) return choose(chosen); // rows were drawn anew
    checkOrder(data.modes);
    follow(data.next);
    car = data.car;
    cars = data.cars;
    runs = data.runs;
    choose(runs.some((run) => run.run_id === chosen) ? chosen : "");
    for (const button of controls.querySelectorAll("[data-mode-of]")) {
      button.setAttribute("aria-pressed", String(button.dataset.modeOf === data.mode));
    }
    field("cars").replaceChildren(...cars.map((name) => Object.assign(document.createElement("option"), { value: name })));
    const wanted = field("open-run").elements.car;
    if (!wanted.value && cars.length === 1) wanted.value = cars[0];
    return undefined;
  });

  throttle.addEventListener("input", () => {
    field("throttle-words").textContent = `${throttle.value} %`;
  });
  author.value = remembered("raceday-author", "");
  author.addEventListener("change", () => remember("raceday-author", author.value));
  shortcuts.checked = remembered("raceday-shortcuts", "on") === "on";
  shortcuts.addEventListener("change", () => remember("raceday-shortcuts", shortcuts.checked ? "on" : "off"));
  follow(controls.dataset.next);
})();
