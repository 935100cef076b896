// Results for the leaderboard: what waits or was rejected is sent again when an official says so.
"use strict";

(() => {
  const answer = document.getElementById("sending-answer");

  async function send(button) {
    const wanted = {
      rejected: button.dataset.send === "rejected",
      webhook_id: button.dataset.webhookId || "",
      author: document.getElementById("author").value.trim(),
    };
    const what = (button.getAttribute("aria-label") || button.textContent).trim();
    answer.textContent = `${what} …`;
    try {
      const response = await fetch("/api/v1/sync", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(wanted),
      });
      const said = await response.json();
      if (response.ok ? !said.accepted : typeof said.error !== "string") throw new Error("not the station's answer");
      answer.textContent = response.ok ? `… ${what}: requested. The outcome appears above.` : `✕ ${said.error}`;
    } catch {
      answer.textContent = `✕ ${what}: the station did not answer. Press again.`;
    }
  }

  document.addEventListener("click", (click) => {
    const button = click.target.closest("button[data-send]");
    if (button) send(button);
  });
})();
