// Sends officials' commands and shows their answers: one sentence, and for a car first "ordered", then "done".
"use strict";

const commands = (() => {
  const MOST_LINES = 20;
  const answer = document.getElementById("answer");
  const log = document.getElementById("log-lines");
  // Ordered is not done: the check mark waits until the car itself reports the mode.
  const DONE = {
    arm: ["ready", "driving"], rearm: ["ready", "driving"], start: ["driving"], resume: ["driving"],
    stop: ["stopped", "disarmed", "tripped"], estop: ["tripped"], reset: ["disarmed"],
  };
  let ordered = null;
  let modes = {}; // of the cars, as the stream last said

  function show(text, state) {
    const at = new Date().toLocaleTimeString(LANGUAGE);
    answer.textContent = text;
    answer.dataset.state = state;
    answer.dataset.at = at; // shown before it
    if (state === "waiting" || !log) return;
    const line = document.createElement("li");
    line.dataset.state = state;
    line.textContent = `${at}  ${text}`;
    log.prepend(line);
    while (log.children.length > MOST_LINES) log.lastElementChild.remove();
  }

  // Stamps are integer nanoseconds, too large for a JavaScript number: a BigInt is written out with all its digits.
  function json(command) {
    const text = (value) => (typeof value === "bigint" ? String(value) : JSON.stringify(value));
    return `{${Object.entries(command).map(([name, value]) => `${JSON.stringify(name)}:${text(value)}`)}}`;
  }

  function post(address, command) {
    return fetch(address, { method: "POST", headers: { "content-type": "application/json" }, body: json(command) });
  }

  // The command of a button, from its data attributes: `data-text-NAME`, `data-number-NAME`, `data-flag-NAME`.
  function of(button) {
    const command = { command: button.dataset.command ?? button.dataset.rule };
    for (const { name, value } of button.attributes) {
      if (name.startsWith("data-number-")) command[name.slice(12)] = BigInt(value);
      if (name.startsWith("data-text-")) command[name.slice(10)] = value;
      if (name.startsWith("data-flag-")) command[name.slice(10)] = true;
    }
    if (button.hasAttribute("data-now")) command.utc_ms = Date.now();
    return command;
  }

  // What a button does, in words.
  function words(button) {
    return (button.dataset.ask || button.dataset.title || (button.querySelector(".what") ?? button).textContent).trim();
  }

  function checkOrder() {
    if (!ordered) return;
    const { car, goal, what } = ordered;
    const mode = modes[car];
    if (DONE[goal]?.includes(mode)) {
      show(`✓ ${t("{what}: {car} is {mode}", { what, car, mode })}`, "done");
      ordered = null;
    } else if (mode === "silent" || (mode === "tripped" && (goal === "arm" || goal === "start"))) {
      show(`✕ ${t("{what}: ordered, but {car} is {mode}.", { what, car, mode })}`, "refused");
      ordered = null;
    }
  }

  // Gives a command; returns the station's reply, or null if it was refused or not answered. `onOverride(sentence)`:
  // asks for the reason to do it all the same, for a refusal that can be overridden; "" or nothing: it is not.
  async function send(command, what, onOverride) {
    show(`${what} …`, "waiting");
    ordered = null;
    try {
      const response = await post("/api/v1/commands", command);
      const reply = await response.json();
      if (response.ok ? !reply.accepted : typeof reply.error !== "string") throw new Error("not the station's answer");
      ordered = response.ok && reply.car ? { car: reply.car, goal: reply.goal, what } : null;
      if (ordered) show(`… ${t("{what}: ordered.", { what })} ${reply.note || t("{car} has not confirmed it yet.", { car: reply.car })}`, "waiting");
      else if (response.ok) show(reply.effect ? `✓ ${what}. ${reply.effect.sentence}` : `✓ ${what}`, "done");
      else show(`✕ ${reply.error}`, "refused");
      if (response.ok) document.dispatchEvent(new Event("given"));
      checkOrder(); // the car may have answered before the station did
      if (reply.override && onOverride) {
        const override_reason = await onOverride(reply.error);
        if (override_reason) return send({ ...command, override_reason }, t("{what}, overridden", { what }));
      }
      return response.ok ? reply : null;
    } catch {
      show(`✕ ${t("{what}: the station did not answer. Check whether it took effect before you press again.", { what })}`, "refused");
      return null;
    }
  }

  // What a ruling would change, as a sentence; why it would be refused; "" if the station does not say.
  async function preview(command) {
    try {
      const response = await post("/api/v1/preview", command);
      const reply = await response.json();
      return response.ok ? reply.effect.sentence : `✕ ${reply.error}`;
    } catch {
      return "";
    }
  }

  document.addEventListener("raceday", ({ detail }) => {
    for (const { data } of Object.values(detail)) if (data?.modes) ({ modes } = data);
    checkOrder();
  });

  return { send, preview, of, words, show };
})();
