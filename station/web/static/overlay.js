// The overlay: its background by its address, and the countdown. A style in HTML is forbidden, one set here is not.
"use strict";

(() => {
  const { background } = document.getElementById("main").dataset;
  if (background !== "transparent") document.documentElement.style.background = background;

  // A new racer fades in; a new lap of the same one does not.
  const lower = document.getElementById("lower");
  let racer = "";
  document.addEventListener("raceday", () => {
    const now = lower.querySelector(".who .name")?.title ?? "";
    const isNew = now !== racer;
    lower.classList.toggle("enter", isNew);
    if (isNew) for (const fading of lower.getAnimations({ subtree: true })) fading.currentTime = 0;
    racer = now;
  });

  function countDown() {
    const left = document.querySelector("[data-ends]");
    if (left && stationClock.known() && !silence.isSilent()) {
      const seconds = Math.floor(Math.max(0, Number(left.dataset.ends) - stationClock.now(performance.now())) / 1000);
      const words = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
      if (left.textContent !== words) left.textContent = words;
    }
    requestAnimationFrame(countDown);
  }
  requestAnimationFrame(countDown);
})();
