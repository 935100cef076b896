// What every part of the console needs: asking the car, and putting words on the page.

const PATIENCE_MS = 1500;
const NOT_NOW = [408, 425, 429];
const WORDS = ["mode", "device", "message", "claimed"]; // one of them, or a list, is in all that the car answers

export const at = (id) => document.getElementById(id);
export const put = (id, text) => { const node = at(id); if (node.textContent !== text) node.textContent = text; };
// A sentence for the person; the network's own words say nothing to a racer.
export const sentence = (error) => (error instanceof TypeError || error.name === "TimeoutError" ? "The car does not answer." : error.message);

export async function ask(path, body, more = {}) {
  const options = { headers: { "x-raceday": "console" }, signal: AbortSignal.timeout(PATIENCE_MS), ...more };
  if (body !== undefined) {
    options.method = "POST";
    options.headers["content-type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const answer = await fetch(path, options);
  // The phone may be in another network by now, and a stranger at that address (a hall's login page) answers anything:
  // only what has the car's form is its word.
  const content = await answer.json().catch(() => null);
  if (answer.ok ? !isWord(content) : typeof content?.error !== "string") throw new Error("The car does not answer.");
  if (answer.status === 401) document.dispatchEvent(new Event("unclaimed"));
  // `refused`: the car's own word, which asking again does not change.
  const refused = answer.status < 500 && !NOT_NOW.includes(answer.status);
  if (!answer.ok) throw Object.assign(new Error(content.error), { refused });
  silence.heard(); // shared/web/look/silence.js: a refusal says nothing new of what the page shows
  return content;
}

function isWord(content) {
  return Array.isArray(content) || WORDS.some((name) => name in Object(content));
}

// One row of a calibration's table.
export function wheel(name, channel) {
  const row = document.createElement("tr");
  const cells = [channel.min_ns / 1000, channel.mid_ns / 1000, channel.max_ns / 1000, channel.polarity > 0 ? "+1" : "−1"];
  const head = Object.assign(document.createElement("th"), { scope: "row", textContent: name });
  row.append(head, ...cells.map((cell) => Object.assign(document.createElement("td"), { textContent: String(cell) })));
  return row;
}
