// The racer's console: polls the car five times a second while the page is visible, which also renews the lease.
// Hidden, closed or asleep, it renews nothing, and the car goes to neutral by itself.

import { clearFiles, missingFile, packFiles } from "./model_files.js";
import { renderLoop } from "./loop.js";
import { byId, channelRow, errorText, request, setText } from "/static/car.js";

const POLL_MS = 200;
const CAMERA_MS = 150;
const RETRY_MS = 1000;
const LOW_PERCENT = 20; // of the battery: it may not last for a run
const STOP_RETRY_MS = 500; // a stop that was not answered is sent again
const UNCLAIMED_POLL_MS = 500; // an unclaimed page may request nothing else, but still shows whether the car is reachable
const HEALTH_POLL_MS = 10000;
const MODES = { disarmed: t("Disarmed"), ready: t("Ready"), driving: t("Driving"), stopped: t("Stopped"), tripped: t("Tripped") };

const HINTS = {
  disarmed: t("Start arms the car and drives off. The car drives only while this page is open and visible."),
  ready: t("The car is armed and waiting for the start command."),
  driving: t("Pressing Stop or leaving this page sets the car to neutral."),
  stopped: t("Stopped. Press Start to drive again."),
  tripped: t("The car stopped by itself."),
};

let state = null;
let about = null; // the car's hardware and calibration, as last asked
let claimed = false;
let starting = false;
let released = false; // from Stop to the next Start the lease is not renewed, whatever the answer to an earlier request reports
let stopAttempt = 0; // only the newest is repeated
let polled_ms = 0;

function steeringText(steering) {
  const share = percent(Math.abs(steering));
  if (Math.abs(steering) < 0.005) return t("Straight");
  return steering > 0 ? t("{share} left", { share }) : t("{share} right", { share });
}

const percent = (share) => `${Math.round(share * 100)} %`;
document.addEventListener("unclaimed", () => show(false));

function show(isClaimed) {
  claimed = isClaimed;
  byId("claim").hidden = isClaimed;
  byId("controls").hidden = byId("stopbar").hidden = !isClaimed;
  if (!isClaimed) { notClaimed(); byId("code").focus(); }
}

function notClaimed() {
  setText("mode", t("Not claimed"));
  byId("mode").dataset.mode = "disarmed";
}

function render(now) {
  state = now;
  if (released) state.has_control = false;
  setText("mode", MODES[now.mode]);
  byId("mode").dataset.mode = now.mode;
  const reason = now.refusal || now.reason;
  byId("reason").dataset.mode = now.mode;
  byId("reason").dataset.warning = String(Boolean(reason));
  setText("reason", reason || HINTS[now.mode]);
  setText("station", now.station);
  byId("station").dataset.off = String(now.station_runs);
  const wasReset = document.activeElement === byId("reset");
  byId("reset").hidden = now.mode !== "tripped"; // in the place of Start, so that nothing moves under a finger
  byId("start").hidden = now.mode === "tripped";
  if (wasReset && byId("reset").hidden) byId("start").focus();
  const missing = now.mode === "driving" || now.mode === "tripped" ? "" : whyNoStart(now);
  setText("missing", missing || (now.picture_seq < 0 ? t("The camera has shown nothing yet.") : ""));
  byId("start").setAttribute("aria-disabled", String(now.mode === "driving" || now.mode === "tripped" || missing !== ""));
  setText("model", now.model || t("none"));
  renderLoop(now.loop);
  setText("steering", steeringText(now.steering));
  setText("actual_throttle", percent(now.throttle));
  const lock = Math.min(1, Math.abs(now.steering)) * 50;
  byId("steering_bar").style.left = `${now.steering > 0 ? 50 - lock : 50}%`; // from the middle to where the wheels point
  byId("steering_bar").style.width = `${lock}%`;
  byId("actual_throttle_bar").style.width = `${Math.max(0, Math.min(1, now.throttle)) * 100}%`;
  document.dispatchEvent(new CustomEvent("status", { detail: now })); // for calibrate.js, which scrolls: after all that moves
}

// Why the car cannot be started from this phone now, as a sentence; "" if it can.
function whyNoStart(now) {
  if (now.station_runs) return t("Practice is off: see above.");
  if (now.calibration.is_open) return t("The car is being calibrated: save the calibration or discard it first.");
  if (!now.model) return t("No model is loaded: choose or add one above.");
  if (about && !about.calibration) return t("The car is not calibrated: open Calibration below.");
  return "";
}

function showUnreachable() {
  setText("mode", t("Car unreachable"));
  byId("mode").dataset.mode = "away";
}

async function refresh() {
  const began = performance.now();
  if (claimed && !document.hidden) {
    try {
      render(state && (state.has_control || starting) ? await request("/api/hold", { heartbeat: state.heartbeat }) : await request("/api/status"));
    } catch (error) {
      if (claimed) showUnreachable();
    }
  } else if (!document.hidden && began - polled_ms > UNCLAIMED_POLL_MS) {
    polled_ms = began;
    const session = await request("/api/session").catch(() => null);
    if (!session) showUnreachable();
    else if (!session.claimed) notClaimed();
  }
  setTimeout(refresh, Math.max(20, POLL_MS - (performance.now() - began)));
}

async function sendCommand(path, body, messageId = "drive_message") {
  setText(messageId, "");
  try {
    const answer = await request(path, body);
    if (answer && answer.mode) render(answer);
    return answer;
  } catch (error) {
    setText(messageId, errorText(error));
    return null;
  }
}

// Driving

byId("start").addEventListener("click", async () => {
  if (byId("start").getAttribute("aria-disabled") === "true") return;
  starting = true;
  released = false;
  await sendCommand("/api/start", { throttle_percent: Number(byId("throttle").value) });
  if (released) stop(); // Stop was pressed meanwhile: the start may have reached the car after it
  setTimeout(() => { starting = false; }, 1500);
});

// On touch, not on release; also on click, for keyboards and screen readers.
async function stop() {
  const attempt = ++stopAttempt;
  starting = false;
  released = true; // no renewal may follow, whether or not the stop arrives
  if (state) state.has_control = false;
  while (released && attempt === stopAttempt) {
    try {
      setText("drive_message", (await request("/api/stop", {}, { keepalive: true })).message);
      return;
    } catch (error) {
      setText("drive_message", error.refused ? error.message : t("The car is not responding. Sending Stop again; without this page the car stops by itself."));
      if (error.refused) return;
    }
    await new Promise((resolve) => setTimeout(resolve, STOP_RETRY_MS));
  }
}
byId("stop").addEventListener("pointerdown", stop);
byId("stop").addEventListener("click", (event) => { if (event.detail === 0) stop(); });

byId("reset").addEventListener("click", () => sendCommand("/api/reset", {}));

byId("throttle").addEventListener("input", () => setText("throttle_shown", `${byId("throttle").value} %`));
byId("throttle").addEventListener("change", () => {
  if (state && state.has_control) sendCommand("/api/throttle", { throttle_percent: Number(byId("throttle").value) });
});

function onHidden() {
  if (claimed && state && (state.has_control || starting || (state.is_calibrating && state.calibration.is_open))) stop();
}
document.addEventListener("visibilitychange", () => { if (document.hidden) onHidden(); });
window.addEventListener("pagehide", onHidden);

// The camera: the next image is requested once this one has loaded.

let pictureSeq = -1;
function refreshCamera() {
  if (claimed && !document.hidden && state && state.picture_seq !== pictureSeq && state.picture_seq >= 0) {
    pictureSeq = state.picture_seq;
    byId("camera").src = `/api/camera.jpg?n=${pictureSeq}`;
  } else {
    setTimeout(refreshCamera, CAMERA_MS);
  }
}
byId("camera").addEventListener("load", () => {
  byId("camera").hidden = false;
  byId("no_camera").hidden = true;
  setTimeout(refreshCamera, CAMERA_MS);
});
byId("camera").addEventListener("error", () => setTimeout(refreshCamera, RETRY_MS));

// Models

function listModels(rows) {
  const list = byId("models");
  list.replaceChildren(...rows.map((row) => {
    const item = document.createElement("li");
    const name = Object.assign(document.createElement("span"), { className: "name", textContent: row.name });
    const detail = Object.assign(document.createElement("span"), { className: "detail", textContent: row.detail });
    if (row.selected) {
      item.append(name, Object.assign(document.createElement("span"), { className: "chosen", textContent: `✓ ${t("Selected")}` }), detail);
      return item;
    }
    const select = Object.assign(document.createElement("button"), { type: "button", className: "plain", textContent: t("Select") });
    select.setAttribute("aria-label", t("Select {model}", { model: row.name }));
    select.addEventListener("click", () => choose(row.name));
    item.append(name, select, detail);
    return item;
  }));
  byId("no_models").hidden = rows.length > 0;
  if (!rows.some((row) => row.selected)) byId("models_part").open = true; // the first thing to do
}

// `done`: it is good news, which is not in the colour of a warning.
function showModels(text, done = false) {
  byId("models_message").dataset.done = String(done);
  setText("models_message", text);
}

async function choose(name) {
  showModels("");
  const rows = await sendCommand("/api/models/select", { name }, "models_message");
  if (rows) { listModels(rows); showModels(t("{model} is selected; the car is loading it.", { model: name }), true); }
}

byId("upload_form").addEventListener("submit", (event) => {
  event.preventDefault();
  const missing = missingFile();
  if (missing) { setText("file_message", missing); return; }
  const file = packFiles();
  const sending = new XMLHttpRequest(); // fetch reports no upload progress
  sending.open("PUT", `/api/models?file=${encodeURIComponent(file.name)}`);
  sending.setRequestHeader("x-raceday", "console");
  sending.responseType = "json";
  byId("progress").hidden = false;
  byId("progress").value = 0;
  setText("file_message", "");
  showModels(t("Uploading {file} …", { file: file.title }), true);
  sending.upload.addEventListener("progress", (step) => { if (step.lengthComputable) byId("progress").value = 100 * step.loaded / step.total; });
  sending.upload.addEventListener("load", () => showModels(t("The car is checking the model …"), true));
  sending.addEventListener("loadend", async () => {
    byId("progress").hidden = true;
    if (sending.status === 200 && sending.response?.name) {
      byId("upload_form").reset();
      clearFiles();
      const { name: model, choice } = sending.response;
      showModels([t("{model} is on the car.", { model }), choice && t("It is {what}.", { what: choice })].filter(Boolean).join(" "), true);
      listModels(await request("/api/models"));
    } else {
      showModels((sending.response && sending.response.error) || t("The upload failed. Try again."));
    }
  });
  sending.send(file.body);
});

// Health and calibration

function healthRow(name, value) {
  const row = document.createElement("div");
  row.append(Object.assign(document.createElement("dt"), { textContent: name }), Object.assign(document.createElement("dd"), { textContent: value }));
  return row;
}

// Whom the car refused: a kind, an address or a machine's name, how often, when last.
function refusedRow(row) {
  const line = document.createElement("tr");
  const kind = Object.assign(document.createElement("th"), { textContent: row.kind, scope: "row" });
  const cells = [row.who || t("others"), row.times, row.last].map((words) => Object.assign(document.createElement("td"), { textContent: words }));
  line.append(kind, ...cells);
  return line;
}

const withUnit = (value, unit) => (value === null ? t("unknown") : `${value} ${unit}`);

function vitals(health) {
  const percent = health.battery_percent;
  const battery = percent === null ? "" : percent < LOW_PERCENT ? t("Battery low: {percent} %, charge it", { percent }) : t("Battery {percent} %", { percent });
  const wifi = health.wifi_dbm === null ? "" : t("Wi-Fi {dbm} dBm", { dbm: health.wifi_dbm });
  return [battery, wifi].filter(Boolean).join(" · ");
}

document.addEventListener("calibrated", () => refreshHealth());

async function refreshHealth() {
  if (claimed && !document.hidden) {
    try {
      const [car, refused] = await Promise.all([request("/api/about"), request("/api/refusals")]);
      about = car;
      const health = car.health;
      setText("vitals", vitals(health));
      byId("vitals").classList.toggle("is-low", health.battery_percent !== null && health.battery_percent < LOW_PERCENT);
      byId("health").replaceChildren(
        healthRow(t("Battery"), withUnit(health.battery_percent, "%")),
        healthRow(t("Wi-Fi"), withUnit(health.wifi_dbm, "dBm")),
        healthRow(t("Temperature"), withUnit(health.temperature_c, "°C")),
        healthRow(t("Free disk"), withUnit(health.disk_free_mb, "MB")),
        healthRow(t("Load"), withUnit(health.load, t("per core"))),
        healthRow(t("Camera, motors"), `${car.camera}, ${car.motors}`),
        healthRow(t("Refusals since the start"), refused.refusals),
      );
      byId("refused").replaceChildren(...refused.rows.map(refusedRow));
      byId("refused_table").hidden = !refused.rows.length;
      byId("calibration_table").hidden = !car.calibration;
      byId("no_calibration").hidden = Boolean(car.calibration);
      byId("calibrate_form").hidden = !car.can_calibrate;
      byId("no_file").hidden = car.can_calibrate;
      if (car.calibration) byId("calibration").replaceChildren(channelRow(t("Steering"), car.calibration.steering), channelRow(t("Motor"), car.calibration.motor));
    } catch (error) {
      showUnreachable();
    }
  }
}

async function pollHealth() {
  await refreshHealth();
  setTimeout(pollHealth, state ? HEALTH_POLL_MS : RETRY_MS);
}

// Claiming

byId("claim_form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const done = await sendCommand("/api/claim", { code: byId("code").value }, "claim_message");
  if (done) { byId("code").value = ""; connect(); }
});

byId("leave").addEventListener("click", async () => {
  onHidden();
  if (await sendCommand("/api/leave", {})) show(false);
});

async function connect() {
  try {
    const session = await request("/api/session");
    setText("device", session.device);
    document.title = `${session.device} · Raceday`;
    if (session.claimed) {
      render(await request("/api/status"));
      byId("throttle").value = state.throttle_percent || 30; // before it can be touched
      setText("throttle_shown", `${byId("throttle").value} %`);
    }
    show(session.claimed);
    if (session.claimed) {
      listModels(await request("/api/models"));
      refreshHealth();
    }
  } catch (error) {
    showUnreachable();
    setTimeout(connect, RETRY_MS);
  }
}

connect();
refresh();
refreshCamera();
pollHealth();
