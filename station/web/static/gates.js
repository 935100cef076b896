// The gates' page: a gate is tried anew by an official, or the time of day is told; the answer is one sentence.
"use strict";

(() => {
  const answer = document.getElementById("answer");

  const THEN = { try_gate: ": now let a car roll past every sensor." };

  function commandOf(button) {
    const command = { command: button.dataset.command };
    if (button.dataset.textGate) command.gate = button.dataset.textGate;
    if (button.hasAttribute("data-now")) command.utc_ms = Date.now();
    return command;
  }

  async function press(button) {
    const what = button.getAttribute("aria-label") || button.textContent.trim();
    const tell = (text, state) => {
      answer.textContent = text;
      answer.dataset.state = state;
    };
    try {
      const response = await fetch("/api/v1/commands", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(commandOf(button)),
      });
      const said = await response.json();
      if (response.ok ? !said.accepted : typeof said.error !== "string") throw new Error("not the station's answer");
      if (response.ok) tell(`✓ ${what}${THEN[button.dataset.command] ?? ""}`, "done");
      else tell(`✕ ${said.error}`, "refused");
    } catch {
      tell(`✕ ${what}: the station did not answer.`, "refused");
    }
  }

  document.addEventListener("click", (click) => {
    const button = click.target.closest("button[data-command]");
    if (button) press(button);
  });
})();
