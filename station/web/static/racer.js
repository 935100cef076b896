// A racer's page stays new while it is open: it asks for itself again, and shows what has changed.
"use strict";

(() => {
  const EVERY_MS = 10_000;
  const stale = document.querySelector(".stale");
  let asking = false;

  async function refresh() {
    const main = document.getElementById("main");
    // What somebody is using stays as it is.
    if (asking || document.hidden || (main.contains(document.activeElement) && document.activeElement !== main)) return;
    asking = true;
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      if (!answer.ok) throw new Error(String(answer.status));
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
      if (fresh.innerHTML !== main.innerHTML) main.replaceChildren(...fresh.childNodes);
      stale.hidden = true;
    } catch {
      stale.hidden = false; // the page says that it may be old, and asks again
    }
    asking = false;
  }

  setInterval(refresh, EVERY_MS);
  document.addEventListener("visibilitychange", refresh);
})();
