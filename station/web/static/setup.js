// The set-up wizard: the walk test begins anew at a press, and the leaderboard is asked.
"use strict";

(() => {
  const list = document.getElementById("setup_sensors");
  const walk = document.getElementById("walk");
  const test = document.getElementById("test-board");
  const answer = document.getElementById("test-answer");
  let before = null; // edges of each sensor when the walk began; null: since the station's start

  // The station counts edges from its start on; the walk counts those since the press.
  function tick() {
    if (before === null) return;
    for (const row of list.children) {
      if (!(row.id in before)) before[row.id] = 0;
      const seen = Number(row.dataset.edges) > before[row.id] && !row.querySelector(".tick-trouble");
      if (row.classList.contains("ticked") === seen) continue;
      row.classList.toggle("ticked", seen);
      row.querySelector(".tick-sign").textContent = seen ? "✓" : "○";
      const state = row.querySelector(".tick-state");
      if (!state.querySelector(".tick-trouble")) state.textContent = seen ? t("seen") : t("break it by hand");
    }
  }

  walk.hidden = false;
  walk.addEventListener("click", () => {
    before = Object.fromEntries([...list.children].map((row) => [row.id, Number(row.dataset.edges)]));
    tick();
  });
  document.addEventListener("raceday", tick);

  test.hidden = false;
  test.addEventListener("click", async () => {
    answer.textContent = t("Asking the leaderboard …");
    try {
      const response = await fetch("/api/v1/sync", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ test: true }),
      });
      const reply = await response.json();
      if (response.status === 404) answer.textContent = t("No leaderboard is configured: results stay at this station.");
      else answer.textContent = response.ok ? t("Asked. The answer appears above.") : `✕ ${reply.error}`;
    } catch {
      answer.textContent = `✕ ${t("The station did not answer. Press again.")}`;
    }
  });
})();
