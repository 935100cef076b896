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

  // Returns the rows whose figure is new.
  const replaceRows = (change) => {
    const rows = rowsByKey();
    const fresh = [];
    for (const [key, html] of Object.entries(change.rows)) {
      const row = element(html);
      const old = rows.get(key);
      localise(row);
      if (!old || old.dataset.figure !== row.dataset.figure) {
        row.classList.add("fresh");
        fresh.push(row);
      }
      if (old) old.replaceWith(row);
      rows.set(key, row);
    }
    const order = change.lists.rows ?? [...body.rows].map((row) => row.dataset.key);
    for (const [place, key] of order.entries()) {
      if (body.rows[place] !== rows.get(key)) body.insertBefore(rows.get(key), body.rows[place] ?? null);
    }
    while (body.rows.length > order.length) body.rows[body.rows.length - 1].remove();
    return fresh;
  };

  const time = (ms) => {
    const minutes = Math.floor(ms / 60_000);
    const seconds = ((ms % 60_000) / 1000).toFixed(3);
    return minutes ? `${minutes}:${seconds.padStart(6, "0")}` : seconds;
  };
  const setText = (cell, text) => {
    if (cell.textContent !== text) cell.textContent = text;
  };

  // What follows from a row's place: an event holds the row that changed, not all that it passed. `moved` and `tied` are
  // runs of rows, from and to; `tie` is the sign of a tie, and `arrows` has the cell of each number of places.
  const placeRows = ({ first, leader_ms, ahead_ms, moved, tied, tie, arrows }) => {
    const rows = [...body.rows];
    const arrow = new Array(rows.length).fill("0");
    for (const [from, to, by] of moved) arrow.fill(String(by), from, to + 1);
    const touching = new Array(rows.length).fill(false);
    for (const [from, to] of tied) touching.fill(true, from, to + 1);
    let before_ms = ahead_ms;
    for (const [index, row] of rows.entries()) {
      const rank = first + index;
      const score_ms = Number(row.dataset.scoreMs);
      const [kind, html] = arrows[arrow[index]];
      row.dataset.rank = rank;
      for (const place of [1, 2, 3]) row.classList.toggle(`place-${place}`, rank === place);
      setText(row.querySelector(".rank"), String(rank));
      setText(row.querySelector(".gap"), rank === 1 ? "–" : `+${time(score_ms - leader_ms)}`);
      setText(row.querySelector(".interval"), rank === 1 ? "–" : `+${time(score_ms - before_ms)}`);
      const sign = row.querySelector(".tie");
      if (sign && !touching[index]) sign.remove();
      if (!sign && touching[index]) row.querySelector(".score").insertAdjacentHTML("afterbegin", tie);
      const move = row.querySelector(".move");
      if (move.innerHTML !== html) move.innerHTML = html;
      move.className = `move ${kind}`;
      before_ms = score_ms;
    }
  };

  const announcement = ({ dataset: { name, rank, figure } }) =>
    t("{racer}: rank {rank} with {score}.", { racer: name, rank, score: figure });

  let first = true;

  const apply = (change, version) => {
    const before = tops();
    const fresh = replaceRows(change);
    placeRows(change.data);
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
      if (fresh.length) announce.textContent = fresh.slice(0, 3).map(announcement).join(" ");
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
