// The replay: moves the cars along what was driven, by the clock or by the slider.
(() => {
  "use strict";

  const root = document.querySelector("[data-replay]");
  if (!root) return;
  const [controls, slider, clock, play, pace] = ["controls", "time", "clock", "play", "pace"].map((name) => root.querySelector(`[data-${name}]`));
  const gap = root.querySelector("[data-gap]");
  const ahead = root.querySelector("[data-ahead]");
  // Who asked for less motion sees steps of half a second.
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const STEP_MS = 500;
  let cars = [];
  let companions = [];
  // Of a heat that somebody drove to its end: how far that is, whose car was there first, and the gap of B to A there.
  let finish = null;
  const marks = [...root.querySelectorAll("[data-companion]")];
  let at_ms = 0;
  let before_ms = null;

  // The last frame that is not after `ms`, by halving.
  function frameAt(car, ms) {
    let [low, high] = [0, car.times.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (car.times[middle] <= ms) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  function stateAt(car, ms) {
    const frame = frameAt(car, ms);
    const next = Math.min(frame + 1, car.times.length - 1);
    const span_ms = car.times[next] - car.times[frame];
    // A car that is put back does not drive there.
    const part = span_ms > 0 && !car.jumps.includes(next) ? Math.min(1, Math.max(0, (ms - car.times[frame]) / span_ms)) : 0;
    const between = (values) => values[frame] + part * (values[next] - values[frame]);
    return { between, x: between(car.x), y: between(car.y), speed: car.speeds[part > 0 ? next : frame], progress: between(car.progress) };
  }

  // When a car had come so far for the first time.
  function timeOf(car, progress) {
    const frame = car.progress.findIndex((each) => each >= progress);
    if (frame < 0) return null;
    if (frame === 0) return car.times[0];
    const part = (progress - car.progress[frame - 1]) / (car.progress[frame] - car.progress[frame - 1]);
    return car.times[frame - 1] + part * (car.times[frame] - car.times[frame - 1]);
  }

  // How far a car has come in what decides: beyond the finish is nothing.
  const counted = (state) => (finish ? Math.min(state.progress, finish.progress) : state.progress);

  // The car in front; none while both stand before the line or are level.
  function leader(states) {
    const [first, second] = states.map(counted);
    if (first !== second) return cars[first > second ? 0 : 1];
    return finish && first === finish.progress ? cars.find((car) => car.letter === finish.letter) : null;
  }

  // By how much the second car comes later where it is now; null before its line, and where the first never came.
  function gapOf(states) {
    const progress = counted(states[1]);
    if (progress === 0 || at_ms === 0) return null;
    if (finish && states.every((state) => counted(state) === finish.progress)) return finish.gap;
    const first_ms = timeOf(cars[0], progress);
    // A car that is through goes on to wait while the other one drives.
    const through_ms = (finish ? timeOf(cars[1], finish.progress) : null) ?? cars[1].times.at(-1);
    return first_ms === null ? null : Math.min(at_ms, through_ms) - first_ms;
  }

  function show() {
    const states = cars.map((car) => stateAt(car, at_ms));
    cars.forEach((car, index) => {
      const { x, y, speed } = states[index];
      root.querySelector(`[data-car="${car.letter}"]`).setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
      root.querySelector(`[data-speed="${car.letter}"]`).textContent = (speed / 1000).toFixed(2);
    });
    companions.forEach(({ x, y }, index) => {
      marks[index].setAttribute("transform", `translate(${states[0].between(x).toFixed(1)} ${states[0].between(y).toFixed(1)})`);
    });
    const seconds = (at_ms / 1000).toFixed(1);
    clock.textContent = seconds;
    slider.value = at_ms;
    slider.setAttribute("aria-valuetext", t("{seconds} s", { seconds }));
    if (ahead) {
      const car = leader(states);
      ahead.textContent = car ? `${car.letter} · ${car.racer}` : "–";
    }
    if (!gap) return;
    const ms = gapOf(states);
    gap.textContent = ms === null ? "–" : `${ms >= 0 ? "+" : "−"}${(Math.abs(ms) / 1000).toFixed(2)}`;
  }

  const runs = () => before_ms !== null;

  function stop() {
    before_ms = null;
    play.textContent = t("Play");
  }

  function tick(now_ms) {
    if (!runs()) return;
    const passed_ms = (now_ms - before_ms) * Number(pace.value);
    if (!still.matches || passed_ms >= STEP_MS) {
      at_ms = Math.min(Number(slider.max), at_ms + passed_ms);
      before_ms = now_ms;
      show();
    }
    if (at_ms >= Number(slider.max)) stop();
    else requestAnimationFrame(tick);
  }

  play.addEventListener("click", () => {
    if (runs()) return stop();
    if (at_ms >= Number(slider.max)) at_ms = 0;
    before_ms = performance.now();
    play.textContent = t("Pause");
    requestAnimationFrame(tick);
  });

  slider.addEventListener("input", () => {
    at_ms = Number(slider.value);
    show();
  });

  fetch(root.dataset.replay, { headers: { accept: "application/json" } })
    .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(String(answer.status)))))
    .then((data) => {
      cars = data.cars;
      companions = data.companions;
      finish = data.finish ?? null;
      // Each car begins where its line was crossed: nothing is shown of before.
      slider.max = String(Math.ceil(Math.max(...cars.map((car) => car.times.at(-1))) / 100) * 100);
      controls.hidden = false;
      show();
      root.dataset.ready = "true";
    })
    .catch(() => {
      // The still picture is there; say that it does not move.
      const note = document.createElement("p");
      note.setAttribute("role", "status");
      note.textContent = t("The replay cannot be loaded: load the page again.");
      root.prepend(note);
    });
})();
