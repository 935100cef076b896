// The page follows the station: one stream (stream.js), whose parts and rows are drawn by rows.js.
"use strict";

(() => {
  const link = document.getElementById("link");
  const linkText = document.getElementById("link-words");
  const TESTING = `${t("TEST")} · `; // in front of the title
  const announce = document.getElementById("announce");

  function announceLaps(fresh) {
    const laps = fresh.filter((row) => row.dataset.announce);
    if (laps.length) announce.textContent = laps[0].dataset.announce;
  }

  const tell = toldToAllScripts("raceday", together);

  function applyTopic(topic) {
    for (const [id, html] of Object.entries(topic.parts)) pageRows.drawPart(id, html);
    for (const [id, keys] of Object.entries(topic.lists)) {
      const fresh = pageRows.arrange(document.getElementById(id), keys, topic.rows);
      if (topic.whole) continue;
      for (const row of fresh) row.classList.add("fresh");
      announceLaps(fresh);
    }
    pageRows.draw(topic.rows);
  }

  // Scripts of a page listen for `raceday`: `detail.NAME` is a topic that changed, with its `data` if that did. They
  // get `raceday-before` with the same while the page still shows what was before.
  function applyUpdate({ version, clock, topics }) {
    document.dispatchEvent(new CustomEvent("raceday-before", { detail: topics }));
    pageRows.keepingFocus(() => Object.values(topics).forEach(applyTopic));
    lapClock.update(clock);
    for (const { data } of Object.values(topics)) if (data?.mode) showMode(data.mode);
    document.body.dataset.version = version;
    showLive();
    tell(topics);
  }

  // Updates that have arrived while the page was busy are drawn together: only the newest is worth drawing.
  let next = null;
  const turn = new MessageChannel();
  turn.port1.onmessage = () => {
    const update = next;
    next = null;
    applyUpdate(update);
  };

  function merged(before, change) {
    if (!before || change.whole) return change;
    const both = (name) => ({ ...before[name], ...change[name] });
    return { ...before, ...change, whole: before.whole, parts: both("parts"), rows: both("rows"), lists: both("lists") };
  }

  function together(before, changes) {
    const topics = { ...before };
    for (const [name, change] of Object.entries(changes)) topics[name] = merged(topics[name], change);
    return topics;
  }

  function onUpdate(update) {
    if (next === null) turn.port2.postMessage(null);
    next = { ...update, topics: together(next?.topics, update.topics) };
  }

  function showMode(mode) {
    if (document.body.dataset.mode === mode) return;
    document.body.dataset.mode = mode;
    document.title = (mode === "test" ? TESTING : "") + document.title.replace(TESTING, "");
  }

  function show(state, text) {
    if (link.dataset.state === state) return;
    link.dataset.state = state;
    linkText.textContent = text;
  }

  const showLive = () => silence.isSilent() || show("live", t("Live"));
  let denied = false;

  sharedStream({
    address: `/live?lang=${LANGUAGE}`,
    topics: document.body.dataset.topics.split(","),
    onMessage: (name, data, age_ms) => {
      if (denied) return;
      silence.onMessage(age_ms);
      if (name === "update") return onUpdate(data);
      lapClock.update(data);
      if (next === null) showLive();
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
