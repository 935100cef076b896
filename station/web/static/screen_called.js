// A racer who is called blinks once on the screen of the queue; a second time nothing blinks.
"use strict";

(() => {
  const BLINK_MS = 900;
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const calledNow = () => [...document.querySelectorAll(".hall-queue-line.called")];
  let known = new Set(calledNow().map(({ id }) => id));

  document.addEventListener("raceday", ({ detail }) => {
    if (!detail.screen) return;
    const called = calledNow();
    for (const line of called) {
      if (known.has(line.id) || still.matches) continue;
      line.animate([{ opacity: 1 }, { opacity: 0.15 }, { opacity: 1 }], { duration: BLINK_MS, easing: "ease-in-out" });
    }
    known = new Set(called.map(({ id }) => id));
  });
})();
