// The page of the screens: each press and each change is one request; the answer is one sentence.
"use strict";

(() => {
  const answer = document.getElementById("answer");

  function show(text, state) {
    answer.textContent = text;
    answer.dataset.state = state;
  }

  async function ask(asked, what) {
    try {
      const response = await fetch("/api/v1/screens", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(asked),
      });
      const reply = await response.json();
      if (!response.ok && typeof reply.error !== "string") throw new Error("not the station's answer");
      show(response.ok ? `✓ ${what}` : `✕ ${reply.error}`, response.ok ? "done" : "refused");
      return response.ok;
    } catch {
      show(t("✕ {what}: the station did not answer.", { what }), "refused");
      return false;
    }
  }

  const idOf = (element) => element.closest("[data-screen]")?.dataset.screen ?? "";

  document.addEventListener("click", (click) => {
    const button = click.target.closest("button[data-act]");
    if (!button) return;
    const { act, scene = "", message = "", minutes = "" } = button.dataset;
    const what = button.getAttribute("aria-label") || button.querySelector("strong")?.textContent || button.textContent.trim();
    ask({ act, screen: idOf(button), scene, message, minutes }, what);
  });

  document.addEventListener("change", (change) => {
    const { field } = change.target.dataset;
    if (!field) return;
    const label = change.target.closest("label").firstChild.textContent.trim();
    const value = change.target.selectedOptions?.[0].textContent ?? change.target.value;
    ask({ act: "change", screen: idOf(change.target), [field]: change.target.value }, `${label}: ${value}`);
  });

  document.addEventListener("submit", async (submit) => {
    const { act } = submit.target.dataset;
    if (!act) return;
    submit.preventDefault();
    const asked = Object.fromEntries(new FormData(submit.target));
    const what = submit.target.querySelector("button").textContent;
    if (await ask({ act, ...asked }, what)) submit.target.reset();
  });
})();
