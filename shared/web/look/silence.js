// A machine that has sent nothing for too long: a band across the page says so, its figures turn grey, and clocks stop
// until the next message. Pages call `silence.onMessage()` for each message and stop their clocks while
// `silence.isSilent()`.
"use strict";

const silence = (() => {
  const SILENT_AFTER_MS = 1500; // three of the messages that a machine sends each half second
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

  function showSilence() {
    document.body.dataset.silent = "";
    band.textContent = `✕ ${t("No data from {machine} since {time}. Grey values date from then.", { machine, time: time(received_at) })}`;
    document.dispatchEvent(new CustomEvent("silent"));
  }

  function check() {
    const quiet_ms = performance.now() - Math.max(received_ms, shown_ms);
    if (!isSilent() && !document.hidden && quiet_ms >= SILENT_AFTER_MS) showSilence();
  }

  document.addEventListener("visibilitychange", () => {
    shown_ms = performance.now();
  });
  setInterval(check, CHECK_EVERY_MS);
  return { onMessage, isSilent };
})();
