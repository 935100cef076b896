// One event stream for all tabs of a browser that show the same page. A browser opens six connections to a machine,
// over all tabs: with a stream in each, the seventh tab could not even be loaded, and no order would get out.
// One tab holds the stream and hands each word on (BroadcastChannel); when it goes, another takes its place.
"use strict";

// `events`: the names that are listened to. `merge(whole, name, data)`: what a tab that comes later is told first.
// `hear(name, data, age_ms)`: a word, and how old it is where another tab kept it. `lost()`: the stream broke off; it is opened again from here.
const sharedStream = ({ address, events, merge, hear, lost }) => {
  const LEAD_MS = 400; // so often says who holds the stream that it does; a hidden tab says it once a second
  const GONE_MS = 1800; // after so long without a word another tab takes over
  const SPREAD_MS = 600; // not all at the same moment
  const ASK_MS = 120; // a new tab waits so long for one that holds it already
  const AGAIN_MS = 5000; // a connection without an event for so long is opened again
  const REFUSED_MS = 2000;
  const me = { since: Date.now(), id: Math.random() };
  const line = "BroadcastChannel" in window ? new BroadcastChannel(`raceday ${address}`) : null;
  let source = null;
  let whole = null; // what the page shows, if this tab holds the stream or was told
  let opened_ms = 0;
  let word_ms = 0; // when the newest word came
  let told_ms = performance.now();
  let patience_ms = GONE_MS;

  const leads = () => source !== null;
  const before = (other) => other.since < me.since || (other.since === me.since && other.id < me.id);
  const say = (word) => line?.postMessage({ ...word, from: me });

  function take(name, data, age_ms = 0) {
    word_ms = performance.now() - age_ms;
    whole = merge(whole, name, data);
    hear(name, data, age_ms);
  }

  function open() {
    source?.close();
    source = new EventSource(address);
    opened_ms = performance.now();
    say({ kind: "lead" });
    for (const name of events) {
      source.addEventListener(name, (message) => {
        const data = JSON.parse(message.data);
        take(name, data);
        say({ kind: "word", name, data });
      });
    }
    source.onerror = () => {
      lost();
      say({ kind: "lost" });
    };
  }

  function yieldTo() {
    source?.close();
    source = null;
  }

  function told(word) {
    // Two hold it: the older one keeps it.
    if (leads() && (word.kind === "lead" || word.kind === "word")) {
      if (!before(word.from)) return say({ kind: "lead" });
      yieldTo();
    }
    if (leads()) {
      if (word.kind === "hello") say({ kind: "lead", whole, age_ms: performance.now() - word_ms, to: word.from.id });
      return undefined;
    }
    if (word.kind === "bye") return join(Math.random() * ASK_MS);
    if (word.kind === "hello") return undefined;
    told_ms = performance.now();
    patience_ms = GONE_MS + Math.random() * SPREAD_MS;
    if (word.kind === "lost") lost();
    if (word.kind === "lead" && word.to === me.id && word.whole) take(events[0], word.whole, word.age_ms);
    else if (word.kind === "lead" && !word.to && whole === null) say({ kind: "hello" });
    // Who came in between waits for all before the changes.
    if (word.kind === "word" && (whole !== null || word.data.whole)) take(word.name, word.data);
    return undefined;
  }

  // In `wait_ms` this tab holds the stream, if no other says before that it does.
  function join(wait_ms) {
    const asked_ms = performance.now();
    say({ kind: "hello" });
    setTimeout(() => {
      if (!leads() && told_ms < asked_ms) open();
    }, wait_ms);
  }

  function leave() {
    if (leads()) say({ kind: "bye" });
    yieldTo();
  }

  function look() {
    const now_ms = performance.now();
    if (!leads()) {
      if (now_ms - told_ms > patience_ms) open();
      return;
    }
    say({ kind: "lead" });
    const refused = source.readyState === EventSource.CLOSED;
    if ((refused && now_ms - opened_ms > REFUSED_MS) || (silence.on() && now_ms - opened_ms > AGAIN_MS)) open();
  }

  if (line === null) {
    open();
  } else {
    told_ms = -Infinity;
    line.onmessage = (message) => told(message.data);
    join(ASK_MS);
  }
  setInterval(look, LEAD_MS);
  // A page that is put aside and may come back (the back button, a frozen tab) lets another one have the stream.
  window.addEventListener("pagehide", leave);
  document.addEventListener("freeze", leave);
  const back = () => line && join(ASK_MS);
  window.addEventListener("pageshow", (shown) => shown.persisted && back());
  document.addEventListener("resume", back);
};
