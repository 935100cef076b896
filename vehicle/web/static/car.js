// Shared by all scripts of the console: requests to the car, and text on the page.

const TIMEOUT_MS = 1500;
const RETRY_STATUSES = [408, 425, 429];
const REPLY_FIELDS = ["mode", "device", "message", "claimed", "refusals"]; // every reply of the car is a list or has one of these

export const byId = (id) => document.getElementById(id);
export const setText = (id, text) => { const node = byId(id); if (node.textContent !== text) node.textContent = text; };
// A sentence for the racer, to whom the browser's own network errors mean nothing.
export const errorText = (error) => (error instanceof TypeError || error.name === "TimeoutError" ? t("The car is not responding.") : error.message);

export async function request(path, body, more = {}) {
  const options = { headers: { "x-raceday": "console" }, signal: AbortSignal.timeout(TIMEOUT_MS), ...more };
  if (body !== undefined) {
    options.method = "POST";
    options.headers["content-type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const answer = await fetch(path, options);
  // The phone may have joined another network, where something else (a Wi-Fi login page) answers at this address: only
  // what has the form of the car's replies counts.
  const content = await answer.json().catch(() => null);
  if (answer.ok ? !isReply(content) : typeof content?.error !== "string") throw new Error(t("The car is not responding."));
  if (answer.status === 401) document.dispatchEvent(new Event("unclaimed"));
  // `refused`: the car's own decision, which a retry does not change.
  const refused = answer.status < 500 && !RETRY_STATUSES.includes(answer.status);
  if (!answer.ok) throw Object.assign(new Error(content.error), { refused });
  silence.onMessage(); // shared/web/look/silence.js; not for a refusal, which brings no new values
  return content;
}

function isReply(content) {
  return Array.isArray(content) || REPLY_FIELDS.some((name) => name in Object(content));
}

// One row of a calibration's table.
export function channelRow(name, channel) {
  const row = document.createElement("tr");
  const tenths = (width_ns) => Math.round(width_ns / 100) / 10; // no motor moves finer
  const cells = [tenths(channel.min_ns), tenths(channel.mid_ns), tenths(channel.max_ns), channel.polarity > 0 ? "+1" : "−1"];
  const head = Object.assign(document.createElement("th"), { scope: "row", textContent: name });
  row.append(head, ...cells.map((cell) => Object.assign(document.createElement("td"), { textContent: String(cell) })));
  return row;
}
