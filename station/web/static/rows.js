// Draws what the station sends into the page: parts by id, rows by key. What is in sight is drawn at once; rows of a
// list with `data-idle` that are out of sight wait for an idle moment, so that no update holds up the page for long.
"use strict";

// `pageRows.draw({key: html})`, `pageRows.arrange(list, keys, {key: html})`, `pageRows.drawPart(id, html)`. Each row that was drawn
// is in `detail` of the event `raceday-rows`, so that scripts can mark it again.
const pageRows = (() => {
  const SLICE_MS = 6; // four slices are well below a task that is felt (50 ms), and so is one with a slow processor
  const HANDFUL = 8; // rows that are parsed together
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

  // Elements of one kind are parsed at once, which is far less work; a table's rows and a list's are not of one kind.
  function parsedRows(pairs) {
    const isOneKind = new Set(pairs.map(([row]) => row.nodeName)).size === 1;
    if (isOneKind) return [...parsed(pairs.map(([, html]) => html).join("")).children];
    return pairs.map(([, html]) => parsed(html).firstElementChild);
  }

  // Draws these [row, html], and returns the rows that have changed.
  function drawRows(pairs) {
    for (const [row] of pairs) waiting.delete(row.id);
    const changed = pairs.filter(([row, html]) => shown.get(row) !== html);
    const drawn = parsedRows(changed);
    changed.forEach(([row, html], place) => {
      shown.set(row, html);
      drawn[place].hidden = row.hidden; // whether a row is in sight is the page's to say
      patch.element(row, drawn[place]);
    });
    return changed.map(([row]) => row);
  }

  // Draws one handful after the other until the time is over; returns those that changed, and those that are left.
  function drawUntil(due_ms, pairs) {
    const drawn = [];
    let next = 0;
    while (next < pairs.length && performance.now() < due_ms) {
      drawn.push(...drawRows(pairs.slice(next, next + HANDFUL)));
      next += HANDFUL;
    }
    return { drawn, left: pairs.slice(next) };
  }

  // Rows that are in no list of this page are left out.
  function draw(changed) {
    const pairs = Object.entries(changed).map(([key, html]) => [document.getElementById(key), html]).filter(([row]) => row !== null);
    const may_wait = ([row]) => row.parentElement.hasAttribute("data-idle");
    const drawn = drawRows(pairs.filter((pair) => !may_wait(pair)));
    const inSight = drawUntil(performance.now() + SLICE_MS, pairs.filter((pair) => may_wait(pair) && isInSight(pair[0])));
    const later = pairs.filter((pair) => may_wait(pair) && !isInSight(pair[0]));
    for (const [row, html] of [...inSight.left, ...later]) waiting.set(row.id, html);
    tell([...drawn, ...inSight.drawn]);
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
      const pairs = [...waiting].map(([key, html]) => [document.getElementById(key), html]);
      for (const key of [...waiting.keys()]) if (document.getElementById(key) === null) waiting.delete(key);
      const slice = pairs.filter(([row]) => row !== null);
      tell(keepingFocus(() => drawUntil(performance.now() + SLICE_MS, slice).drawn));
    }
    isDrawing = false;
  }

  // The row comes into sight: it shows the newest now.
  function settle(row) {
    if (waiting.has(row.id)) tell(drawRows([[row, waiting.get(row.id)]]));
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

  function onSight({ target, skipped: isSkipped }) {
    if (isSkipped) return skipped.add(target);
    skipped.delete(target);
    return settle(target);
  }

  document.addEventListener("contentvisibilityautostatechange", onSight, { capture: true });

  return { draw, drawPart, arrange, settle, keepingFocus };
})();
