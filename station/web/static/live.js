// The page follows the station: one stream (stream.js), parts replaced by id, rows of the lists kept in order by key.
"use strict";

(() => {
  const link = document.getElementById("link");
  const linkText = document.getElementById("link-words");
  const TESTING = `${t("TEST")} · `; // in front of the title
  const announce = document.getElementById("announce");

  function element(html) {
    const box = document.createElement("template");
    box.innerHTML = html;
    return box.content.firstElementChild;
  }

  // The element that has the focus gets it back when its row is replaced.
  function keepingFocus(change) {
    const focused = document.activeElement;
    const label = focused && focused.getAttribute && focused.getAttribute("aria-label");
    const named = focused && focused.id ? `#${CSS.escape(focused.id)}` : label && `[aria-label="${CSS.escape(label)}"]`;
    change();
    if (named && !document.contains(focused)) {
      const again = document.querySelector(named);
      if (again) again.focus({ preventScroll: true });
    }
  }

  function arrange(list, keys, rows, whole) {
    const fresh = [];
    let place = list.firstElementChild;
    for (const key of keys) {
      let row = document.getElementById(key);
      if (rows[key] !== undefined) {
        const drawn = element(rows[key]);
        if (row) {
          if (row === place) place = drawn;
          row.replaceWith(drawn);
        } else if (!whole) {
          drawn.classList.add("fresh");
          fresh.push(drawn);
        }
        row = drawn;
      }
      if (row === place) place = place.nextElementSibling;
      else list.insertBefore(row, place);
    }
    while (place) {
      const next = place.nextElementSibling;
      place.remove();
      place = next;
    }
    return fresh;
  }

  function redraw(rows) {
    for (const [key, html] of Object.entries(rows)) {
      const row = document.getElementById(key);
      if (row) row.replaceWith(element(html));
    }
  }

  function announceLaps(rows) {
    const laps = rows.filter((row) => row.dataset.announce);
    if (laps.length) announce.textContent = laps[0].dataset.announce;
  }

  function applyPage(page) {
    keepingFocus(() => {
      for (const [id, html] of Object.entries(page.parts)) document.getElementById(id).innerHTML = html;
      const rest = { ...page.rows };
      for (const [id, keys] of Object.entries(page.lists)) {
        announceLaps(arrange(document.getElementById(id), keys, page.rows, page.whole));
        for (const key of keys) delete rest[key];
      }
      redraw(rest);
    });
    lapClock.update(page.clock);
    document.body.dataset.mode = page.mode;
    document.title = (page.mode === "test" ? TESTING : "") + document.title.replace(TESTING, "");
    document.body.dataset.version = page.version;
    document.dispatchEvent(new CustomEvent("raceday", { detail: page }));
  }

  function show(state, text) {
    if (link.dataset.state === state) return;
    link.dataset.state = state;
    linkText.textContent = text;
  }

  // The state for a tab that opens later: the whole page as this one shows it, from the last state and a new message.
  function merge(whole, name, data) {
    if (name === "heartbeat") return whole && { ...whole, clock: data };
    if (data.whole || !whole) return { ...data, whole: true };
    const lists = { ...whole.lists, ...data.lists };
    const listed = new Set(Object.values(lists).flat());
    const rows = Object.entries({ ...whole.rows, ...data.rows }).filter(([key]) => listed.has(key));
    return { ...data, whole: true, parts: { ...whole.parts, ...data.parts }, rows: Object.fromEntries(rows), lists };
  }

  sharedStream({
    address: document.body.dataset.live,
    events: ["page", "heartbeat"],
    merge,
    onMessage: (name, data, age_ms) => {
      silence.onMessage(age_ms);
      if (!silence.isSilent()) show("live", t("Live"));
      if (name === "page") applyPage(data);
      else lapClock.update(data);
    },
    onLost: () => show("away", t("Station offline")),
  });
  document.addEventListener("silent", () => show("away", t("Station offline")));
})();
