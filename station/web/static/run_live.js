// The page of a run follows the station: once the mark of the run changes, the server draws it again. Rulings that are
// being typed, the lap that is chosen and the part of the trace that is shown stay as they are.
"use strict";

(() => {
  const run = document.getElementById("main").dataset.run;
  let shown = document.body.dataset.mark; // of what is on the page
  let busy = false;
  let again = false; // it changed once more while it was being drawn

  const marks = ({ runs, around }) => `${runs[run] ?? ""} ${around}`;

  // Draws the run again; the document that the server sent, null if it sent none.
  async function redraw() {
    const response = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!response.ok) return null;
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    const whole = document.getElementById("run-whole");
    const focused = whole.contains(document.activeElement) ? document.activeElement.closest("[id]")?.id : "";
    whole.replaceWith(fresh.getElementById("run-whole"));
    globalThis.trace.begin();
    const back = focused && document.getElementById(focused);
    if (back) (back.querySelector("button") ?? back).focus({ preventScroll: true });
    return fresh;
  }

  async function follow() {
    if (busy) {
      again = true;
      return;
    }
    busy = true;
    try {
      const fresh = await redraw();
      if (fresh) document.dispatchEvent(new CustomEvent("run-redrawn", { detail: fresh }));
    } catch {
      shown = ""; // the station is away: what the stream says next is drawn
    }
    busy = false;
    if (again) {
      again = false;
      follow();
    }
  }

  document.addEventListener("raceday", ({ detail }) => {
    const data = (detail.run ?? detail.run_officials)?.data;
    if (!data || marks(data) === shown) return;
    shown = marks(data);
    follow();
  });

  globalThis.runLive = { redraw };
})();
