// Keeps a race's standing true: one EventSource, rows replaced by key, moved rows slide to their place.
(() => {
  "use strict";

  const table = document.querySelector("table[data-live]");
  const body = table.tBodies[0];
  const wire = document.querySelector("[data-wire]");
  const wireText = document.querySelector("[data-wire-text]");
  const news = document.querySelector("[data-news]");
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
  const SLIDE_MS = 450;

  const rowsByKey = () => new Map([...body.rows].map((row) => [row.dataset.key, row]));

  const made = (html) => {
    const template = document.createElement("template");
    template.innerHTML = html.trim();
    return template.content.firstElementChild;
  };

  const tell = (state, text) => {
    wire.dataset.wire = state;
    wireText.textContent = text;
  };

  // UTC is for machines: people read their own time. Without this script the page says UTC.
  const localise = (root) => {
    for (const time of root.querySelectorAll("time[datetime]")) {
      const at = new Date(time.dateTime);
      const today = at.toDateString() === new Date().toDateString();
      const day = today ? "" : at.toLocaleDateString(undefined, { day: "numeric", month: "short" }) + " ";
      time.textContent = day + at.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
      time.title = time.dateTime;
    }
  };

  // Where rows were, so that they can slide from there (and not jump under the reader's eye).
  const places = () => new Map([...body.rows].map((row) => [row.dataset.key, row.getBoundingClientRect().top]));

  const slide = (before) => {
    if (calm.matches) return;
    for (const row of body.rows) {
      const was = before.get(row.dataset.key);
      const by = was === undefined ? 0 : was - row.getBoundingClientRect().top;
      if (by) row.animate([{ transform: `translateY(${by}px)` }, { transform: "none" }], { duration: SLIDE_MS, easing: "ease-out" });
    }
  };

  const replaceRows = (change) => {
    const held = rowsByKey();
    const said = [];
    for (const [key, html] of Object.entries(change.rows)) {
      const row = made(html);
      const old = held.get(key);
      localise(row);
      if (!old || old.dataset.score !== row.dataset.score) {
        row.classList.add("fresh");
        said.push(`${row.dataset.name}: rank ${row.dataset.rank} with ${row.dataset.score}.`);
      }
      if (old) old.replaceWith(row);
      held.set(key, row);
    }
    for (const [place, key] of change.order.entries()) {
      if (body.rows[place] !== held.get(key)) body.insertBefore(held.get(key), body.rows[place] ?? null);
    }
    while (body.rows.length > change.order.length) body.rows[body.rows.length - 1].remove();
    return said;
  };

  let first = true;

  const apply = (change) => {
    const before = places();
    const said = replaceRows(change);
    for (const [name, html] of Object.entries(change.parts)) {
      const part = document.querySelector(`[data-part="${name}"]`);
      if (part.innerHTML !== html) part.innerHTML = html;
    }
    table.dataset.version = change.version;
    if (first) {
      // The page itself told this already.
      for (const row of body.rows) row.classList.remove("fresh");
    } else {
      slide(before);
      if (said.length) news.textContent = said.slice(0, 3).join(" ");
    }
    first = false;
  };

  localise(document);

  // What a tab that comes later is told: the standing as this one shows it.
  const merge = (whole, name, change) => {
    if (name === "alive") return whole;
    const rows = Object.entries({ ...(whole ? whole.rows : {}), ...change.rows });
    const kept = rows.filter(([key]) => change.order.includes(key));
    return { ...change, rows: Object.fromEntries(kept), parts: { ...(whole ? whole.parts : {}), ...change.parts } };
  };

  sharedStream({
    address: table.dataset.live,
    events: ["standing", "alive"],
    merge,
    hear: (name, change, age_ms) => {
      silence.heard(age_ms);
      if (!silence.on()) tell("on", "live");
      if (name === "standing") apply(change);
    },
    lost: () => tell("lost", "reconnecting…"),
  });
  document.addEventListener("silent", () => tell("lost", "reconnecting…"));
})();
