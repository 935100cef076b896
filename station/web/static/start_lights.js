// The start lights on a page: lit one after the other by the station's clock, and out at the start.
"use strict";

(() => {
  const shown = document.getElementsByClassName("start-lights");

  function frame(at_ms) {
    if (stationClock.known() && !silence.isSilent()) {
      const now_ms = stationClock.now(at_ms);
      for (const lights of shown) {
        const { staged, go, light } = lights.dataset;
        const lit = now_ms >= Number(go) ? 0 : Math.min(lights.children.length, 1 + Math.floor((now_ms - Number(staged)) / Number(light)));
        [...lights.children].forEach((each, place) => each.classList.toggle("lit", place < lit));
      }
    }
    requestAnimationFrame(frame);
  }
  requestAnimationFrame(frame);
})();
