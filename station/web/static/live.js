// The page follows the station: one stream (stream.js), parts replaced by id, rows of the lists kept in order by key.
"use strict";

(() => {
  const link = document.getElementById("link");
  const words = document.getElementById("link-words");
  const announce = document.getElementById("announce");

  function element(html) {
    const box = document.createElement("template");
    box.innerHTML = html;
    return box.content.firstElementChild;
  }

  // What has the focus keeps it, though its row is drawn anew.
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

  function say(rows) {
    const laps = rows.filter((row) => row.dataset.say);
    if (laps.length) announce.textContent = laps[0].dataset.say;
  }

  function take(page) {
    keepingFocus(() => {
      for (const [id, html] of Object.entries(page.parts)) document.getElementById(id).innerHTML = html;
      const rest = { ...page.rows };
      for (const [id, keys] of Object.entries(page.lists)) {
        say(arrange(document.getElementById(id), keys, page.rows, page.whole));
        for (const key of keys) delete rest[key];
      }
      redraw(rest);
    });
    lapClock.take(page.clock);
    document.body.dataset.mode = page.mode;
    document.title = (page.mode === "test" ? "TEST · " : "") + document.title.replace(/^TEST · /, "");
    document.body.dataset.version = page.version;
    document.dispatchEvent(new CustomEvent("raceday", { detail: page }));
  }

  function show(state, text) {
    if (link.dataset.state === state) return;
    link.dataset.state = state;
    words.textContent = text;
  }

  // What a tab that comes later is told: the page as this one shows it.
  function merge(whole, name, data) {
    if (name === "beat") return whole && { ...whole, clock: data };
    if (data.whole || !whole) return { ...data, whole: true };
    const lists = { ...whole.lists, ...data.lists };
    const kept = new Set(Object.values(lists).flat());
    const rows = Object.entries({ ...whole.rows, ...data.rows }).filter(([key]) => kept.has(key));
    return { ...data, whole: true, parts: { ...whole.parts, ...data.parts }, rows: Object.fromEntries(rows), lists };
  }

  sharedStream({
    address: document.body.dataset.live,
    events: ["page", "beat"],
    merge,
    hear: (name, data, age_ms) => {
      silence.heard(age_ms);
      if (!silence.on()) show("live", "Live");
      if (name === "page") take(data);
      else lapClock.take(data);
    },
    lost: () => show("away", "Station offline"),
  });
  document.addEventListener("silent", () => show("away", "Station offline"));
})();
