// The emergency stop: one request that needs no list of cars, no stream and no other script; then what became of it.
"use strict";

(() => {
  const AGAIN_MS = 500; // so often is asked what became of it
  const PATIENCE_MS = 3000; // then a request is given up and made again
  const NOT_NOW = [408, 425, 429];
  const author = () => document.getElementById("author")?.value.trim() || "";
  let pressed_at = -Infinity;
  let turn = 0; // of stopping or following; only the newest goes on
  let following = false;

  // In the bar a short line where the stream draws the whole list above; in an open question, and without a stream, all.
  function say(text, short = text) {
    const live = document.querySelector('#link[data-state="live"]') && document.querySelector("#stop .stop-on");
    for (const place of document.querySelectorAll(".stop-answer")) {
      const said = live && !place.closest("dialog") ? short : text;
      if (place.textContent !== said) place.textContent = said;
    }
  }

  function told(stop) {
    const cars = stop.cars.map((car) => `${car.name} ${car.sentence}`);
    if (stop.stopped) say([...cars, stop.sentence].join(" · "), stop.summary);
    else say("");
  }

  const soon = () => new Promise((resolve) => setTimeout(resolve, AGAIN_MS));

  // Throws; `refusal` is the station's own sentence, none if it did not answer. `final`: asking again changes nothing;
  // a failure (5xx) is none, whoever has put it in our form.
  async function ask(path, method) {
    const by = method === "POST" ? author() : "";
    const response = await fetch(`/api/v1/stop${path}${by ? `?author=${encodeURIComponent(by)}` : ""}`, {
      method,
      headers: { accept: "application/json" },
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const said = await response.json();
    if (!response.ok) {
      const refusal = typeof said?.error === "string" ? said.error : "";
      const final = refusal !== "" && response.status < 500 && !NOT_NOW.includes(response.status);
      throw Object.assign(new Error(refusal), { refusal, final });
    }
    told(said);
    return said;
  }

  // Until the stop is released: the banner follows the stream, this line also where there is none.
  async function follow() {
    const mine = ++turn;
    let on = true;
    following = true;
    while (on && mine === turn) {
      try {
        on = (await ask("", "GET")).stopped;
      } catch {
        say("✕ The station is not answering. Checking the stop again …");
      }
      if (on) await soon();
    }
    if (mine === turn) following = false;
  }

  // Until the station has it: who pressed it need not press it again.
  async function stop() {
    pressed_at = performance.now();
    const mine = ++turn;
    say("Stopping all cars …");
    while (mine === turn) {
      try {
        const said = await ask("", "POST");
        const line = document.getElementById("answer"); // where an official looks for any answer
        if (line) line.textContent = said.summary;
        if (line) line.dataset.state = "waiting";
        return follow();
      } catch (error) {
        following = false; // what was followed before is followed again as soon as the stream says that it is on
        if (error.final) return say(`✕ NOT STOPPED: ${error.refusal} Stop the cars by hand.`);
        say("✕ NOT STOPPED: the station is not answering. Trying again; stop the cars by hand.");
        await soon();
      }
    }
    return undefined;
  }

  async function release() {
    try {
      await ask("/release", "POST");
    } catch (error) {
      say(`✕ Not released: ${error.refusal || "the station does not answer."}`);
    }
  }

  // An open question covers the page and makes it inert: each has the button inside.
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
      if (performance.now() - pressed_at > 1000) stop(); // the finger that came down has done it
    } else if (submit.target.matches("[data-release]")) {
      submit.preventDefault();
      release();
    }
  });

  // On the way down, not up: a finger that slips off has stopped the cars all the same.
  document.addEventListener("pointerdown", (press) => {
    if (press.isPrimary && press.button === 0 && press.target.closest("[data-stop] button")) stop();
  });

  // With a modifier, so it works while a name is typed and is no single-key shortcut (WCAG 2.1.4).
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
