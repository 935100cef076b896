// Holds the one event stream of a browser, for all tabs: a browser opens at most six connections to a machine, so with a
// stream in each tab the seventh would not load. It runs as a shared worker, and where there is none, in one of the tabs
// (stream.js). Every tab names the topics that it shows; the stream carries the topics of all.
"use strict";

// `broadcast(message)`: to all tabs. `send(id, message)`: to one. Messages: `{kind: "event", name, data, age_ms}`,
// `{kind: "lost"}`, `{kind: "alive"}`, `{kind: "denied", topics}`: those that the machine gives this browser no longer. Data of the event "update": `{topics: {NAME: {whole, parts, rows, lists, data}}}`.
const streamHub = ({ address, broadcast, send }) => {
  const ALIVE_EVERY_MS = 500;
  const REOPEN_MS = 5000; // a stream without an event for this long is reopened
  const REFUSED_MS = 2000;
  const tabs = new Map(); // id to topics
  const snapshots = new Map(); // topic to all that a tab opened later must show
  let rest = null; // what the newest message held beside its topics: the clock
  let source = null;
  let carried = []; // the topics of the open stream
  let opened_ms = 0;
  let event_ms = 0; // when the newest event arrived

  // HTML that changed is sent as an edit of what this stream sent before: [place, tag or text, place, tag or text, ...].
  const PIECES = /<[^>]*>|[^<]+/g;

  function edited(before, change) {
    const pieces = before.match(PIECES);
    for (let n = 0; n < change.length; n += 2) pieces[change[n]] = change[n + 1];
    return pieces.join("");
  }

  function written(before, changes) {
    return Object.fromEntries(Object.entries(changes).map(([key, html]) => [key, typeof html === "string" ? html : edited(before[key], html)]));
  }

  // A list is sent whole, or as moves in the list that this stream sent before, done one after another: [from, to], to -1
  // for a key that is gone, and the key itself in place of `from` for a new one.
  function moved(before, { moves }) {
    const keys = [...before];
    for (const [what, to] of moves) {
      const key = typeof what === "string" ? what : keys.splice(what, 1)[0];
      if (to >= 0) keys.splice(to, 0, key);
    }
    return keys;
  }

  function listed(before, changes) {
    return Object.fromEntries(Object.entries(changes).map(([name, list]) => [name, Array.isArray(list) ? list : moved(before[name], list)]));
  }

  function complete(name, change) {
    const before = snapshots.get(name);
    if (change.whole || !before) return change;
    const { parts, rows, lists } = before;
    return { ...change, parts: written(parts, change.parts), rows: written(rows, change.rows), lists: listed(lists, change.lists) };
  }

  // A topic as a tab shows it, after one more change. Rows that are in no list any more are dropped.
  function merged(snapshot, change) {
    if (change.whole || !snapshot) return { ...change, whole: true };
    const lists = { ...snapshot.lists, ...change.lists };
    const listed = new Set(Object.values(lists).flat());
    const rows = Object.entries({ ...snapshot.rows, ...change.rows }).filter(([key]) => listed.has(key));
    return { ...snapshot, ...change, whole: true, parts: { ...snapshot.parts, ...change.parts }, rows: Object.fromEntries(rows), lists };
  }

  function onEvent(name, data) {
    event_ms = performance.now();
    if (name === "update") {
      const { topics, ...others } = data;
      for (const [topic, change] of Object.entries(topics)) topics[topic] = complete(topic, change);
      for (const [topic, change] of Object.entries(topics)) snapshots.set(topic, merged(snapshots.get(topic), change));
      rest = others;
    } else if (rest) {
      rest = { ...rest, clock: data };
    }
    broadcast({ kind: "event", name, data, age_ms: 0 });
  }

  function open() {
    source?.close();
    carried = [...new Set([...tabs.values()].flat())].sort();
    source = new EventSource(carried.length ? `${address}${address.includes("?") ? "&" : "?"}topics=${carried.map(encodeURIComponent)}` : address);
    opened_ms = performance.now();
    for (const name of ["update", "heartbeat"]) {
      source.addEventListener(name, (message) => onEvent(name, JSON.parse(message.data)));
    }
    source.addEventListener("denied", (message) => broadcast({ kind: "denied", topics: JSON.parse(message.data) }));
    source.onerror = () => broadcast({ kind: "lost" });
  }

  // A tab that joins again gets everything again.
  function join(id, topics) {
    tabs.set(id, topics);
    if (source === null || !topics.every((topic) => carried.includes(topic))) return open();
    const known = topics.length ? topics : [...snapshots.keys()];
    const found = known.filter((topic) => snapshots.has(topic)).map((topic) => [topic, snapshots.get(topic)]);
    if (!rest || !found.length) return undefined; // the first message of the open stream is still to come
    const data = { ...rest, topics: Object.fromEntries(found) };
    return send(id, { kind: "event", name: "update", data, age_ms: performance.now() - event_ms });
  }

  function leave(id) {
    tabs.delete(id);
    if (tabs.size === 0) close();
  }

  function close() {
    source?.close();
    source = null;
  }

  function check() {
    broadcast({ kind: "alive" });
    if (source === null) return;
    const now_ms = performance.now();
    const refused = source.readyState === EventSource.CLOSED && now_ms - opened_ms > REFUSED_MS;
    if (refused || now_ms - Math.max(event_ms, opened_ms) > REOPEN_MS) open();
  }

  const timer = setInterval(check, ALIVE_EVERY_MS);
  return {
    join,
    leave,
    end() {
      clearInterval(timer);
      close();
    },
  };
};

if ("SharedWorkerGlobalScope" in globalThis) {
  const TAB_GONE_MS = 60_000; // a tab that has not answered for this long crashed or is frozen; it may join again
  const ports = new Map(); // id to port, and when it last answered
  const post = (message) => ports.forEach(({ port }) => port.postMessage(message));
  const hub = streamHub({
    address: globalThis.name.split("#")[0],
    broadcast: post,
    send: (id, message) => ports.get(id)?.port.postMessage(message),
  });
  const leave = (id) => {
    ports.delete(id);
    hub.leave(id);
  };
  globalThis.onconnect = ({ ports: [port] }) => {
    port.onmessage = ({ data: { kind, id, topics } }) => {
      if (kind === "leave") return leave(id);
      ports.set(id, { port, answered_ms: performance.now() });
      return kind === "join" ? hub.join(id, topics) : undefined;
    };
  };
  setInterval(() => {
    for (const [id, { answered_ms }] of ports) if (performance.now() - answered_ms > TAB_GONE_MS) leave(id);
  }, TAB_GONE_MS / 4);
}
