// A machine that has sent nothing for too long: a band across the page says so and how old everything is, its figures
// turn grey, and clocks stop until the next message. `data-silent` of the body is "old", and after a while "away". Pages call `silence.onMessage()` for each message and stop their clocks while
// `silence.isSilent()`.
"use strict";

const silence = (() => {
  const SILENT_AFTER_MS = 1500; // three of the messages that a machine sends each half second
  const AWAY_AFTER_MS = 10_000;
  const CHECK_EVERY_MS = 100;
  const band = document.getElementById("silence");
  const machine = document.body.dataset.machine;
  let received_ms = performance.now();
  let shown_ms = received_ms; // a hidden page may have requested nothing
  let received_at = new Date();

  const isSilent = () => "silent" in document.body.dataset;
  const twoDigits = (number) => String(number).padStart(2, "0");
  const time = (at) => [at.getHours(), at.getMinutes(), at.getSeconds()].map(twoDigits).join(":");

  // `age_ms`: how long ago the tab that forwarded the message received it.
  function onMessage(age_ms = 0) {
    received_ms = performance.now() - age_ms;
    received_at = new Date(Date.now() - age_ms);
    if (age_ms >= SILENT_AFTER_MS) {
      showSilence();
    } else if (isSilent()) {
      delete document.body.dataset.silent;
      band.textContent = "";
    }
  }

  // The age counts on beside the sentence, so that a screen reader reads the sentence once.
  const age = Object.assign(document.createElement("span"), { ariaHidden: "true" });

  function showSilence() {
    show(`✕ ${t("No data from {machine} since {time}. Grey values date from then.", { machine, time: time(received_at) })}`);
    band.append(" ", age);
    showAge();
    document.dispatchEvent(new CustomEvent("silent"));
  }

  // Also for another reason than silence, such as a session that has ended.
  function show(sentence) {
    document.body.dataset.silent ||= "old";
    band.textContent = sentence;
  }

  function showAge() {
    const old_ms = performance.now() - received_ms;
    const state = old_ms < AWAY_AFTER_MS ? "old" : "away";
    if (document.body.dataset.silent !== state) document.body.dataset.silent = state;
    const words = t("{seconds} s old", { seconds: Math.floor(old_ms / 1000) });
    if (age.textContent !== words) age.textContent = words;
  }

  function check() {
    const quiet_ms = performance.now() - Math.max(received_ms, shown_ms);
    if (isSilent()) return age.isConnected ? showAge() : undefined;
    return !document.hidden && quiet_ms >= SILENT_AFTER_MS ? showSilence() : undefined;
  }

  document.addEventListener("visibilitychange", () => {
    shown_ms = performance.now();
  });
  setInterval(check, CHECK_EVERY_MS);
  return { onMessage, isSilent, show };
})();
