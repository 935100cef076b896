// The video of a run: looks every few seconds whether it is there, then shows it.
(() => {
  "use strict";

  const EVERY_MS = 4000;
  const status = document.querySelector("[data-video]");
  if (!status) return;

  async function look() {
    const stop = new AbortController();
    try {
      const answer = await fetch(status.dataset.video, { signal: stop.signal, headers: { accept: "application/json" } });
      if (answer.status === 202) {
        const stands = await answer.json();
        if (stands.state === "failed") return location.reload();
        if (status.dataset.state !== stands.state) status.textContent = stands.sentence;
        status.dataset.state = stands.state;
      } else if (answer.ok) {
        stop.abort();
        return location.reload();
      }
    } catch {
      // The leaderboard is away for a moment: look again.
    }
    setTimeout(look, EVERY_MS);
  }

  look();
})();
