// Draws each lap chart (`[data-chart]`) from the table in it, with uPlot, and again when its rows or the theme change.
"use strict";

(() => {
  // Line, dash and mark differ, so that colour is never the only cue; the same marks stand beside the names.
  const STYLES = [
    { colour: "--accent", dash: [], mark: "●" },
    { colour: "--purple", dash: [8, 4], mark: "◆" },
    { colour: "--green", dash: [2, 4], mark: "▲" },
    { colour: "--yellow", dash: [12, 4, 2, 4], mark: "■" },
    { colour: "--text", dash: [4, 8], mark: "▼" },
    { colour: "--text-soft", dash: [], mark: "○" },
  ];
  const drawn = new WeakMap(); // figure to what was drawn: its text, and the chart

  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function seconds(value) {
    const minutes = Math.floor(value / 60);
    const rest = value - 60 * minutes;
    return minutes ? `${minutes}:${rest.toFixed(1).padStart(4, "0")}` : rest.toFixed(1);
  }

  function read(figure) {
    const runs = [...figure.querySelectorAll("tbody")].map((group) => ({
      racer: group.querySelector(".chart-racer").textContent,
      laps: new Map([...group.querySelectorAll("[data-lap]")].map((each) => [Number(each.dataset.lap), each.dataset.ms])),
    }));
    const numbers = [...new Set(runs.flatMap(({ laps }) => [...laps.keys()]))].sort((one, other) => one - other);
    for (const run of runs) run.times = numbers.map((number) => (run.laps.get(number) ? Number(run.laps.get(number)) / 1000 : null));
    return { numbers, runs };
  }

  function mark(figure) {
    figure.querySelectorAll(".series-mark").forEach((place, number) => {
      const style = STYLES[number % STYLES.length];
      place.textContent = style.mark;
      place.style.color = token(style.colour);
    });
  }

  function series(run, number) {
    const style = STYLES[number % STYLES.length];
    const colour = token(style.colour);
    return {
      label: run.racer,
      stroke: colour,
      width: 2,
      dash: style.dash,
      spanGaps: false,
      points: { show: true, size: 7, stroke: colour, fill: token("--ground") },
    };
  }

  function draw(figure) {
    const { numbers, runs } = read(figure);
    const plot = figure.querySelector(".plot");
    const before = drawn.get(figure);
    const key = JSON.stringify([numbers, runs.map(({ times }) => times), token("--ground"), plot.clientWidth, plot.clientHeight]);
    mark(figure);
    if (before?.key === key) return;
    before?.chart?.destroy();
    plot.hidden = runs.length === 0;
    if (runs.length === 0 || plot.clientWidth < 60) return void drawn.set(figure, { key, chart: null });
    const soft = token("--text-soft");
    const font = `${getComputedStyle(plot).fontSize} ${token("--sans")}`;
    const axis = { stroke: soft, font, grid: { stroke: token("--line"), width: 1 }, ticks: { show: false } };
    const options = {
      width: plot.clientWidth,
      height: plot.clientHeight,
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { time: false, range: (_, low, high) => [low - 0.5, high + 0.5] } },
      axes: [
        { ...axis, incrs: [1, 2, 5, 10, 20, 50], values: (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? tick : "")) },
        { ...axis, size: 64, incrs: [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600], values: (_, ticks) => ticks.map(seconds) },
      ],
      series: [{}, ...runs.map(series)],
    };
    const chart = new uPlot(options, [numbers, ...runs.map((run) => run.times)], plot);
    drawn.set(figure, { key, chart });
  }

  const drawAll = () => document.querySelectorAll("[data-chart]").forEach(draw);
  const resized = new ResizeObserver(drawAll);
  document.querySelectorAll(".lap-chart>.plot").forEach((plot) => resized.observe(plot));
  document.addEventListener("raceday", drawAll);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  drawAll();
})();
