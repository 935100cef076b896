// Rows of a list glide from where they were to where an update puts them. Places are read once before the update and
// once in the frame after it, so that the browser never lays the page out twice.
"use strict";

// `before()`: the list is about to change; `after()`: it has.
const gliding = (list) => {
  const GLIDE_MS = 450;
  const LEAST_PX = 2;
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const top = (row) => row.getBoundingClientRect().top;
  const isInSight = (at_px) => at_px > -200 && at_px < innerHeight;
  let tops = null; // row to its place before
  let until_ms = 0; // rows glide until then; who changes places meanwhile does not glide, or the page would do nothing else

  function before() {
    if (tops !== null || performance.now() < until_ms || still.matches || document.hidden || list.closest(".tab:not(.shown)")) return;
    const shown = [...list.children].filter((row) => !row.hidden);
    tops = new Map(shown.map((row) => [row, top(row)]));
  }

  function move() {
    const moved = [];
    for (const [row, was_px] of tops) {
      if (!row.isConnected || row.hidden) continue;
      const now_px = top(row);
      if (Math.abs(was_px - now_px) >= LEAST_PX && (isInSight(was_px) || isInSight(now_px))) moved.push([row, was_px - now_px]);
    }
    tops = null;
    if (moved.length) until_ms = performance.now() + GLIDE_MS;
    // One that comes from far away begins at the edge of what is seen.
    for (const [row, far_px] of moved) {
      const by_px = Math.max(-innerHeight, Math.min(innerHeight, far_px));
      row.animate([{ transform: `translateY(${by_px}px)` }, { transform: "none" }], { duration: GLIDE_MS, easing: "ease-out" });
    }
  }

  function after() {
    if (tops !== null) requestAnimationFrame(() => tops !== null && move());
  }

  return { before, after };
};
