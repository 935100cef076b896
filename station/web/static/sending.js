// Results for the leaderboard: an official's request sends pending results now, and rejected ones again.
"use strict";

(() => {
  const answer = document.getElementById("sending-answer");

  async function send(button) {
    const wanted = {
      rejected: button.dataset.send === "rejected",
      webhook_id: button.dataset.webhookId || "",
      author: document.getElementById("author")?.value.trim() ?? "",
    };
    const what = (button.getAttribute("aria-label") || button.textContent).trim();
    answer.textContent = `${what} …`;
    try {
      const response = await fetch("/api/v1/sync", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(wanted),
      });
      const reply = await response.json();
      if (response.ok ? !reply.accepted : typeof reply.error !== "string") throw new Error("not the station's answer");
      answer.textContent = response.ok ? `… ${t("{what}: requested. The outcome appears above.", { what })}` : `✕ ${reply.error}`;
    } catch {
      answer.textContent = `✕ ${t("{what}: the station did not answer. Press again.", { what })}`;
    }
  }

  document.addEventListener("click", (click) => {
    const button = click.target.closest("button[data-send]");
    if (button) send(button);
  });
})();
