// The checklists: a tick is one request, and its box changes once the station has stored it and draws it.
"use strict";

(() => {
  const answer = document.getElementById("answer");
  const print = document.getElementById("print");

  function show(text, state) {
    answer.textContent = text;
    answer.dataset.state = state;
  }

  async function tick(box) {
    const wanted = box.getAttribute("aria-checked") !== "true";
    const what = box.lastElementChild.textContent.trim();
    box.setAttribute("aria-busy", "true");
    try {
      const response = await fetch("/api/v1/checklist", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ line: box.dataset.line, done: wanted }),
      });
      const reply = await response.json();
      if (!response.ok && typeof reply.error !== "string") throw new Error("not the station's answer");
      if (!response.ok) show(`✕ ${reply.error}`, "refused");
      else show(wanted ? `✓ ${what}` : t("Taken back: {what}", { what }), "done");
    } catch {
      show(t("✕ {what}: the station did not answer.", { what }), "refused");
    }
    box.removeAttribute("aria-busy");
  }

  document.addEventListener("click", ({ target }) => {
    const box = target.closest("[data-line]");
    if (box) tick(box);
  });

  print.hidden = false;
  print.addEventListener("click", () => window.print());
})();
