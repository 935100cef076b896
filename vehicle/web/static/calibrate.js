// The calibration wizard: each tap sends a pulse of one second, after which the guard returns to neutral by itself.
// Meanwhile the stop bar is the neutral button; so are Escape, and the space bar outside a control.

import { byId, channelRow, errorText, request, setText } from "/static/car.js";

let calibration = { is_open: false };
let isMine = false; // whether this phone is the one that calibrates
let step = -1;
let isTyped = false; // a width that was typed and not tried yet
let queue = Promise.resolve();

function showMessage(text) { setText("wizard_message", text); }

async function send(path, body) {
  try {
    const status = await request(path, body);
    document.dispatchEvent(new CustomEvent("status", { detail: status }));
  } catch (error) {
    showMessage(errorText(error));
  }
}

// One request after the other: a pulse must not overtake the neutral that was tapped after it.
function queueAction(action, more = {}) {
  showMessage("");
  queue = queue.then(() => send("/api/calibration", { action, ...more }));
  return queue;
}

function width() {
  const typed = Number(byId("wizard_us").value);
  return Number.isInteger(typed) && typed >= 500 && typed <= 2500 ? typed : null;
}

// A change that is smaller than the motors' own step would be none.
function atLeastOneStep(by) { return by === 0 ? 0 : Math.max(Math.abs(by), calibration.step_us); }

function tryWidth(by = 0) {
  const now = width();
  const wanted = now === null ? null : now + Math.sign(by) * atLeastOneStep(by);
  if (wanted === null || wanted < 500 || wanted > 2500) { showMessage(t("A pulse must be 500 to 2500 µs.")); return; }
  byId("wizard_us").value = wanted;
  isTyped = false;
  queueAction("try", { width_us: wanted });
}

function renderStep() {
  const done = calibration.step >= calibration.steps;
  setText("wizard_step", done ? t("All steps are done") : t("Step {step} of {steps}", { step: calibration.step + 1, steps: calibration.steps }));
  byId("wizard_progress").max = calibration.steps;
  byId("wizard_progress").value = calibration.step;
  setText("wizard_question", done ? t("Is this calibration right?") : calibration.question);
  byId("wizard_width").hidden = done || calibration.is_question;
  byId("wizard_yes_no").hidden = done || !calibration.is_question;
  byId("wizard_done").hidden = !done;
  byId("wizard_back").disabled = calibration.step === 0;
  byId("wizard_us").value = calibration.width_us;
  isTyped = false;
  for (const button of document.querySelectorAll("[data-by]")) button.textContent = `${button.dataset.by < 0 ? "−" : "+"}${atLeastOneStep(Number(button.dataset.by))}`;
  if (done && calibration.found) byId("wizard_found").replaceChildren(channelRow(t("Steering"), calibration.found.steering), channelRow(t("Motor"), calibration.found.motor));
  byId("wizard_question").focus({ preventScroll: true }); // screen readers announce the next question
}

function render(status) {
  const previous = calibration;
  calibration = status.calibration;
  isMine = status.is_calibrating && calibration.is_open;
  setText("stop_word", isMine ? t("Neutral") : t("Stop"));
  byId("wizard").hidden = !isMine;
  byId("calibration_overview").hidden = isMine;
  byId("calibrate_begin").disabled = calibration.is_open || !["disarmed", "stopped"].includes(status.mode);
  if (calibration.message && calibration.message !== previous.message) showMessage(calibration.message);
  if (!isMine) {
    if (previous.is_open && !calibration.is_open) { byId("calibrate_form").reset(); document.dispatchEvent(new Event("calibrated")); }
    step = -1;
    return;
  }
  if (step === -1) byId("calibration_part").open = true;
  const isNewStep = step !== calibration.step;
  if (isNewStep) { step = calibration.step; renderStep(); }
  // As the motors make it; but the answer to an earlier try must not replace what somebody is typing.
  else if (calibration.width_us !== previous.width_us && !isTyped) byId("wizard_us").value = calibration.width_us;
  setText("wizard_pulse", calibration.is_pulsing ? t("The pulse is on") : t("The wheels are at neutral"));
  byId("wizard_pulse").dataset.on = String(calibration.is_pulsing);
  // So that all of it is above the neutral button, wherever the last step left the page.
  if (isNewStep) byId("calibration_part").scrollIntoView({ block: "start" });
}

document.addEventListener("status", (event) => render(event.detail));

byId("calibrate_form").addEventListener("submit", (event) => {
  event.preventDefault();
  queueAction("begin", { wheels_off: byId("wheels_off").checked });
});
byId("wizard_us").addEventListener("input", () => { isTyped = true; });
byId("wizard_try").addEventListener("click", () => tryWidth());
byId("wizard_us").addEventListener("keydown", (event) => { if (event.key === "Enter") tryWidth(); });
for (const button of document.querySelectorAll("[data-by]")) button.addEventListener("click", () => tryWidth(Number(button.dataset.by)));
byId("wizard_accept").addEventListener("click", () => {
  if (width() !== calibration.width_us) { showMessage(t("Try this width before you accept it.")); return; }
  queueAction("keep");
});
byId("wizard_show").addEventListener("click", () => queueAction("show"));
byId("wizard_yes").addEventListener("click", () => queueAction("yes"));
byId("wizard_no").addEventListener("click", () => queueAction("no"));
byId("wizard_back").addEventListener("click", () => queueAction("back"));
byId("wizard_cancel").addEventListener("click", () => queueAction("cancel"));
byId("wizard_save").addEventListener("click", () => { showMessage(""); queue = queue.then(() => send("/api/calibration/keep", {})); });

document.addEventListener("keydown", (event) => {
  const control = event.target.closest("button, input, a");
  if (isMine && (event.key === "Escape" || (event.key === " " && !control))) { event.preventDefault(); queueAction("neutral"); }
});
