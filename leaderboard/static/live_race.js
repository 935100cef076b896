// The pages of a LIVE race: parts and turns that arrive, clocks that run on between them, and the car on the map.
(() => {
  "use strict";

  const stream = document.querySelector("[data-live]");
  const link = document.querySelector("[data-link]");
  const linkText = document.querySelector("[data-link-text]");
  const list = document.querySelector("[data-rows]");
  const announce = document.querySelector("[data-announce]");

  const showLink = (state, words) => {
    link.dataset.link = state;
    linkText.textContent = words;
  };

  // A clock says how many ms it showed when it was drawn; from then on it runs by this browser's own time.
  const began = new WeakMap();
  const twoDigits = (number) => String(number).padStart(2, "0");

  function clockWords(clock, now_ms) {
    const since_ms = now_ms - began.get(clock);
    if (clock.dataset.up !== undefined) {
      const ms = Number(clock.dataset.up) + since_ms;
      return `${Math.floor(ms / 60_000)}:${twoDigits(Math.floor(ms / 1000) % 60)}.${Math.floor(ms / 100) % 10}`;
    }
    const s = Math.ceil(Math.max(0, Number(clock.dataset.down) - since_ms) / 1000);
    return `${Math.floor(s / 60)}:${twoDigits(s % 60)}`;
  }

  function run() {
    const now_ms = performance.now();
    for (const clock of document.querySelectorAll("[data-up], [data-down]")) {
      if (!began.has(clock)) began.set(clock, now_ms);
      const words = clockWords(clock, now_ms);
      if (!silence.isSilent() && clock.textContent !== words) clock.textContent = words;
    }
    requestAnimationFrame(run);
  }

  function startClocks(root, age_ms) {
    for (const clock of root.querySelectorAll("[data-up], [data-down]")) began.set(clock, performance.now() - age_ms);
  }

  // A button that has the focus keeps it when its part is drawn anew.
  function withFocus(root, change) {
    const { activeElement: focused } = document;
    const inside = root.contains(focused);
    const { value, tagName } = focused ?? {};
    const turn = focused?.closest?.("[data-key]")?.dataset.key;
    change();
    if (!inside || document.contains(focused)) return;
    const again = value ? [...root.querySelectorAll("button")].find((each) => each.value === value && !each.disabled) : null;
    const row = turn === undefined ? null : document.getElementById(`turn-${turn}`);
    (tagName === "LI" ? row : (again ?? row))?.focus({ preventScroll: true });
  }

  function showPart(name, html, age_ms) {
    for (const part of document.querySelectorAll(`[data-part="${name}"]`)) {
      if (part.innerHTML !== html) withFocus(part, () => (part.innerHTML = html));
      startClocks(part, age_ms);
    }
  }

  function element(html) {
    const template = document.createElement("template");
    template.innerHTML = html.trim();
    return template.content.firstElementChild;
  }

  function showTurns(change) {
    const rows = new Map([...list.children].map((row) => [row.dataset.key, row]));
    withFocus(list, () => {
      for (const [key, html] of Object.entries(change.rows)) {
        const row = element(html);
        rows.get(key)?.replaceWith(row);
        rows.set(key, row);
      }
      const order = change.lists.rows ?? [...rows.keys()];
      order.forEach((key, place) => {
        if (list.children[place] !== rows.get(key)) list.insertBefore(rows.get(key), list.children[place] ?? null);
      });
      while (list.children.length > order.length) list.lastElementChild.remove();
    });
  }

  function showMap() {
    const car = document.querySelector("[data-car]");
    if (!car) return;
    const spot = document.querySelector('[data-part="car"] [data-of="first"]');
    car.setAttribute("visibility", spot ? "visible" : "hidden");
    if (spot) {
      car.setAttribute("cx", spot.dataset.x);
      car.setAttribute("cy", spot.dataset.y);
    }
    const rival = document.querySelector("[data-rival]");
    const other = document.querySelector('[data-part="car"] [data-of="rival"]');
    rival.setAttribute("visibility", other ? "visible" : "hidden");
    if (other) {
      rival.setAttribute("x", Number(other.dataset.x) - Number(rival.getAttribute("width")) / 2);
      rival.setAttribute("y", Number(other.dataset.y) - Number(rival.getAttribute("height")) / 2);
    }
    const levels = [...document.querySelectorAll('[data-part="levels"] [data-level]')];
    document.querySelectorAll("[data-sector]").forEach((line, number) => {
      line.dataset.level = levels[number]?.dataset.level ?? "pending";
    });
    document.querySelectorAll("[data-sector-label]").forEach((label, number) => {
      if (levels[number]) label.textContent = levels[number].dataset.label;
    });
  }

  const tell = toldToAllScripts("live-race", (_before, change) => change); // its listeners read the page
  let first = true;

  function apply(change, age_ms) {
    if (list) showTurns(change);
    for (const [name, html] of Object.entries(change.parts)) showPart(name, html, age_ms);
    showMap();
    const state = document.querySelector(".now-state");
    if (announce && state && announce.textContent !== state.textContent && !first) {
      announce.textContent = [state.textContent, document.querySelector(".now-name")?.title ?? ""].join(" ");
    }
    first = false;
    tell(change);
  }

  showMap();
  requestAnimationFrame(run);
  sharedStream({
    address: stream.dataset.live,
    onMessage: (name, data, age_ms) => {
      silence.onMessage(age_ms);
      if (!silence.isSilent()) showLink("on", t("Live"));
      if (name === "update") apply(data.topics.standings, age_ms);
    },
    onLost: () => showLink("lost", t("Reconnecting …")),
  });
  document.addEventListener("silent", () => showLink("lost", t("Reconnecting …")));
})();
