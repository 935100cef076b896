// The gates' page: officials test a gate again, or set the time of day; the reply is one sentence.
"use strict";

(() => {
  const answer = document.getElementById("answer");

  const THEN = { try_gate: t("Now roll a car past every sensor.") };

  function commandOf(button) {
    const command = { command: button.dataset.command };
    if (button.dataset.textGate) command.gate = button.dataset.textGate;
    if (button.hasAttribute("data-now")) command.utc_ms = Date.now();
    return command;
  }

  async function press(button) {
    const what = button.getAttribute("aria-label") || button.textContent.trim();
    const show = (text, state) => {
      answer.textContent = text;
      answer.dataset.state = state;
    };
    try {
      const response = await fetch("/api/v1/commands", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(commandOf(button)),
      });
      const reply = await response.json();
      if (response.ok ? !reply.accepted : typeof reply.error !== "string") throw new Error("not the station's answer");
      if (response.ok) show(["✓", what, THEN[button.dataset.command]].filter(Boolean).join(" "), "done");
      else show(`✕ ${reply.error}`, "refused");
    } catch {
      show(`✕ ${t("{what}: the station did not answer.", { what })}`, "refused");
    }
  }

  document.addEventListener("click", (click) => {
    const button = click.target.closest("button[data-command]");
    if (button) press(button);
  });
})();
