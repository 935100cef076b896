// The figures of the loop, as the guard gives them twice a second: where a frame's age comes from, and what was lost.

const STAGES = ["capture", "preprocess", "policy", "act", "frame_age"];
const COUNTS = ["frames", "dropped", "repeated", "late_ticks"];
const WHO = { "guard, pilot": "guard and pilot", no: "not granted" };

function put(id, text) {
  const node = document.getElementById(id);
  if (node.textContent !== text) node.textContent = text;
}

export function paintLoop(loop) {
  const seen = loop.frame_age_p99_us > 0; // half a second without a frame at the wheels is no age of nought
  for (const stage of STAGES) {
    for (const part of ["p50", "p99"]) put(`${stage}_${part}`, seen ? (loop[`${stage}_${part}_us`] / 1000).toFixed(1) : "–");
  }
  for (const count of COUNTS) put(`loop_${count}`, String(loop[count]));
  put("loop_precision", loop.precision || "–");
  put("loop_realtime", WHO[loop.realtime] || loop.realtime || "–");
}
