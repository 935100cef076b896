// The racer's console: asks the car five times a second while the page is seen, and with that renews the lease.
// Unseen, closed or asleep, it renews nothing and the car goes to neutral by itself.

import { forget, packed, wanting } from "./bring.js";
import { paintLoop } from "./loop.js";
import { ask, at, put, sentence, wheel } from "/static/car.js";

const EVERY_MS = 200;
const CAMERA_MS = 150;
const RETRY_MS = 1000;
const STOP_AGAIN_MS = 500; // a stop that was not answered is asked again
const UNCLAIMED_MS = 500; // a page that may ask for nothing else still hears whether the car is there
const ABOUT_MS = 10000;
const MODES = { disarmed: "Disarmed", ready: "Ready", driving: "Driving", stopped: "Stopped", tripped: "Tripped" };

const CALM = {
  disarmed: "Start arms the car and drives. The car drives only while this page is open and visible.",
  ready: "The car is armed and waits for the start command.",
  driving: "Stop, or leaving this page, sets the car to neutral.",
  stopped: "Stopped. Start drives again.",
  tripped: "The car stopped by itself.",
};

let state = null;
let claimed = false;
let starting = false;
let letGo = false; // from Stop to the next Start nothing is renewed, whatever an answer that was asked before says
let stops = 0; // only the newest is asked again
let asked_ms = 0;

const percent = (share) => `${Math.round(share * 100)} %`;
document.addEventListener("unclaimed", () => show(false));

function show(isClaimed) {
  claimed = isClaimed;
  at("claim").hidden = isClaimed;
  at("desk").hidden = at("stopbar").hidden = !isClaimed;
  if (!isClaimed) { notClaimed(); at("code").focus(); }
}

function notClaimed() {
  put("mode", "Not claimed");
  at("mode").dataset.mode = "disarmed";
}

function paint(now) {
  state = now;
  if (letGo) state.has_control = false;
  document.dispatchEvent(new CustomEvent("status", { detail: now })); // for the calibration's part
  put("mode", MODES[now.mode]);
  at("mode").dataset.mode = now.mode;
  const reason = now.refusal || (now.station_runs ? "The station runs this car now." : now.reason);
  at("reason").dataset.mode = now.mode;
  at("reason").dataset.said = String(Boolean(reason));
  put("reason", reason || CALM[now.mode]);
  const wasReset = document.activeElement === at("reset");
  at("reset").hidden = now.mode !== "tripped"; // in the place of the other, so that nothing moves under a finger
  at("start").hidden = now.mode === "tripped";
  if (wasReset && at("reset").hidden) at("start").focus();
  const held = now.mode === "driving" || now.mode === "tripped" || now.station_runs || now.calibration.is_open;
  at("start").setAttribute("aria-disabled", String(held));
  put("model", now.model || "none");
  paintLoop(now.loop);
  put("steering", Math.abs(now.steering) < 0.005 ? "Straight" : `${percent(Math.abs(now.steering))} ${now.steering > 0 ? "left" : "right"}`);
  put("thrust", percent(now.throttle));
  const lock = Math.min(1, Math.abs(now.steering)) * 50;
  at("steering_bar").style.left = `${now.steering > 0 ? 50 - lock : 50}%`; // from the middle to where the wheels point
  at("steering_bar").style.width = `${lock}%`;
  at("thrust_bar").style.width = `${Math.max(0, Math.min(1, now.throttle)) * 100}%`;
}

function away() {
  put("mode", "Car not reached");
  at("mode").dataset.mode = "away";
}

async function refresh() {
  const began = performance.now();
  if (claimed && !document.hidden) {
    try {
      paint(state && (state.has_control || starting) ? await ask("/api/hold", { heartbeat: state.heartbeat }) : await ask("/api/status"));
    } catch (error) {
      if (claimed) away();
    }
  } else if (!document.hidden && began - asked_ms > UNCLAIMED_MS) {
    asked_ms = began;
    const session = await ask("/api/session").catch(() => null);
    if (!session) away();
    else if (!session.claimed) notClaimed();
  }
  setTimeout(refresh, Math.max(20, EVERY_MS - (performance.now() - began)));
}

async function act(path, body, saidAt = "said") {
  put(saidAt, "");
  try {
    const answer = await ask(path, body);
    if (answer && answer.mode) paint(answer);
    return answer;
  } catch (error) {
    put(saidAt, sentence(error));
    return null;
  }
}

// Driving

at("start").addEventListener("click", async () => {
  if (at("start").getAttribute("aria-disabled") === "true") return;
  starting = true;
  letGo = false;
  await act("/api/start", { throttle_percent: Number(at("throttle").value) });
  if (letGo) stop(); // Stop was touched meanwhile: the start may have come to the car after it
  setTimeout(() => { starting = false; }, 1500);
});

// On the first touch, not when the finger leaves; and again as a click for keyboards and readers.
async function stop() {
  const mine = ++stops;
  starting = false;
  letGo = true; // no renewal may follow, whatever becomes of the order
  if (state) state.has_control = false;
  while (letGo && mine === stops) {
    try {
      put("said", (await ask("/api/stop", {}, { keepalive: true })).message);
      return;
    } catch (error) {
      put("said", error.refused ? error.message : "The car does not answer. Stop is asked again; the lease ends by itself.");
      if (error.refused) return;
    }
    await new Promise((resolve) => setTimeout(resolve, STOP_AGAIN_MS));
  }
}
at("stop").addEventListener("pointerdown", stop);
at("stop").addEventListener("click", (event) => { if (event.detail === 0) stop(); });

at("reset").addEventListener("click", () => act("/api/reset", {}));

at("throttle").addEventListener("input", () => put("throttle_shown", `${at("throttle").value} %`));
at("throttle").addEventListener("change", () => {
  if (state && state.has_control) act("/api/throttle", { throttle_percent: Number(at("throttle").value) });
});

function unseen() {
  if (claimed && state && (state.has_control || starting || (state.is_calibrating && state.calibration.is_open))) stop();
}
document.addEventListener("visibilitychange", () => { if (document.hidden) unseen(); });
window.addEventListener("pagehide", unseen);

// The camera: the next picture once this one is here.

let pictureSeq = -1;
function look() {
  if (claimed && !document.hidden && state && state.picture_seq !== pictureSeq && state.picture_seq >= 0) {
    pictureSeq = state.picture_seq;
    at("camera").src = `/api/camera.jpg?n=${pictureSeq}`;
  } else {
    setTimeout(look, CAMERA_MS);
  }
}
at("camera").addEventListener("load", () => {
  at("camera").hidden = false;
  at("no_camera").hidden = true;
  setTimeout(look, CAMERA_MS);
});
at("camera").addEventListener("error", () => setTimeout(look, RETRY_MS));

// Models

function listModels(rows) {
  const list = at("models");
  list.replaceChildren(...rows.map((row) => {
    const item = document.createElement("li");
    const name = Object.assign(document.createElement("span"), { className: "name", textContent: row.name });
    const detail = Object.assign(document.createElement("span"), { className: "detail", textContent: row.detail });
    if (row.selected) {
      item.append(name, Object.assign(document.createElement("span"), { className: "chosen", textContent: "✓ Selected" }), detail);
      return item;
    }
    const select = Object.assign(document.createElement("button"), { type: "button", className: "plain", textContent: "Select" });
    select.setAttribute("aria-label", `Select ${row.name}`);
    select.addEventListener("click", () => choose(row.name));
    item.append(name, select, detail);
    return item;
  }));
  at("no_models").hidden = rows.length > 0;
}

async function choose(name) {
  const rows = await act("/api/models/select", { name }, "models_said");
  if (rows) { listModels(rows); put("models_said", `${name} is selected; the car is loading it.`); }
}

at("upload_form").addEventListener("submit", (event) => {
  event.preventDefault();
  const missing = wanting();
  if (missing) { put("file_said", missing); return; }
  const file = packed();
  const sending = new XMLHttpRequest(); // fetch cannot say how far an upload is
  sending.open("PUT", `/api/models?file=${encodeURIComponent(file.name)}`);
  sending.setRequestHeader("x-raceday", "console");
  sending.responseType = "json";
  at("progress").hidden = false;
  at("progress").value = 0;
  put("file_said", "");
  put("models_said", `Sending ${file.title}`);
  sending.upload.addEventListener("progress", (step) => { if (step.lengthComputable) at("progress").value = 100 * step.loaded / step.total; });
  sending.upload.addEventListener("load", () => put("models_said", "The car is checking the model"));
  sending.addEventListener("loadend", async () => {
    at("progress").hidden = true;
    if (sending.status === 200 && sending.response?.name) {
      at("upload_form").reset();
      forget();
      const choice = sending.response.choice ? ` It is ${sending.response.choice}.` : "";
      put("models_said", `${sending.response.name} is on the car.${choice}`);
      listModels(await ask("/api/models"));
    } else {
      put("models_said", (sending.response && sending.response.error) || "The upload failed: try again.");
    }
  });
  sending.send(file.body);
});

// Health and calibration

function figure(name, value) {
  const row = document.createElement("div");
  row.append(Object.assign(document.createElement("dt"), { textContent: name }), Object.assign(document.createElement("dd"), { textContent: value }));
  return row;
}

const known = (value, unit) => (value === null ? "not known" : `${value} ${unit}`);

function vitals(health) {
  const battery = health.battery_percent === null ? "" : `Battery ${health.battery_percent} %`;
  const wifi = health.wifi_dbm === null ? "" : `Wi-Fi ${health.wifi_dbm} dBm`;
  return [battery, wifi].filter(Boolean).join(" · ");
}

document.addEventListener("calibrated", () => readAbout());

async function readAbout() {
  if (claimed && !document.hidden) {
    try {
      const car = await ask("/api/about");
      const health = car.health;
      put("vitals", vitals(health));
      at("health").replaceChildren(
        figure("Battery", known(health.battery_percent, "%")),
        figure("Wi-Fi", known(health.wifi_dbm, "dBm")),
        figure("Temperature", known(health.temperature_c, "°C")),
        figure("Free disk", known(health.disk_free_mb, "MB")),
        figure("Load", known(health.load, "per core")),
        figure("Camera, motors", `${car.camera}, ${car.motors}`),
      );
      at("calibration_table").hidden = !car.calibration;
      at("no_calibration").hidden = Boolean(car.calibration);
      at("fit_form").hidden = !car.can_calibrate;
      at("no_file").hidden = car.can_calibrate;
      if (car.calibration) at("calibration").replaceChildren(wheel("Steering", car.calibration.steering), wheel("Motor", car.calibration.motor));
    } catch (error) {
      away();
    }
  }
}

async function about() {
  await readAbout();
  setTimeout(about, state ? ABOUT_MS : RETRY_MS);
}

// Claiming

at("claim_form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const done = await act("/api/claim", { code: at("code").value }, "claim_said");
  if (done) { at("code").value = ""; open(); }
});

at("leave").addEventListener("click", async () => {
  unseen();
  if (await act("/api/leave", {})) show(false);
});

async function open() {
  try {
    const session = await ask("/api/session");
    put("device", session.device);
    document.title = `${session.device} · Raceday`;
    if (session.claimed) {
      paint(await ask("/api/status"));
      at("throttle").value = state.throttle_percent || 30; // before anybody can touch it
      put("throttle_shown", `${at("throttle").value} %`);
    }
    show(session.claimed);
    if (session.claimed) {
      listModels(await ask("/api/models"));
      readAbout();
    }
  } catch (error) {
    away();
    setTimeout(open, RETRY_MS);
  }
}

open();
refresh();
look();
about();
