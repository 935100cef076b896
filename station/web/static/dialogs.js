// The dialogs of the officials' pages: a reason, an override, the checklist, a ruling with its effect, the keys.
"use strict";

const dialogs = (() => {
  const field = (id) => document.getElementById(id);

  let checked = ""; // the run whose checklist is shown
  const waiting = new Map(); // from a dialog to what waits for its end

  // Shows the dialog; resolves with what it was closed with ("" for Escape).
  function shown(dialog) {
    end(dialog, "");
    return new Promise((resolve) => {
      dialog.returnValue = "";
      waiting.set(dialog, resolve);
      dialog.showModal();
    });
  }

  function end(dialog, value) {
    waiting.get(dialog)?.(value);
    waiting.delete(dialog);
  }

  // The event comes a moment after the end: by then the same dialog may have been opened again.
  document.addEventListener("close", ({ target }) => {
    if (!target.open) end(target, target.returnValue);
  }, true);

  // Asks for a reason; null: cancelled. `maybe`: it may be confirmed without one, "".
  async function reason(title, maybe = false) {
    field("ask-reason").required = !maybe;
    field("ask-title").textContent = title;
    field("ask-reason").value = "";
    return (await shown(field("ask"))) === "yes" ? field("ask-reason").value.trim() : null;
  }

  // Asks for the reason to arm although the station says no; "": it stays so.
  async function override(why) {
    field("override-why").textContent = why.replace(/: fix it, or give an `override_reason`\.$/, ".");
    field("override-reason").value = "";
    return (await shown(field("override"))) === "yes" ? field("override-reason").value.trim() : "";
  }

  // Shows the checklist of a run if a line of it is not well. Resolves with the reason to arm all the same, "" if all is
  // well, or null if it is to be put right first.
  async function checklist(run_id) {
    const list = field(`checklist-${run_id}`);
    if (!list || list.dataset.well === "true") return "";
    checked = run_id;
    field("checklist-reason").value = "";
    drawChecklist();
    const closed = await shown(field("checklist"));
    checked = "";
    if (closed === "well") return "";
    return closed === "yes" ? field("checklist-reason").value.trim() : null;
  }

  // Lines are put right while the dialog is open: once all are well, it offers to arm without a reason.
  function drawChecklist() {
    const list = field(`checklist-${checked}`);
    if (!list) return checked && field("checklist").close(); // the run is no longer one to be armed
    for (const each of field("checklists").children) each.hidden = each !== list;
    const well = list.dataset.well === "true";
    for (const id of ["checklist-well", "checklist-arm"]) field(id).hidden = !well;
    for (const id of ["checklist-because", "checklist-override", "checklist-back"]) field(id).hidden = well;
    field("checklist-override").disabled = list.dataset.stops === "true";
    return undefined;
  }

  document.addEventListener("raceday", drawChecklist);

  // Shows what can be ruled about a lap, each with its effect, which the station works out before anything is done.
  function ruling(button) {
    const acts = button.parentElement.querySelectorAll(".ruling-act");
    field("ruling-title").textContent = button.dataset.title;
    field("ruling-reason").value = "";
    field("ruling-acts").replaceChildren(...[...acts].map((act) => {
      const line = document.createElement("li");
      line.append(act.cloneNode(true));
      return line;
    }));
    field("ruling").showModal();
    for (const act of field("ruling-acts").querySelectorAll(".ruling-act")) effect(act);
  }

  async function effect(act) {
    const command = ruled(act);
    const place = act.querySelector(".effect");
    place.textContent = command === null ? "" : await commands.preview(command);
  }

  // The command of a ruling with what was typed beside it; null while its seconds are missing.
  function ruled(act) {
    const command = commands.of(act.querySelector("[data-rule]"));
    const seconds = act.querySelector("[data-seconds]");
    if (seconds && !seconds.value.trim()) return null;
    if (seconds) command.seconds = seconds.value.trim(); // as typed: the station reads 1,5 and 1.5
    const why = field("ruling-reason").value.trim();
    return why ? { ...command, reason: why } : command;
  }

  field("ruling")?.addEventListener("input", (typed) => {
    const act = typed.target.closest(".ruling-act");
    if (act) effect(act);
  });
  field("ruling")?.addEventListener("click", async (click) => {
    const button = click.target.closest("[data-rule]");
    if (!button) return;
    const act = button.closest(".ruling-act");
    const command = ruled(act);
    if (command === null) return act.querySelector("[data-seconds]").focus();
    field("ruling").close();
    await commands.send(command, commands.words(button));
    return undefined;
  });

  return { shown, reason, override, checklist, ruling };
})();
