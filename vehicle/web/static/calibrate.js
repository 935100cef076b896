// The calibration: each tap is one pulse of a second, after which the guard goes to neutral by itself.
// The stop bar is the neutral button meanwhile; so are Escape and the space bar outside a control.

import { ask, at, put, sentence, wheel } from "/static/car.js";

let calibration = { is_open: false };
let mine = false;
let step = -1;
let taps = Promise.resolve();

function say(text) { put("fit_said", text); }

async function send(path, body) {
  try {
    const status = await ask(path, body);
    document.dispatchEvent(new CustomEvent("status", { detail: status }));
  } catch (error) {
    say(sentence(error));
  }
}

// One after the other: a pulse must not overtake the neutral that was tapped after it.
function tap(action, more = {}) {
  say("");
  taps = taps.then(() => send("/api/calibration", { action, ...more }));
  return taps;
}

function width() {
  const typed = Number(at("fit_us").value);
  return Number.isInteger(typed) && typed >= 500 && typed <= 2500 ? typed : null;
}

function tryWidth(by = 0) {
  const now = width();
  const wanted = now === null ? null : now + by;
  if (wanted === null || wanted < 500 || wanted > 2500) { say("A pulse must be 500 to 2500 µs."); return; }
  at("fit_us").value = wanted;
  tap("try", { width_us: wanted });
}

function paintStep() {
  const done = calibration.step >= calibration.steps;
  put("fit_step", done ? "All steps are done" : `Step ${calibration.step + 1} of ${calibration.steps}`);
  at("fit_progress").max = calibration.steps;
  at("fit_progress").value = calibration.step;
  put("fit_question", done ? "Is this calibration right?" : calibration.question);
  at("fit_width").hidden = done || calibration.is_question;
  at("fit_way").hidden = done || !calibration.is_question;
  at("fit_done").hidden = !done;
  at("fit_back").disabled = calibration.step === 0;
  at("fit_us").value = calibration.width_us;
  if (done && calibration.found) at("fit_found").replaceChildren(wheel("Steering", calibration.found.steering), wheel("Motor", calibration.found.motor));
  at("fit_question").focus({ preventScroll: true }); // readers hear the next question
}

function paint(status) {
  const was = calibration;
  calibration = status.calibration;
  mine = status.is_calibrating && calibration.is_open;
  put("stop_word", mine ? "Neutral" : "Stop");
  at("fit").hidden = !mine;
  at("fit_rest").hidden = mine;
  at("fit_begin").disabled = calibration.is_open || !["disarmed", "stopped"].includes(status.mode);
  if (calibration.message && calibration.message !== was.message) say(calibration.message);
  if (!mine) {
    if (was.is_open && !calibration.is_open) { at("fit_form").reset(); document.dispatchEvent(new Event("calibrated")); }
    step = -1;
    return;
  }
  if (step === -1) at("calibration_part").scrollIntoView({ block: "start" }); // all of it above the neutral button
  if (step !== calibration.step) { step = calibration.step; paintStep(); }
  put("fit_pulse", calibration.is_pulsing ? "The pulse is on" : "The wheels are at neutral");
  at("fit_pulse").dataset.on = String(calibration.is_pulsing);
}

document.addEventListener("status", (event) => paint(event.detail));

at("fit_form").addEventListener("submit", (event) => {
  event.preventDefault();
  tap("begin", { wheels_off: at("wheels_off").checked });
});
at("fit_try").addEventListener("click", () => tryWidth());
at("fit_us").addEventListener("keydown", (event) => { if (event.key === "Enter") tryWidth(); });
for (const button of document.querySelectorAll("[data-by]")) button.addEventListener("click", () => tryWidth(Number(button.dataset.by)));
at("fit_keep").addEventListener("click", () => {
  if (width() !== calibration.width_us) { say("Try this width before you keep it."); return; }
  tap("keep");
});
at("fit_show").addEventListener("click", () => tap("show"));
at("fit_yes").addEventListener("click", () => tap("yes"));
at("fit_no").addEventListener("click", () => tap("no"));
at("fit_back").addEventListener("click", () => tap("back"));
at("fit_cancel").addEventListener("click", () => tap("cancel"));
at("fit_save").addEventListener("click", () => { say(""); taps = taps.then(() => send("/api/calibration/keep", {})); });

document.addEventListener("keydown", (event) => {
  const control = event.target.closest("button, input, a");
  if (mine && (event.key === "Escape" || (event.key === " " && !control))) { event.preventDefault(); tap("neutral"); }
});
