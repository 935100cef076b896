// The referee's last own acts: the newest five, and whether they were undone.
"use strict";

(() => {
  const MOST = 5;
  const list = document.getElementById("my-acts");
  let asked = 0; // an older answer is not shown over a newer one

  async function show() {
    const turn = ++asked;
    try {
      const response = await fetch("/api/v1/acts");
      const { acts = [] } = await response.json();
      if (turn !== asked) return;
      list.replaceChildren(...acts.slice(0, MOST).map((act) => {
        const line = document.createElement("li");
        line.textContent = act.words;
        line.classList.toggle("undone", act.undone);
        return line;
      }));
    } catch {
      // the station is away: the page says so, and asks again when it is back
    }
  }

  document.addEventListener("raceday", show);
  show();
})();
