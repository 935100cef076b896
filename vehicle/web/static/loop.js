// The control loop's figures, published by the guard twice a second: what makes up a frame's age, and what was lost.

import { setText } from "/static/car.js";

const STAGES = ["capture", "preprocess", "policy", "act", "frame_age"];
const COUNTS = ["frames", "dropped", "repeated", "late_ticks"];
const REALTIME_TEXTS = { "guard, pilot": t("guard and pilot"), no: t("not granted") };

export function renderLoop(loop) {
  const isMeasured = loop.frame_age_p99_us > 0; // 0: no frame reached the wheels in this half second
  for (const stage of STAGES) {
    for (const part of ["p50", "p99"]) setText(`${stage}_${part}`, isMeasured ? (loop[`${stage}_${part}_us`] / 1000).toFixed(1) : "–");
  }
  for (const count of COUNTS) setText(`loop_${count}`, String(loop[count]));
  setText("loop_precision", loop.precision || "–");
  setText("loop_realtime", REALTIME_TEXTS[loop.realtime] || loop.realtime || "–");
}
