// The two-pulse test on the gates' page: waits for both pulses at all gates, and lets the station compare them.
"use strict";

(() => {
  const SAME_PULSE_MS = 2000; // all edges of one pulse come within this time
  const part = document.getElementById("two-pulses");
  const begin = document.getElementById("pulse-begin");
  const end = document.getElementById("pulse-end");
  const step = document.getElementById("pulse-step");
  const lines = document.getElementById("pulse-lines");
  const pause_ms = 1000 * Number(part.dataset.pause);
  let seen = {}; // gate to its pulses, as the station last said
  let test = null; // { from_ms, first }: pulses before `from_ms` do not count; `first`: those of the first contact

  const now_ms = () => stationClock.now(performance.now());

  function show(sentence) {
    if (step.textContent !== sentence) step.textContent = sentence;
  }

  function stop() {
    test = null;
    end.hidden = true;
    begin.hidden = false;
  }

  // The pulse at each gate since `from_ms`, once all gates have seen it or it is over; null: not yet.
  function pulse(from_ms) {
    const gates = Object.keys(seen);
    const found = {};
    let first_ms = Infinity;
    for (const gate of gates) {
      const [boot, at_ns, at_ms] = seen[gate].filter((each) => each[2] >= from_ms).sort((a, b) => a[2] - b[2])[0] ?? [];
      if (boot === undefined) continue;
      found[gate] = { boot, at_ns };
      first_ms = Math.min(first_ms, at_ms);
    }
    const complete = Object.keys(found).length === gates.length || now_ms() - first_ms > SAME_PULSE_MS;
    return first_ms < Infinity && complete ? { found, at_ms: first_ms } : null;
  }

  async function compare(first, second) {
    stop();
    show(t("The station compares …"));
    try {
      const response = await fetch("/gates/two-pulses", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify([first, second]),
      });
      const reply = await response.json();
      if (!response.ok) return show(`✕ ${reply.error}`);
      show(reply.agree ? `✓ ${t("All gates agree.")}` : `✕ ${t("The gates do not agree: check cable and clock, and repeat the test.")}`);
      lines.replaceChildren(...reply.sentences.map((each) => Object.assign(document.createElement("li"), { textContent: each })));
    } catch {
      show(`✕ ${t("The station did not answer. Press again.")}`);
    }
    return undefined;
  }

  function follow() {
    if (!test || !stationClock.known()) return;
    const found = pulse(test.from_ms);
    const left_s = Math.ceil((test.from_ms - now_ms()) / 1000);
    if (found && test.first) compare(test.first, found.found);
    else if (found) {
      test = { from_ms: found.at_ms + pause_ms, first: found.found };
      const { length } = Object.keys(found.found);
      lines.replaceChildren(Object.assign(document.createElement("li"), { textContent: t("The first pulse reached {count} of {all} gates.", { count: length, all: Object.keys(seen).length }) }));
    } else if (!test.first) show(t("Close the contact now."));
    else if (left_s > 0) show(t("Wait {seconds} s more.", { seconds: left_s }));
    else show(t("Close the contact again now."));
  }

  begin.addEventListener("click", () => {
    lines.replaceChildren();
    if (document.body.dataset.mode !== "test") return show(`✕ ${t("Go to test mode first, on race control under More: a pulse is a crossing.")}`);
    test = { from_ms: now_ms(), first: null };
    begin.hidden = true;
    end.hidden = false;
    end.focus();
    follow();
    return undefined;
  });
  end.addEventListener("click", () => {
    stop();
    show("");
    begin.focus();
  });
  document.addEventListener("raceday", ({ detail }) => {
    if (detail.gates?.data) seen = detail.gates.data.pulses;
    part.hidden = Object.keys(seen).length < 2; // one gate has nothing to agree with
    follow();
  });
  setInterval(follow, 250);
})();
