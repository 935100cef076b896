// The backups' page: follows the work that goes on, and comes back when it is over, also over a restart of the station.
"use strict";

(() => {
  const bar = document.querySelector("[data-busy] progress");
  if (!bar) return;
  let reached = true; // whether the station answered last time

  async function look() {
    try {
      const response = await fetch("/backup/state", { cache: "no-store" });
      const { busy, percent } = await response.json();
      // After a silence it is another start of the station; its answer shows how things are.
      if (!response.ok || !busy || !reached) return location.assign("/backup");
      bar.value = percent;
    } catch {
      reached = false;
    }
    return setTimeout(look, 500);
  }

  look();
})();
