// The spectators' page: one part at a time on a phone, a racer to follow, rows that glide to their new places.
"use strict";

(() => {
  const FOLLOWED = "raceday-followed";
  const places = document.getElementById("places");
  const tabs = [...document.querySelectorAll(".tabs a")];
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

  const mine = document.getElementsByClassName("mine"); // rows of the followed racer, in the standings and the queue

  function write(id, words) {
    const element = document.getElementById(id);
    if (element.textContent !== words) element.textContent = words;
  }

  function mark(row) {
    const isMine = followed !== "" && row.dataset.racer === followed;
    if (row.classList.contains("mine") !== isMine) row.classList.toggle("mine", isMine);
    const star = row.querySelector(".star");
    if (!star || star.getAttribute("aria-pressed") === String(isMine)) return;
    star.setAttribute("aria-pressed", String(isMine));
    star.firstElementChild.textContent = isMine ? "★" : "☆";
  }

  function tell() {
    const rows = [...mine];
    const place = rows.find((row) => row.matches(".place-row"));
    const waits = rows.find((row) => row.matches(".queue-row"));
    const parts = [];
    if (place) parts.push(`${place.querySelector(".rank").textContent} · ${place.querySelector(".score").textContent.trim()}`);
    if (waits) parts.push(waits.querySelector(".when .soft").textContent);
    write("followed-words", parts.join(" · "));
  }

  function follow(racer) {
    followed = racer;
    for (const row of document.querySelectorAll(".place-row, .queue-row")) mark(row);
    document.getElementById("followed").hidden = followed === "";
    document.getElementById("follow-hint").hidden = followed !== "";
    document.getElementById("me-settings").hidden = followed === "";
    write("followed-name", followed);
    tell();
  }

  places.addEventListener("click", (click) => {
    const star = click.target.closest(".star");
    if (!star) return;
    const racer = star.closest(".place-row").dataset.racer;
    follow(followed === racer ? "" : racer);
    store(FOLLOWED, followed);
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

  const glide = gliding(places);

  document.addEventListener("raceday-before", ({ detail }) => {
    if (detail.live?.lists.places && !detail.live.whole) glide.before();
  });
  document.addEventListener("raceday-rows", ({ detail }) => {
    for (const row of detail) if (row.dataset.racer !== undefined) mark(row);
    if (followed !== "") tell();
  });
  document.addEventListener("raceday", ({ detail }) => {
    if (!detail.live) return;
    glide.after();
    onLap();
  });
  if (followed !== "") follow(followed);
  onLap();
})();
