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

  function applyTopic(topic) {
    keepingFocus(() => {
      for (const [id, html] of Object.entries(topic.parts)) document.getElementById(id).innerHTML = html;
      const rest = { ...topic.rows };
      for (const [id, keys] of Object.entries(topic.lists)) {
        announceLaps(arrange(document.getElementById(id), keys, topic.rows, topic.whole));
        for (const key of keys) delete rest[key];
      }
      redraw(rest);
    });
  }

  // Scripts of a page listen for `raceday`: `detail.NAME` is a topic that changed, with its `data` if that did. They
  // get `raceday-before` with the same while the page still shows what was before.
  function applyUpdate({ version, clock, topics }) {
    document.dispatchEvent(new CustomEvent("raceday-before", { detail: topics }));
    for (const topic of Object.values(topics)) applyTopic(topic);
    lapClock.update(clock);
    for (const { data } of Object.values(topics)) if (data?.mode) showMode(data.mode);
    document.body.dataset.version = version;
    document.dispatchEvent(new CustomEvent("raceday", { detail: topics }));
  }

  function showMode(mode) {
    document.body.dataset.mode = mode;
    document.title = (mode === "test" ? TESTING : "") + document.title.replace(TESTING, "");
  }

  function show(state, text) {
    if (link.dataset.state === state) return;
    link.dataset.state = state;
    linkText.textContent = text;
  }

  let denied = false;

  sharedStream({
    address: `/live?lang=${LANGUAGE}`,
    topics: document.body.dataset.topics.split(","),
    onMessage: (name, data, age_ms) => {
      if (denied) return;
      silence.onMessage(age_ms);
      if (!silence.isSilent()) show("live", t("Live"));
      if (name === "update") applyUpdate(data);
      else lapClock.update(data);
    },
    onLost: () => show("away", t("Station offline")),
    onDenied: () => {
      denied = true;
      silence.show(t("✕ Nobody is signed in on this device any more, so this page is not updated. Sign in again."));
      show("away", t("Signed out"));
    },
  });
  document.addEventListener("silent", () => show("away", t("Station offline")));
})();
