// What this screen sounds: the station's announcements as speech or tones, and the tones of a start. Off unless a person,
// or the list of screens, turned it on. What is announced, and when, the station has decided (topic "sound").
"use strict";

const sound = (() => {
  const STORED = "raceday-sound";
  const MODES = ["none", "tones", "voice"];
  const LATE_MS = { lap: 4000, own_best: 6000, best: 10000 }; // of the station's clock; an older one is not spoken
  const LATEST_MS = 15000;
  const LONGEST_MS = 15000; // of one sentence: a voice that never ends must not silence the rest
  const MAX_WAITING = 6;
  const LIGHT_MS = 1000;
  const LIGHTS = 5;
  const VOLUME = 0.25;
  // Each tone: frequency in Hz, length in ms, one after the other.
  const TONES = {
    lap: [[880, 90]],
    own_best: [[880, 90], [1175, 140]],
    best: [[880, 90], [1175, 90], [1568, 220]],
    leader: [[1047, 110], [1319, 110], [1568, 260]],
    next: [[660, 140], [880, 140]],
    time_up: [[620, 200], [620, 200]],
    end: [[784, 130], [523, 280]],
    correction: [[440, 150], [330, 260]],
    false_start: [[330, 200], [330, 200], [330, 320]],
    pause: [[523, 160], [440, 260]],
    light: [[784, 160]],
    go: [[1568, 700]],
  };
  const language = document.documentElement.lang || "en";
  const panel = document.getElementById("sound");
  let mode = document.body.dataset.sound ?? stored() ?? "none";
  let context = null;
  let stationLanguages = null; // those that the station can speak; null: not asked yet
  let newest = null; // the number of the newest announcement that was handled
  let begun = null; // the start whose tones are scheduled
  let scheduled = [];
  let waiting = [];
  let speaking = false;

  function stored() {
    try {
      const value = localStorage.getItem(STORED);
      return MODES.includes(value) ? value : null;
    } catch {
      return null; // storage may be forbidden: then the choice lasts as long as the page
    }
  }

  function choose(chosen, remember = true) {
    if (!MODES.includes(chosen)) return;
    mode = chosen;
    if (remember) {
      try {
        localStorage.setItem(STORED, mode);
      } catch {
        // as above
      }
    }
    if (mode !== "voice") {
      waiting = [];
      window.speechSynthesis?.cancel();
    }
    if (mode === "none") cancelStart();
    if (mode === "voice") askStation();
    if (mode !== "none") audio();
    describe();
  }

  // Browsers play nothing before a person has touched the page; a kiosk can be started so that they do.
  function audio() {
    context ??= new AudioContext();
    if (context.state === "suspended") context.resume().then(describe, () => {});
    return context;
  }

  function tone(kind, at_s = audio().currentTime) {
    const made = [];
    let begin_s = at_s;
    for (const [hertz, length_ms] of TONES[kind] ?? []) {
      const oscillator = audio().createOscillator();
      const gain = audio().createGain();
      const end_s = begin_s + length_ms / 1000;
      oscillator.frequency.value = hertz;
      gain.gain.setValueAtTime(0, begin_s);
      gain.gain.linearRampToValueAtTime(VOLUME, begin_s + 0.01);
      gain.gain.setValueAtTime(VOLUME, end_s - 0.02);
      gain.gain.linearRampToValueAtTime(0, end_s);
      oscillator.connect(gain).connect(audio().destination);
      oscillator.start(begin_s);
      oscillator.stop(end_s);
      made.push(oscillator);
      begin_s = end_s;
    }
    return made;
  }

  // Only voices of this machine: one from a network would send names away, and be silent in a hall without internet.
  function ownVoice() {
    const voices = window.speechSynthesis?.getVoices() ?? [];
    return voices.find((voice) => voice.localService && voice.lang.toLowerCase().startsWith(language));
  }

  function engine() {
    if (ownVoice()) return "browser";
    return stationLanguages?.includes(language) ? "station" : "none";
  }

  async function askStation() {
    if (stationLanguages !== null) return;
    stationLanguages = [];
    try {
      const answer = await fetch("/api/v1/sound");
      if (answer.ok) stationLanguages = (await answer.json()).languages;
    } catch {
      stationLanguages = null; // the station is away; it is asked again with the next sentence
    }
    describe();
  }

  async function speak({ number, pronounced }) {
    await askStation();
    const voice = ownVoice();
    if (voice) return speakHere(pronounced, voice);
    return engine() === "station" ? playFromStation(number) : undefined;
  }

  function speakHere(sentence, voice) {
    return new Promise((done) => {
      const utterance = new SpeechSynthesisUtterance(sentence);
      utterance.voice = voice;
      utterance.lang = voice.lang;
      utterance.onend = utterance.onerror = done;
      setTimeout(done, LONGEST_MS);
      window.speechSynthesis.speak(utterance);
    });
  }

  async function playFromStation(number) {
    const answer = await fetch(`/api/v1/speech/${number}.wav?lang=${language}`);
    if (!answer.ok) return undefined;
    const buffer = await audio().decodeAudioData(await answer.arrayBuffer());
    return new Promise((done) => {
      const source = audio().createBufferSource();
      source.buffer = buffer;
      source.connect(audio().destination);
      source.onended = done;
      setTimeout(done, LONGEST_MS);
      source.start();
    });
  }

  function isLate({ kind, at_ms }) {
    return stationClock.known() && stationClock.now(performance.now()) - at_ms > (LATE_MS[kind] ?? LATEST_MS);
  }

  async function speakNext() {
    if (speaking) return;
    speaking = true;
    while (waiting.length) {
      const each = waiting.shift();
      if (isLate(each)) continue;
      showSaid(each.sentence);
      try {
        await speak(each);
      } catch {
        showSaid(t("Not spoken: the station did not answer."));
      }
    }
    speaking = false;
  }

  function announce(each) {
    if (isLate(each)) return;
    if (!(each.kind === "go" && begun !== null)) tone(each.kind); // a start by lights has sounded its own
    if (mode !== "voice" || !each.spoken) return;
    waiting.push(each);
    while (waiting.length > MAX_WAITING) waiting.splice(Math.max(0, waiting.findIndex(({ kind }) => kind === "lap")), 1);
    speakNext();
  }

  function handle(announcements, whole) {
    const last = announcements.at(-1)?.number ?? 0;
    if (newest === null || last < newest) newest = whole ? last : 0; // what a page finds when it opens is over
    const fresh = announcements.filter(({ number }) => number > newest);
    newest = Math.max(newest, last);
    if (mode !== "none") fresh.forEach(announce);
  }

  function cancelStart() {
    scheduled.forEach((oscillator) => oscillator.stop());
    scheduled = [];
    begun = null;
  }

  // The tones of the five lights and of GO sound at the same instants as the lights of pages and LEDs.
  function scheduleStart(start) {
    const key = start && `${start.begun_ms} ${start.go_ms}`;
    if (key === begun || (start === null && begun === null)) return;
    const over = start === null && stationClock.now(performance.now()) >= Number(begun.split(" ")[1]) - 50;
    if (!over) cancelStart();
    if (start === null || mode === "none") {
      if (over) setTimeout(cancelStart, 1500);
      return;
    }
    begun = key;
    const now_ms = stationClock.now(performance.now());
    const at = (then_ms) => audio().currentTime + (then_ms - now_ms) / 1000 / stationClock.rate();
    const lights = Array.from({ length: LIGHTS }, (_, number) => start.begun_ms + number * LIGHT_MS);
    for (const light_ms of lights) if (light_ms > now_ms && light_ms < start.go_ms) scheduled.push(...tone("light", at(light_ms)));
    if (start.go_ms > now_ms) scheduled.push(...tone("go", at(start.go_ms)));
  }

  function showSaid(text) {
    const said = document.getElementById("sound-said");
    if (said) said.textContent = text;
  }

  // The panel says which mode is on, which engine speaks, and what is missing.
  function describe() {
    if (!panel) return;
    for (const choice of panel.querySelectorAll("[name=sound-mode]")) choice.checked = choice.value === mode;
    const words = document.getElementById("sound-engine");
    words.textContent = engineWords();
    words.dataset.engine = engine();
    document.getElementById("sound-blocked").hidden = mode === "none" || context === null || context.state !== "suspended";
  }

  function engineWords() {
    if (mode === "none") return t("This screen is silent.");
    if (mode === "tones") return t("Tones only.");
    const voice = ownVoice();
    if (voice) return t("This browser speaks, with the voice {name}.", { name: voice.name });
    if (stationLanguages === null) return t("Asking the station for a voice …");
    if (engine() === "station") return t("The station speaks (espeak-ng): this browser has no voice of its own in this language.");
    return t("No voice: this browser has none in this language, and espeak-ng is not installed at the station (apt install espeak-ng). Tones sound instead.");
  }

  function test() {
    tone("best");
    if (mode === "voice") speak({ number: "test", pronounced: t("This is the voice of race control.") }).catch(describe);
    describe();
  }

  document.addEventListener("raceday", ({ detail }) => {
    const topic = detail.sound;
    if (!topic) return;
    handle(topic.data.announcements, topic.whole);
    if (stationClock.known()) scheduleStart(topic.data.start);
  });
  // A screen on the list of screens is set from there.
  const observer = new MutationObserver(() => document.body.dataset.sound && choose(document.body.dataset.sound, false));
  observer.observe(document.body, { attributeFilter: ["data-sound"] });
  window.speechSynthesis?.addEventListener?.("voiceschanged", describe);
  for (const gesture of ["pointerdown", "keydown"]) {
    document.addEventListener(gesture, () => context?.state === "suspended" && audio(), { passive: true });
  }
  panel?.addEventListener("change", ({ target }) => target.name === "sound-mode" && choose(target.value));
  document.getElementById("sound-test")?.addEventListener("click", test);
  if (mode !== "none") audio();
  if (panel || mode === "voice") askStation();
  describe();
  return { choose, mode: () => mode, engine, test };
})();
