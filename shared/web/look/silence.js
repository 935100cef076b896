// A machine that says nothing for too long: the page says so over its whole width, greys what came from it, and stands
// still until the next word. Pages call `silence.heard()` at each word, and freeze what runs while `silence.on()`.
"use strict";

const silence = (() => {
  const QUIET_MS = 1500; // three of the words that a machine says each half second
  const LOOK_MS = 100;
  const band = document.getElementById("silence");
  const machine = document.body.dataset.machine;
  let heard_ms = performance.now();
  let seen_ms = heard_ms; // a page that was not seen may have asked nothing
  let heard_at = new Date();

  const on = () => "silent" in document.body.dataset;
  const two = (number) => String(number).padStart(2, "0");
  const time = (at) => [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":");

  function tell(name) {
    document.dispatchEvent(new CustomEvent(name));
  }

  // `age_ms`: so long ago the word came to the tab that handed it on.
  function heard(age_ms = 0) {
    heard_ms = performance.now() - age_ms;
    heard_at = new Date(Date.now() - age_ms);
    if (age_ms >= QUIET_MS) return fallSilent();
    if (!on()) return undefined;
    delete document.body.dataset.silent;
    band.textContent = "";
    return tell("heard-again");
  }

  function fallSilent() {
    document.body.dataset.silent = "";
    band.textContent = `✕ No word from ${machine} since ${time(heard_at)}. What is grey is from then.`;
    tell("silent");
  }

  function look() {
    if (on() || document.hidden || performance.now() - Math.max(heard_ms, seen_ms) < QUIET_MS) return;
    fallSilent();
  }

  document.addEventListener("visibilitychange", () => {
    seen_ms = performance.now();
  });
  setInterval(look, LOOK_MS);
  return { heard, on };
})();
