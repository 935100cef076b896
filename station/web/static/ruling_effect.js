// What a ruling would change: lap, score and place before and after it.
"use strict";

const rulingEffect = (() => {
  const effect = document.getElementById("effect");
  const NONE = "–";
  const figure = (ms) => {
    if (ms === null || ms === undefined) return NONE;
    const minutes = Math.floor(ms / 60000);
    const seconds = ((ms % 60000) / 1000).toFixed(3);
    return minutes ? `${minutes}:${seconds.padStart(6, "0")}` : seconds;
  };

  function show(found) {
    const { before, after } = found;
    const change = (was, now) => (was === now ? was : `${was} → ${now}`);
    const counts = (figures) => (figures.lap_counts ? "" : " ✕");
    let laps = change(`${figure(before.lap_ms)}${counts(before)}`, `${figure(after.lap_ms)}${counts(after)}`);
    if (found.laps_before.length !== found.laps_after.length) {
      laps = `${found.laps_before.map(figure).join(", ") || NONE} → ${found.laps_after.map(figure).join(", ") || NONE}`;
    } else if (before.lap === null) {
      laps = before.racer === after.racer ? NONE : `${before.racer} → ${after.racer}`;
    }
    const drawn = {
      lap: laps,
      score: change(figure(before.score_ms), figure(after.score_ms)),
      place: change(String(before.place ?? NONE), String(after.place ?? NONE)),
    };
    for (const [name, text] of Object.entries(drawn)) {
      const place = effect.querySelector(`[data-effect="${name}"]`);
      place.textContent = text;
      place.classList.toggle("same", !text.includes("→"));
    }
    effect.hidden = false;
  }

  function hide() {
    effect.hidden = true;
  }

  return { show, hide };
})();
