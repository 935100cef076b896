// One event stream for all tabs of a browser that show the same page. A browser opens at most six connections to a
// machine, over all tabs: with a stream in each, the seventh tab would not load, and no command could be sent.
// One tab, the leader, holds the stream and forwards each event (BroadcastChannel); when it closes, another takes over.
"use strict";

// `events`: the names to listen to. `merge(snapshot, name, data)`: the snapshot that a tab opened later gets first.
// `onMessage(name, data, age_ms)`: an event, and its age if another tab stored it. `onLost()`: the stream broke; it is
// reopened here.
const sharedStream = ({ address, events, merge, onMessage, onLost }) => {
  const LEAD_EVERY_MS = 400; // how often the leader announces itself; a hidden tab manages once a second
  const LEADER_GONE_MS = 1800; // without an announcement for this long, another tab takes over
  const SPREAD_MS = 600; // so that tabs do not all take over at the same moment
  const JOIN_MS = 120; // how long a new tab waits for a leader to answer
  const REOPEN_MS = 5000; // a stream without an event for this long is reopened
  const REFUSED_MS = 2000;
  const me = { since: Date.now(), id: Math.random() };
  const channel = "BroadcastChannel" in window ? new BroadcastChannel(`raceday ${address}`) : null;
  let source = null;
  let snapshot = null; // what the page shows, if this tab leads or got it from the leader
  let opened_ms = 0;
  let event_ms = 0; // when the newest event arrived
  let leader_ms = performance.now(); // when the leader was last active
  let takeover_ms = LEADER_GONE_MS;

  const isLeader = () => source !== null;
  const isOlder = (other) => other.since < me.since || (other.since === me.since && other.id < me.id);
  const post = (message) => channel?.postMessage({ ...message, from: me });

  function deliver(name, data, age_ms = 0) {
    event_ms = performance.now() - age_ms;
    snapshot = merge(snapshot, name, data);
    onMessage(name, data, age_ms);
  }

  function open() {
    source?.close();
    source = new EventSource(address);
    opened_ms = performance.now();
    post({ kind: "lead" });
    for (const name of events) {
      source.addEventListener(name, (message) => {
        const data = JSON.parse(message.data);
        deliver(name, data);
        post({ kind: "event", name, data });
      });
    }
    source.onerror = () => {
      onLost();
      post({ kind: "lost" });
    };
  }

  function close() {
    source?.close();
    source = null;
  }

  function onChannelMessage(message) {
    // Two tabs lead: the older one stays.
    if (isLeader() && (message.kind === "lead" || message.kind === "event")) {
      if (!isOlder(message.from)) return post({ kind: "lead" });
      close();
    }
    if (isLeader()) {
      if (message.kind === "hello") post({ kind: "lead", snapshot, age_ms: performance.now() - event_ms, to: message.from.id });
      return undefined;
    }
    if (message.kind === "bye") return join(Math.random() * JOIN_MS);
    if (message.kind === "hello") return undefined;
    leader_ms = performance.now();
    takeover_ms = LEADER_GONE_MS + Math.random() * SPREAD_MS;
    if (message.kind === "lost") onLost();
    if (message.kind === "lead" && message.to === me.id && message.snapshot) deliver(events[0], message.snapshot, message.age_ms);
    else if (message.kind === "lead" && !message.to && snapshot === null) post({ kind: "hello" });
    // A tab opened in between ignores changes until it has a snapshot.
    if (message.kind === "event" && (snapshot !== null || message.data.whole)) deliver(message.name, message.data);
    return undefined;
  }

  // In `wait_ms` this tab leads, unless another tab announces itself first.
  function join(wait_ms) {
    const joined_ms = performance.now();
    post({ kind: "hello" });
    setTimeout(() => {
      if (!isLeader() && leader_ms < joined_ms) open();
    }, wait_ms);
  }

  function leave() {
    if (isLeader()) post({ kind: "bye" });
    close();
  }

  function check() {
    const now_ms = performance.now();
    if (!isLeader()) {
      if (now_ms - leader_ms > takeover_ms) open();
      return;
    }
    post({ kind: "lead" });
    const refused = source.readyState === EventSource.CLOSED;
    if ((refused && now_ms - opened_ms > REFUSED_MS) || (silence.isSilent() && now_ms - opened_ms > REOPEN_MS)) open();
  }

  if (channel === null) {
    open();
  } else {
    leader_ms = -Infinity;
    channel.onmessage = (message) => onChannelMessage(message.data);
    join(JOIN_MS);
  }
  setInterval(check, LEAD_EVERY_MS);
  // A page that is put aside and may return (the back button, a frozen tab) hands the stream to another tab.
  window.addEventListener("pagehide", leave);
  document.addEventListener("freeze", leave);
  const rejoin = () => channel && join(JOIN_MS);
  window.addEventListener("pageshow", (shown) => shown.persisted && rejoin());
  document.addEventListener("resume", rejoin);
};
