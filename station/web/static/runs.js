// The list of runs: the filter works at once, arrow keys walk over the runs, and the list follows the station.
"use strict";

(() => {
  const filter = document.getElementById("filter");
  const EVERY_MS = 10_000;
  let waiting = null;

  function address() {
    const wanted = new URLSearchParams([...new FormData(filter)].filter(([, value]) => value));
    return wanted.size ? `/runs?${wanted}` : "/runs";
  }

  async function refresh() {
    try {
      const response = await fetch(address(), { headers: { accept: "text/html" } });
      if (!response.ok) return; // the band at the top says that the station is away
      const fresh = new DOMParser().parseFromString(await response.text(), "text/html").getElementById("run-list");
      const list = document.getElementById("run-list");
      const focused = document.activeElement?.closest?.("#run-list tr")?.id;
      if (!fresh || fresh.innerHTML === list.innerHTML) return;
      list.replaceWith(fresh);
      if (focused) document.getElementById(focused)?.querySelector("a")?.focus({ preventScroll: true });
    } catch {
      // the next turn tries again
    }
  }

  filter.addEventListener("submit", (event) => {
    event.preventDefault();
    history.replaceState(null, "", address());
    refresh();
  });
  filter.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => filter.requestSubmit(), 200);
  });

  // Enter opens the run that has the focus: it is a link.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    if (event.target.closest("form, dialog")) return;
    const links = [...document.querySelectorAll("#run-list tbody a")];
    if (!links.length) return;
    const place = links.indexOf(document.activeElement);
    const next = place < 0 ? 0 : place + (event.key === "ArrowDown" ? 1 : -1);
    links[Math.max(0, Math.min(links.length - 1, next))].focus();
    event.preventDefault();
  });

  setInterval(() => document.hidden || refresh(), EVERY_MS);
})();
