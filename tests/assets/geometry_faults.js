({ steps: everyKind, phone }) => {
  const SLACK = 1.5;
  // A phone that was pointed to the hall's page shows it as a phone.
  const look = ["hall", "overlay"].find((kind) => document.body.classList.contains(kind)) ?? "";
  const narrow = !look || (look === "hall" && innerWidth <= innerHeight);
  const kind = narrow ? (innerWidth <= phone ? "phone" : "console") : look;
  const steps = everyKind[kind];
  const unit = kind === "hall" ? innerHeight / 100 : 1;
  const faults = [];
  const styles = new Map(); // a lookup is dear, and every text asks for all that is around it
  const style = (element) => {
    if (!styles.has(element)) styles.set(element, getComputedStyle(element));
    return styles.get(element);
  };
  const short = (text) => text.trim().replace(/\s+/g, " ").slice(0, 40);
  const HIDDEN = ".visually-hidden, .skip, [hidden], datalist, noscript, dialog:not([open])";
  const isClipped = (element) => style(element).clipPath === "inset(50%)";
  const hidden = new Map([[null, false]]);
  const isHidden = (element) => {
    if (!hidden.has(element)) {
      hidden.set(element, element.matches(HIDDEN) || isClipped(element) || isHidden(element.parentElement));
    }
    return hidden.get(element);
  };
  const doc = document.documentElement;
  if (doc.scrollWidth > doc.clientWidth) faults.push(`the page is ${doc.scrollWidth} px wide at ${doc.clientWidth}`);

  const meant = (element) => {
    for (let at = element; at; at = at.parentElement) if (at.title) return true;
    return false;
  };

  const hides = (value) => value === "hidden" || value === "clip";
  const scrolls = (value) => value === "auto" || value === "scroll";
  const around = new Map([[null, []], [document.body, []]]);
  const framesOf = (element) => {
    // What cuts or scrolls around an element, from the inside out: the same for all texts in it.
    if (!around.has(element)) around.set(element, frames(element));
    return around.get(element);
  };
  const frames = (element) => {
    const css = style(element);
    if (css.position === "fixed") return [];
    const outer = framesOf(element.parentElement);
    const [x, y] = [css.overflowX, css.overflowY];
    if (x === "visible" && y === "visible") return outer;
    const wide = scrolls(x) && element.scrollWidth > element.clientWidth + SLACK;
    const { left, right, top, bottom } = element.getBoundingClientRect();
    return [{ left, right, top, bottom, wide, hidesX: hides(x), hidesY: hides(y), scrollsY: scrolls(y) }, ...outer];
  };

  const shown = (element, box) => {
    // The part of a text's box that is seen, and whether something hides the rest for good.
    let { left, right, top, bottom } = box;
    let cut = false;
    let reached = false; // by scrolling down
    for (const frame of framesOf(element)) {
      if (frame.hidesX && (left < frame.left - SLACK || right > frame.right + SLACK)) cut = true;
      if (frame.wide) cut = true;
      if (frame.hidesY && !reached && (bottom <= frame.top + 4 || top >= frame.bottom - 4)) cut = true;
      left = Math.max(left, frame.left); right = Math.min(right, frame.right);
      top = Math.max(top, frame.top); bottom = Math.min(bottom, frame.bottom);
      if (frame.scrollsY && bottom - top < 1) break; // a turn of the wheel away
      reached = reached || frame.scrollsY;
    }
    return { left, right, top, bottom, cut };
  };

  const stepped = document.querySelector("[data-step]") !== null;
  const sizePx = (element) => parseFloat(style(element).fontSize);
  const boxes = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode;
    const element = node.parentElement;
    if (!node.data.trim() || isHidden(element) || element.closest("script, style, title")) continue;
    if (!element.checkVisibility({ visibilityProperty: true })) continue;
    const named = element.closest("[data-step]");
    const least = stepped ? steps[named?.dataset.step ?? "least"] ?? steps.least : 0;
    const inStep = named === null || sizePx(named) === sizePx(element) ? least : stepped ? steps.least : 0;
    if (sizePx(element) < inStep * unit - 0.5) faults.push(`${sizePx(element).toFixed(1)} px instead of ${(inStep * unit).toFixed(1)}: ${short(node.data)}`);
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) {
      if (box.width < 1 || box.height < 1) continue;
      const visible = shown(element, box);
      if (visible.cut && !meant(element)) faults.push(`clipped: ${short(node.data)}`);
      if (visible.right - visible.left < 1 || visible.bottom - visible.top < 1) continue;
      // The ink of a line is about its middle; line boxes may touch.
      const trim = Math.min(box.height, visible.bottom - visible.top) * 0.22;
      const layer = element.closest(".stop-bar, .silence, #stopbar, .tabs, thead") ? 1 : 0;
      const [top, bottom] = [visible.top + trim, visible.bottom - trim];
      boxes.push({ ...visible, top, bottom, node, layer, text: short(node.data) });
    }
  }
  boxes.sort((a, b) => a.top - b.top);
  for (let i = 0; i < boxes.length; i++) {
    for (let j = i + 1; j < boxes.length && boxes[j].top < boxes[i].bottom - SLACK; j++) {
      const [a, b] = [boxes[i], boxes[j]];
      if (a.layer !== b.layer || a.node === b.node) continue;
      const over = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const down = Math.min(a.bottom, b.bottom) - b.top;
      if (over > SLACK && down > SLACK) faults.push(`overlaid: ${a.text} / ${b.text}`);
    }
  }
  for (const score of document.querySelectorAll("[data-score]:not(tr)")) {
    // What is not laid out at all is another state of the page; invisible or cut it is a fault.
    if (isHidden(score) || !score.textContent.trim() || !score.getClientRects().length) continue;
    const range = document.createRange();
    range.selectNodeContents(score);
    const box = range.getBoundingClientRect();
    const visible = shown(score, box);
    const seen = score.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && !visible.cut;
    const whole = visible.left >= -SLACK && visible.right <= doc.clientWidth + SLACK && visible.right - visible.left >= box.width - SLACK;
    // A list that scrolls by design (`data-scrolls`) has rows a turn of the wheel away.
    if (score.closest("[data-scrolls]") && visible.bottom - visible.top < box.height) continue;
    const high = visible.bottom - visible.top >= box.height * 0.7;
    if (!seen || !whole || !high || box.width < 1) faults.push(`score not seen: ${short(score.textContent)}`);
  }
  for (const target of document.querySelectorAll("button, a, input, summary, select, [tabindex='0']")) {
    if (isHidden(target) || !target.checkVisibility({ visibilityProperty: true })) continue;
    const isInSentence = target.matches("a") && style(target).display === "inline";
    const box = target.getBoundingClientRect();
    const isSmall = box.width < 24 || box.height < 24;
    if (!isInSentence && isSmall) faults.push(`small: ${short(target.textContent || target.id)}`);
  }
  for (const name of document.querySelectorAll(".racer, .name, .car-racer")) {
    if (!name.textContent.trim() || !name.checkVisibility() || isHidden(name)) continue;
    if (name.getBoundingClientRect().width < 40) faults.push(`no room: ${short(name.textContent)}`);
  }
  for (const fact of document.querySelectorAll(".run-facts span:not(.sentence)")) {
    if (!fact.checkVisibility()) continue;
    // A name that one line has room for is on one line, and the whole of it is seen.
    const range = document.createRange();
    range.selectNodeContents(fact);
    const lines = [...range.getClientRects()];
    const room = fact.parentElement.clientWidth;
    const fits = lines.reduce((sum, line) => sum + line.width, 0) + 24 <= room;
    const bottom = fact.parentElement.getBoundingClientRect().bottom;
    const hidden = lines.some((line) => line.bottom > bottom + SLACK);
    const broken = hidden || new Set(lines.map((line) => line.top)).size > 1;
    if (fits && broken) faults.push(`broken: ${short(fact.textContent)}`);
  }
  return [...new Set(faults)].slice(0, 25);
}
