// The page follows the station: one EventSource, parts replaced by id, rows of the lists kept in order by key.
"use strict";

(() => {
  const AGAIN_MS = 5000; // a connection that says nothing for so long is opened anew
  const link = document.getElementById("link");
  const words = document.getElementById("link-words");
  const announce = document.getElementById("announce");
  let source = null;
  let opened_ms = 0;

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

  function connect() {
    if (source) source.close();
    source = new EventSource(document.body.dataset.live);
    opened_ms = performance.now();
    source.addEventListener("page", (message) => {
      silence.heard();
      show("live", "Live");
      take(JSON.parse(message.data));
    });
    source.addEventListener("beat", (message) => {
      silence.heard();
      show("live", "Live");
      lapClock.take(JSON.parse(message.data));
    });
    source.onerror = () => {
      show("away", "Station away");
      if (source.readyState === EventSource.CLOSED) setTimeout(connect, 2000);
    };
  }

  // A connection that is dead but not closed (a laptop woke up, the wireless moved) is opened anew.
  setInterval(() => {
    if (silence.on() && performance.now() - opened_ms > AGAIN_MS) connect();
  }, 1000);
  document.addEventListener("silent", () => show("away", "Station away"));
  connect();
})();
