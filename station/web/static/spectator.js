// The spectators' page: one part at a time on a phone, a racer to follow, rows that glide to their new places.
"use strict";

(() => {
  const FOLLOWED = "raceday-followed";
  const places = document.getElementById("places");
  const tabs = [...document.querySelectorAll(".tabs a")];
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let followed = stored(FOLLOWED);
  let newestLap = "";
  document.body.classList.add("scripted");

  function stored(name) {
    try {
      return localStorage.getItem(name) ?? "";
    } catch {
      return ""; // the browser stores nothing for this page
    }
  }

  function store(name, value) {
    try {
      localStorage.setItem(name, value);
    } catch {
      /* it is forgotten when the page is closed */
    }
  }

  // Tabs

  function show(name, scroll) {
    for (const tab of tabs) {
      const chosen = tab.hash === `#${name}`;
      if (chosen) tab.setAttribute("aria-current", "true");
      else tab.removeAttribute("aria-current");
      document.querySelector(tab.hash).classList.toggle("shown", chosen);
    }
    if (scroll) document.getElementById("main").scrollTo(0, 0);
  }

  function chosenTab() {
    return tabs.some((tab) => tab.hash === location.hash) ? location.hash.slice(1) : "board";
  }

  addEventListener("hashchange", () => show(chosenTab(), true));
  show(chosenTab(), false);

  // Gap to the leader, or interval to the place above

  const gapKind = document.getElementById("gap-kind");
  gapKind.addEventListener("click", () => {
    const intervals = places.classList.toggle("intervals");
    gapKind.setAttribute("aria-pressed", String(intervals));
    gapKind.textContent = intervals ? t("Interval") : t("Gap");
  });

  // A tap on a figure does the same as the button.
  places.addEventListener("click", (click) => click.target.closest(".gap") && gapKind.click());

  // A racer to follow

  function marked() {
    for (const row of document.querySelectorAll(".place-row, .queue-row")) {
      const mine = followed !== "" && row.dataset.racer === followed;
      row.classList.toggle("mine", mine);
      const star = row.querySelector(".star");
      if (!star) continue;
      star.setAttribute("aria-pressed", String(mine));
      star.firstElementChild.textContent = mine ? "★" : "☆";
    }
    const row = places.querySelector(".mine");
    const waits = document.querySelector(".queue-row.mine");
    document.getElementById("followed").hidden = followed === "";
    document.getElementById("follow-hint").hidden = followed !== "";
    document.getElementById("me-settings").hidden = followed === "";
    document.getElementById("followed-name").textContent = followed;
    const parts = [];
    if (row) parts.push(`${row.querySelector(".rank").textContent} · ${row.querySelector(".score").textContent.trim()}`);
    if (waits) parts.push(waits.querySelector(".when .soft").textContent);
    document.getElementById("followed-words").textContent = parts.join(" · ");
  }

  places.addEventListener("click", (click) => {
    const star = click.target.closest(".star");
    if (!star) return;
    const racer = star.closest(".place-row").dataset.racer;
    followed = followed === racer ? "" : racer;
    store(FOLLOWED, followed);
    marked();
  });

  for (const name of ["buzz", "speak"]) {
    const box = document.getElementById(name);
    box.checked = stored(`raceday-${name}`) === "yes";
    box.addEventListener("change", () => store(`raceday-${name}`, box.checked ? "yes" : "no"));
  }
  if (!("vibrate" in navigator)) document.getElementById("buzz").closest("label").hidden = true;
  if (!("speechSynthesis" in window)) document.getElementById("speak").closest("label").hidden = true;

  function onLap() {
    const row = document.querySelector("#laps tr");
    const racer = row?.querySelector(".lap-who")?.title ?? document.querySelector(".now-racer")?.title;
    const key = row ? `${racer} ${row.id}` : "";
    const isNew = newestLap !== "" && key !== "" && key !== newestLap;
    newestLap = key || "none";
    if (!isNew || followed === "" || racer !== followed) return;
    if (document.getElementById("buzz").checked) navigator.vibrate?.([120, 80, 120]);
    if (!document.getElementById("speak").checked) return;
    const words = new SpeechSynthesisUtterance(row.dataset.announce);
    words.lang = document.documentElement.lang;
    speechSynthesis.speak(words);
  }

  // Rows glide from where they were: the list is measured after each change, and nothing moves while nothing changes.

  let tops = new Map();

  function measured() {
    const base = places.getBoundingClientRect().top;
    return new Map([...places.children].map((row) => [row.id, row.getBoundingClientRect().top - base]));
  }

  function glide() {
    if (places.offsetParent === null) return;
    const now = measured();
    for (const [id, top] of now) {
      const before = tops.get(id);
      if (still.matches || before === undefined || Math.abs(before - top) < 2) continue;
      const from = [{ transform: `translateY(${before - top}px)` }, { transform: "none" }];
      document.getElementById(id).animate(from, { duration: 450, easing: "ease-out" });
    }
    tops = now;
  }

  document.addEventListener("raceday", ({ detail }) => {
    if (!detail.live) return;
    marked();
    if (detail.live.lists.places) glide();
    onLap();
  });
  marked();
  tops = measured();
  onLap();
})();
