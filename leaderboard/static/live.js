// Updates a race's standings: one event stream, rows replaced by key, moved rows slide into place.
(() => {
  "use strict";

  const table = document.querySelector("table[data-live]");
  const body = table.tBodies[0];
  const link = document.querySelector("[data-link]");
  const linkText = document.querySelector("[data-link-text]");
  const announce = document.querySelector("[data-announce]");
  const reducedMotion = window.matchMedia("(prefers-reduced-motion: reduce)");
  const SLIDE_MS = 450;

  const rowsByKey = () => new Map([...body.rows].map((row) => [row.dataset.key, row]));

  const element = (html) => {
    const template = document.createElement("template");
    template.innerHTML = html.trim();
    return template.content.firstElementChild;
  };

  const showLink = (state, text) => {
    link.dataset.link = state;
    linkText.textContent = text;
  };

  // Times are shown in the reader's time zone; without this script, in UTC.
  const localise = (root) => {
    for (const time of root.querySelectorAll("time[datetime]")) {
      const at = new Date(time.dateTime);
      const today = at.toDateString() === new Date().toDateString();
      const day = today ? "" : at.toLocaleDateString(LANGUAGE, { day: "numeric", month: "short" }) + " ";
      time.textContent = day + at.toLocaleTimeString(LANGUAGE, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
      time.title = time.dateTime;
    }
  };

  // Where the rows are, so that moved ones can slide instead of jump.
  const tops = () => new Map([...body.rows].map((row) => [row.dataset.key, row.getBoundingClientRect().top]));

  const slide = (before) => {
    if (reducedMotion.matches) return;
    for (const row of body.rows) {
      const was = before.get(row.dataset.key);
      const by = was === undefined ? 0 : was - row.getBoundingClientRect().top;
      if (by) row.animate([{ transform: `translateY(${by}px)` }, { transform: "none" }], { duration: SLIDE_MS, easing: "ease-out" });
    }
  };

  const replaceRows = (change) => {
    const rows = rowsByKey();
    const announcements = [];
    for (const [key, html] of Object.entries(change.rows)) {
      const row = element(html);
      const old = rows.get(key);
      localise(row);
      if (!old || old.dataset.figure !== row.dataset.figure) {
        row.classList.add("fresh");
        announcements.push(t("{racer}: rank {rank} with {score}.", { racer: row.dataset.name, rank: row.dataset.rank, score: row.dataset.figure }));
      }
      if (old) old.replaceWith(row);
      rows.set(key, row);
    }
    const order = change.lists.rows ?? [...body.rows].map((row) => row.dataset.key);
    for (const [place, key] of order.entries()) {
      if (body.rows[place] !== rows.get(key)) body.insertBefore(rows.get(key), body.rows[place] ?? null);
    }
    while (body.rows.length > order.length) body.rows[body.rows.length - 1].remove();
    return announcements;
  };

  let first = true;

  const apply = (change, version) => {
    const before = tops();
    const announcements = replaceRows(change);
    for (const [name, html] of Object.entries(change.parts)) {
      const part = document.querySelector(`[data-part="${name}"]`);
      if (part.innerHTML !== html) part.innerHTML = html;
    }
    table.dataset.version = version;
    if (first || change.whole) {
      // The page shows these already.
      for (const row of body.rows) row.classList.remove("fresh");
    } else {
      slide(before);
      if (announcements.length) announce.textContent = announcements.slice(0, 3).join(" ");
    }
    first = false;
  };

  localise(document);

  sharedStream({
    address: table.dataset.live,
    onMessage: (name, data, age_ms) => {
      silence.onMessage(age_ms);
      if (!silence.isSilent()) showLink("on", t("Live"));
      if (name === "update") apply(data.topics.standings, data.version);
    },
    onLost: () => showLink("lost", t("Reconnecting …")),
  });
  document.addEventListener("silent", () => showLink("lost", t("Reconnecting …")));
})();
