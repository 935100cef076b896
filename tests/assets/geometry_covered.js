() => {
  const faults = [];
  const bars = [...document.querySelectorAll("body *")].filter((each) =>
    ["fixed", "sticky"].includes(getComputedStyle(each).position) && each.checkVisibility() && each.getBoundingClientRect().height > 1);
  const before = document.activeElement;
  if (!bars.length) return faults;
  const all = [...document.querySelectorAll("button, a[href], input, select, summary, textarea, [tabindex='0']")];
  // Of hundreds of rows that are alike, the first and the last are looked at.
  const targets = all.length > 80 ? [...all.slice(0, 40), ...all.slice(-40)] : all;
  for (const target of targets) {
    if (!target.checkVisibility({ visibilityProperty: true }) || target.closest("dialog:not([open]), .skip")) continue;
    target.focus();
    if (document.activeElement !== target) continue;
    const box = target.getBoundingClientRect();
    for (const bar of bars) {
      if (bar.contains(target) || target.contains(bar)) continue;
      const over = bar.getBoundingClientRect();
      const inside = over.left <= box.left + 1 && over.right >= box.right - 1 && over.top <= box.top + 1 && over.bottom >= box.bottom - 1;
      const above = bar.contains(document.elementFromPoint((box.left + box.right) / 2, (box.top + box.bottom) / 2));
      if (inside && above) faults.push(`covered while it has the focus: ${(target.textContent || target.id).trim().slice(0, 40)}`);
    }
  }
  before?.focus?.();
  if (document.activeElement !== before) document.activeElement?.blur?.();
  scrollTo(0, 0);
  return faults;
}
