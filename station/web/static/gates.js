// The gates' page: a gate is tried anew by an official; the answer is one sentence.
"use strict";

(() => {
  const answer = document.getElementById("answer");

  async function press(button) {
    const what = button.getAttribute("aria-label");
    const tell = (text, state) => {
      answer.textContent = text;
      answer.dataset.state = state;
    };
    try {
      const response = await fetch("/api/v1/commands", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ command: button.dataset.command, gate: button.dataset.textGate }),
      });
      const said = await response.json();
      tell(response.ok ? `✓ ${what}: now let a car roll over every sensor.` : `✕ ${said.error}`, response.ok ? "done" : "refused");
    } catch {
      tell(`✕ ${what}: the station did not answer.`, "refused");
    }
  }

  document.addEventListener("click", (click) => {
    const button = click.target.closest("button[data-command]");
    if (button) press(button);
  });
})();
