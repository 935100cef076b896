// A tab's side of the browser's one event stream (stream_hub.js). The stream is held by a shared worker; where there is
// none, one of the tabs holds it, and another takes over when that one closes. Web Locks would choose that tab too, but
// they exist only on pages that came over TLS or from this machine itself.
"use strict";

// A script of the page that listens for what the stream brings may arrive after its first message, over bad Wi-Fi.
// Returns a function that dispatches `name` with a detail, but not before all scripts are there; until then
// `both(before, change)` makes one detail of two.
const toldToAllScripts = (name, both) => {
  const tell = (detail) => document.dispatchEvent(new CustomEvent(name, { detail }));
  let whole = false;
  let untold = null;
  document.addEventListener("DOMContentLoaded", () => {
    whole = true;
    if (untold !== null) tell(untold);
  });
  return (detail) => {
    if (whole) tell(detail);
    else untold = untold === null ? detail : both(untold, detail);
  };
};

// `address`: of the stream; `topics`: what this tab shows. `onMessage(name, data, age_ms)`: an event "update" or
// "heartbeat", and how old it is if another tab got it first. `onLost()`: the stream broke; it is reopened by the hub.
// `onDenied()`: the machine gives this browser a topic of the tab no longer: nobody is signed in any more.
const sharedStream = ({ address, topics = [], onMessage, onLost, onDenied = () => {} }) => {
  const CHECK_EVERY_MS = 1000;
  const MISSES = 3; // checks in a row without a word from the worker, after which another worker is started
  const WORKERS = 3; // how many are tried
  const SCRIPT = [...document.scripts].find((script) => script.src.includes("/stream_hub.js")).src;
  const id = `${Date.now()} ${Math.random()}`; // the older tab has the smaller one
  const whole = new Set(); // topics that this tab shows already

  function receive({ kind, name, data, age_ms, topics: denied }) {
    if (kind === "lost") return onLost();
    if (kind === "denied") return denied.some((topic) => topics.includes(topic)) ? onDenied() : undefined;
    if (kind !== "event") return undefined;
    if (name !== "update") return onMessage(name, data, age_ms);
    const mine = Object.entries(data.topics).filter(
      ([topic, change]) => (topics.length === 0 || topics.includes(topic)) && (change.whole || whole.has(topic)),
    );
    for (const [topic] of mine) whole.add(topic);
    return onMessage(name, { ...data, topics: Object.fromEntries(mine) }, age_ms);
  }

  // The first worker that answers serves; one that is silent is left alone, and the next has another name.
  function overWorker(number) {
    let misses = 0;
    let worker = null;
    try {
      worker = new SharedWorker(SCRIPT, { name: `${address}#${number}` });
    } catch {
      return overChannel(); // workers may be forbidden in this browser
    }
    const { port } = worker;
    const join = () => port.postMessage({ kind: "join", id, topics });
    const stop = () => {
      clearInterval(timer);
      port.onmessage = null;
      port.postMessage({ kind: "leave", id });
    };
    const next = () => {
      stop();
      return number + 1 < WORKERS ? overWorker(number + 1) : overChannel();
    };
    const timer = setInterval(() => {
      if (++misses > MISSES) next();
    }, CHECK_EVERY_MS);
    port.onmessage = ({ data }) => {
      misses = 0;
      if (data.kind === "alive") port.postMessage({ kind: "here", id });
      receive(data);
    };
    worker.onerror = next;
    join();
    atEnd(() => port.postMessage({ kind: "leave", id }), join);
    return undefined;
  }

  // Without a shared worker: the oldest tab leads. It holds the hub and announces itself; tabs that miss it take over.
  function overChannel() {
    const LEAD_EVERY_MS = 400; // a hidden tab manages once a second
    const LEADER_GONE_MS = 1800;
    const SPREAD_MS = 600; // so that tabs do not all take over at the same moment
    const JOIN_MS = 120; // how long a new tab waits for a leader to answer
    const channel = "BroadcastChannel" in window ? new BroadcastChannel(`raceday ${address}`) : null;
    let hub = null;
    let leader = "";
    let leader_ms = performance.now();
    let gone_ms = LEADER_GONE_MS;
    const post = (message) => channel?.postMessage({ ...message, from: id });

    function lead() {
      const broadcast = (message) => {
        post({ kind: "hub", message });
        receive(message);
      };
      const send = (to, message) => (to === id ? receive(message) : post({ kind: "hub", to, message }));
      leader = id;
      hub = streamHub({ address, broadcast, send });
      hub.join(id, topics);
      post({ kind: "lead" });
    }

    function follow(other) {
      hub?.end();
      hub = null;
      leader_ms = performance.now();
      gone_ms = LEADER_GONE_MS + Math.random() * SPREAD_MS;
      if (leader === other) return;
      leader = other;
      post({ kind: "join", topics });
    }

    function join(wait_ms) {
      const asked_ms = performance.now();
      leader = "";
      post({ kind: "hello" });
      setTimeout(() => {
        if (hub === null && (leader === "" || leader_ms < asked_ms)) lead();
      }, wait_ms);
    }

    function onChannelMessage({ kind, from, to, message, topics: theirs }) {
      if (hub !== null) {
        if (kind === "hello") return post({ kind: "lead" });
        if (kind === "join") return hub.join(from, theirs);
        if (kind === "bye") return hub.leave(from);
        if (from > id) return post({ kind: "lead" }); // two tabs lead: the older one stays
      }
      if (kind === "lead") return follow(from);
      if (kind === "bye" && from === leader) return join(Math.random() * JOIN_MS);
      if (kind !== "hub") return undefined;
      if (from !== leader) return follow(from);
      leader_ms = performance.now();
      return to === undefined || to === id ? receive(message) : undefined;
    }

    if (channel === null) return lead();
    channel.onmessage = ({ data }) => onChannelMessage(data);
    setInterval(() => {
      if (hub !== null) post({ kind: "lead" });
      else if (performance.now() - leader_ms > gone_ms) lead();
    }, LEAD_EVERY_MS);
    const leave = () => {
      post({ kind: "bye" });
      hub?.end();
      hub = null;
    };
    atEnd(leave, () => join(JOIN_MS));
    return join(JOIN_MS);
  }

  // A page that is put aside and may return (the back button, a frozen tab) leaves, and joins again.
  function atEnd(leave, again) {
    window.addEventListener("pagehide", leave);
    document.addEventListener("freeze", leave);
    window.addEventListener("pageshow", (shown) => shown.persisted && again());
    document.addEventListener("resume", again);
  }

  if ("SharedWorker" in window) overWorker(0);
  else overChannel();
};
