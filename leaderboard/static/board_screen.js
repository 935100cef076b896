// The board on a hall's screen: nine rows at a time, the first three on every page.
(() => {
  "use strict";

  const ROWS = 9;
  const STAY = 3;
  const TURN_MS = 12_000;
  const body = document.querySelector("table").tBodies[0];
  const words = document.querySelector(".board-page");
  let page = 0;

  function show() {
    const rows = [...body.rows];
    const pages = rows.length <= ROWS ? 1 : Math.ceil((rows.length - STAY) / (ROWS - STAY));
    page %= pages;
    const first = pages === 1 ? 0 : STAY + page * (ROWS - STAY);
    const last = first + (pages === 1 ? ROWS : ROWS - STAY);
    rows.forEach((row, index) => (row.hidden = !((index >= first && index < last) || (pages > 1 && index < STAY))));
    document.body.classList.add("paged");
    words.textContent = pages === 1 ? "" : `${first + 1}–${Math.min(last, rows.length)} / ${rows.length}`;
  }

  setInterval(() => {
    if (typeof silence !== "undefined" && silence.isSilent()) return;
    page += 1;
    show();
  }, TURN_MS);
  new MutationObserver(show).observe(body, { childList: true });
  show();
})();
