// Draws what the station sends into the page: parts by id, rows by key. What is in sight is drawn at once; rows of a
// list with `data-idle` that are out of sight wait for an idle moment, so that no update holds up the page for long.
"use strict";

// `pageRows.draw({key: html})`, `pageRows.arrange(list, keys, {key: html})`, `pageRows.drawPart(id, html)`. Each row that was drawn
// is in `detail` of the event `raceday-rows`, so that scripts can mark it again.
const pageRows = (() => {
  const SLICE_MS = 6; // four slices are well below a task that is felt (50 ms), and so is one with a slow processor
  const IDLE_WITHIN_MS = 250;
  const shown = new WeakMap(); // element to the HTML that it shows
  const waiting = new Map(); // key to the newest HTML of a row out of sight
  const skipped = new WeakSet(); // rows whose inside the browser leaves out because they are out of sight
  let isDrawing = false;

  function parsed(html) {
    const box = document.createElement("template");
    box.innerHTML = html;
    return box.content;
  }

  const isInSight = (row) => !row.hidden && !skipped.has(row);
  const tell = (drawn) => drawn.length && document.dispatchEvent(new CustomEvent("raceday-rows", { detail: drawn }));

  // The element that has the focus gets it back when it is replaced or moved.
  function keepingFocus(change) {
    const focused = document.activeElement;
    const label = focused?.getAttribute?.("aria-label");
    const named = focused?.id ? `#${CSS.escape(focused.id)}` : label && `[aria-label="${CSS.escape(label)}"]`;
    const result = change();
    if (document.activeElement === focused) return result;
    const again = document.contains(focused) ? focused : named && document.querySelector(named);
    again?.focus({ preventScroll: true });
    return result;
  }

  function drawPart(id, html) {
    const part = document.getElementById(id);
    if (shown.get(part) === html) return;
    shown.set(part, html);
    patch.children(part, parsed(html));
  }

  function drawRow(row, html) {
    waiting.delete(row.id);
    if (shown.get(row) === html) return false;
    shown.set(row, html);
    patch.element(row, parsed(html).firstElementChild);
    return true;
  }

  // Rows that are in no list of this page are left out.
  function draw(changed) {
    const due_ms = performance.now() + SLICE_MS;
    const drawn = [];
    for (const [key, html] of Object.entries(changed)) {
      const row = document.getElementById(key);
      if (row === null) continue;
      const may_wait = row.parentElement.hasAttribute("data-idle");
      if (may_wait && (!isInSight(row) || performance.now() > due_ms)) waiting.set(key, html);
      else if (drawRow(row, html)) drawn.push(row);
    }
    tell(drawn);
    if (waiting.size && !isDrawing) drawWaiting();
  }

  const idle = () => new Promise((resolve) => {
    if ("requestIdleCallback" in window) requestIdleCallback(resolve, { timeout: IDLE_WITHIN_MS });
    else setTimeout(resolve, 20);
  });

  async function drawWaiting() {
    isDrawing = true;
    while (waiting.size) {
      await idle();
      const due_ms = performance.now() + SLICE_MS;
      const drawn = [];
      keepingFocus(() => {
        for (const [key, html] of waiting) {
          const row = document.getElementById(key);
          waiting.delete(key);
          if (row !== null && drawRow(row, html)) drawn.push(row);
          if (performance.now() > due_ms) break;
        }
      });
      tell(drawn);
    }
    isDrawing = false;
  }

  // The row comes into sight: it shows the newest now.
  function settle(row) {
    if (waiting.has(row.id) && drawRow(row, waiting.get(row.id))) tell([row]);
  }

  // Puts the rows in this order with few moves, makes those that are new, and removes the others. Returns the new ones.
  function arrange(list, keys, changed) {
    const wanted = new Set(keys);
    for (const row of [...list.children]) if (!wanted.has(row.id)) row.remove();
    const fresh = [];
    let place = list.firstElementChild;
    for (const key of keys) {
      let row = document.getElementById(key);
      if (row === null) {
        row = parsed(changed[key]).firstElementChild;
        shown.set(row, changed[key]);
        fresh.push(row);
      }
      // A row that has fallen is taken out, so that those which it passed stay where they are.
      if (row !== place && place?.nextElementSibling === row) {
        list.append(place);
        place = row;
      }
      if (row === place) place = place.nextElementSibling;
      else list.insertBefore(row, place);
    }
    tell(fresh);
    return fresh;
  }

  document.addEventListener("contentvisibilityautostatechange", ({ target, skipped: isSkipped }) => {
    if (isSkipped) return skipped.add(target);
    skipped.delete(target);
    return settle(target);
  });

  return { draw, drawPart, arrange, settle, keepingFocus };
})();
