// The emergency stop: one request that needs no list of cars, no stream and no other script; then its outcome.
"use strict";

(() => {
  // Without the other script this one still stops the cars, in English.
  const t = globalThis.t ?? ((template, values = {}) => template.replace(/\{(\w+)\}/g, (_, name) => values[name]));
  const POLL_MS = 500; // how often the outcome is read
  const TIMEOUT_MS = 3000; // after which a request is abandoned and repeated
  const RETRY_STATUSES = [408, 425, 429];
  const author = () => document.getElementById("author")?.value.trim() || "";
  let pressed_at = -Infinity;
  let newest = 0; // counts calls of stop() and follow(); only the newest call continues
  let following = false;

  // The bar shows one short line if the banner above has the whole list; a dialog, or a bar without a stream, shows all.
  function show(text, short = text) {
    const live = document.querySelector('#link[data-state="live"]') && document.querySelector("#stop .stop-on");
    for (const place of document.querySelectorAll(".stop-answer")) {
      const sentence = live && !place.closest("dialog") ? short : text;
      if (place.textContent !== sentence) place.textContent = sentence;
    }
  }

  function showOutcome(stop) {
    const cars = stop.cars.map((car) => `${car.name} ${car.sentence}`);
    if (stop.stopped) show([...cars, stop.sentence].join(" · "), stop.summary);
    else show("");
  }

  const pause = () => new Promise((resolve) => setTimeout(resolve, POLL_MS));

  // The station's reply; otherwise throws an error whose `refusal` is the station's own sentence ("" if there is none).
  // Its `final`: repeating the request would not help; a failure (5xx) is never final, even if worded like a refusal.
  async function ask(path, method) {
    const by = method === "POST" ? author() : "";
    const response = await fetch(`/api/v1/stop${path}${by ? `?author=${encodeURIComponent(by)}` : ""}`, {
      method,
      headers: { accept: "application/json" },
      cache: "no-store",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const reply = await response.json();
    if (!response.ok) {
      const refusal = typeof reply?.error === "string" ? reply.error : "";
      const final = refusal !== "" && response.status < 500 && !RETRY_STATUSES.includes(response.status);
      throw Object.assign(new Error(refusal), { refusal, final });
    }
    showOutcome(reply);
    return reply;
  }

  // Reads the outcome until the stop is released: the banner needs the stream, this line works without it.
  async function follow() {
    const call = ++newest;
    let on = true;
    following = true;
    while (on && call === newest) {
      try {
        on = (await ask("", "GET")).stopped;
      } catch {
        show(`✕ ${t("The station is not answering. Checking the stop again …")}`);
      }
      if (on) await pause();
    }
    if (call === newest) following = false;
  }

  // Repeats the request until the station has it, so that nobody needs to press twice.
  async function stop() {
    pressed_at = performance.now();
    const call = ++newest;
    show(t("Stopping all cars …"));
    while (call === newest) {
      try {
        const reply = await ask("", "POST");
        const line = document.getElementById("answer"); // where an official looks for any answer
        if (line) line.textContent = reply.summary;
        if (line) line.dataset.state = "waiting";
        return follow();
      } catch (error) {
        following = false; // the outcome is followed again as soon as the stream shows that the stop is in force
        if (error.final) return show(`✕ ${t("NOT STOPPED: {why} Stop the cars by hand.", { why: error.refusal })}`);
        show(`✕ ${t("NOT STOPPED: the station is not answering. Trying again; stop the cars by hand.")}`);
        await pause();
      }
    }
    return undefined;
  }

  async function release() {
    try {
      await ask("/release", "POST");
    } catch (error) {
      show(`✕ ${t("Not released: {why}", { why: error.refusal || t("the station does not answer.") })}`);
    }
  }

  // An open dialog makes the page inert, so each dialog contains the button.
  for (const dialog of document.querySelectorAll("dialog")) {
    const form = document.createElement("form");
    form.className = "stop-in-dialog";
    form.method = "post";
    form.action = "/api/v1/stop";
    form.dataset.stop = "";
    const button = document.querySelector("#stop-bar button").cloneNode(true);
    button.removeAttribute("aria-describedby");
    button.removeAttribute("data-key"); // single keys are letters of the reason here
    for (const key of button.querySelectorAll("kbd:not(.always)")) key.remove();
    const answer = Object.assign(document.createElement("p"), { className: "stop-answer" });
    answer.setAttribute("role", "status");
    form.append(button, answer);
    dialog.append(form);
  }

  document.addEventListener("submit", (submit) => {
    if (submit.target.matches("[data-stop]")) {
      submit.preventDefault();
      if (performance.now() - pressed_at > 1000) stop(); // otherwise the pointerdown listener has just done it
    } else if (submit.target.matches("[data-release]")) {
      submit.preventDefault();
      release();
    }
  });

  // On pointerdown, not on click: a finger that slips off the button has stopped the cars anyway.
  document.addEventListener("pointerdown", (press) => {
    if (press.isPrimary && press.button === 0 && press.target.closest("[data-stop] button")) stop();
  });

  // With a modifier, so that it works while a name is typed and is not a single-key shortcut (WCAG 2.1.4).
  document.addEventListener(
    "keydown",
    (key) => {
      if (!(key.ctrlKey || key.metaKey) || key.altKey || key.repeat || (key.key !== "." && key.code !== "Period")) return;
      key.preventDefault();
      stop();
    },
    { capture: true },
  );

  document.addEventListener("raceday-stop", stop);
  document.addEventListener("raceday", () => {
    if (document.querySelector("#stop .stop-on") && !following) follow();
  });
  if (document.querySelector("#stop .stop-on")) follow();
})();
