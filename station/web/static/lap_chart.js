// Draws each lap chart (`[data-chart]`) from the laps in it, with uPlot, and again when they or the theme change. The
// chart of the big screen (`data-chart="hall"`) has larger marks, and each line's name at its end.
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
  // On the big screen colour says who is on the track and who leads; dashes and marks tell the lines apart.
  const HALL_COLOURS = { on: "--accent", lead: "--text", rest: "--text-soft" };
  const HALL_WIDTHS = { on: 3, lead: 2, rest: 1.25 };
  const SLOWEST_SHOWN = 1.35; // times the median: a lap with a crash must not flatten all others
  const drawn = new WeakMap(); // figure to what was drawn: its text, and the chart

  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const isHall = (figure) => figure.dataset.chart === "hall";

  function seconds(value) {
    const minutes = Math.floor(value / 60);
    const rest = value - 60 * minutes;
    return minutes ? `${minutes}:${rest.toFixed(1).padStart(4, "0")}` : rest.toFixed(1);
  }

  function read(figure) {
    const runs = [...figure.querySelectorAll("[data-series]")].map((group, number) => ({
      group,
      racer: group.querySelector(".chart-racer").textContent,
      style: { ...STYLES[number % STYLES.length], ...(isHall(figure) ? { colour: HALL_COLOURS[group.dataset.series], width: HALL_WIDTHS[group.dataset.series] } : {}) },
      laps: new Map([...group.querySelectorAll("[data-lap]")].map((each) => [Number(each.dataset.lap), each.dataset.ms])),
    }));
    const numbers = [...new Set(runs.flatMap(({ laps }) => [...laps.keys()]))].sort((one, other) => one - other);
    if (isHall(figure)) runs.reverse(); // who is on the track is drawn last, over the others
    for (const run of runs) run.times = numbers.map((number) => (run.laps.get(number) ? Number(run.laps.get(number)) / 1000 : null));
    return { numbers, runs };
  }

  function mark(runs) {
    for (const { group, style } of runs) {
      const place = group.querySelector(".series-mark");
      place.textContent = style.mark;
      place.style.color = token(style.colour);
    }
  }

  function series({ racer, style }, unit) {
    const colour = token(style.colour);
    return {
      label: racer,
      stroke: colour,
      width: (style.width ?? 2) * unit,
      dash: style.dash.map((length) => length * unit),
      spanGaps: false,
      points: unit > 1 ? { show: false } : { show: true, size: 7, stroke: colour, fill: token("--ground") },
    };
  }

  // Each lap of the big screen's chart has its line's mark, on a ground of its own so that lines do not cross it.
  function drawMarks(chart, runs, size) {
    const { ctx } = chart;
    ctx.save();
    ctx.beginPath();
    ctx.rect(chart.bbox.left - size, chart.bbox.top, chart.bbox.width + 2 * size, chart.bbox.height);
    ctx.clip();
    ctx.font = `${size}px ${token("--sans")}`;
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    ctx.lineWidth = size / 3;
    ctx.strokeStyle = token("--ground");
    runs.forEach(({ style, times }) => {
      ctx.fillStyle = token(style.colour);
      times.forEach((value, place) => {
        if (value === null) return;
        const x = chart.valToPos(chart.data[0][place], "x", true);
        const y = chart.valToPos(value, "y", true);
        ctx.strokeText(style.mark, x, y);
        ctx.fillText(style.mark, x, y);
      });
    });
    ctx.restore();
  }

  // Names stand where their lines end, and make room for each other.
  function placeLabels(figure, chart, runs) {
    const labels = runs.map(({ group, times }) => {
      const last = times.findLast((value) => value !== null);
      const height = group.offsetHeight;
      const end = last === undefined ? chart.over.clientHeight : chart.valToPos(last, "y");
      return { group, height, top: Math.max(0, end + chart.over.offsetTop - height / 2) };
    });
    labels.sort((one, other) => one.top - other.top);
    let free = 0;
    for (const label of labels) free = (label.top = Math.max(label.top, free)) + label.height;
    let limit = figure.clientHeight;
    for (const label of labels.reverse()) limit = label.top = Math.max(0, Math.min(label.top, limit - label.height));
    for (const { group, top } of labels) group.style.top = `${Math.round(top)}px`;
    figure.classList.add("placed");
  }

  function heights(runs) {
    const all = runs.flatMap(({ times }) => times.filter((value) => value !== null)).sort((one, other) => one - other);
    return (_, low, high) => {
      if (!all.length) return [0, 10];
      const top = Math.min(high, SLOWEST_SHOWN * all[Math.floor(all.length / 2)]);
      const room = Math.max(0.1, (top - low) * 0.12);
      return [low - room, top + room];
    };
  }

  function options(figure, plot, runs) {
    const hall = isHall(figure);
    const size = Number.parseFloat(getComputedStyle(plot).fontSize);
    const unit = hall ? Math.max(1, plot.clientHeight / 320) : 1;
    const font = `${size}px ${token("--sans")}`;
    const axis = { stroke: token("--text-soft"), font, grid: { stroke: token("--line"), width: 1 }, ticks: { show: false } };
    const wide = hall ? { size: 2 * size } : {};
    const hooks = hall ? { draw: [(chart) => drawMarks(chart, runs, size * devicePixelRatio), (chart) => placeLabels(figure, chart, runs)] } : {};
    return {
      width: plot.clientWidth,
      height: plot.clientHeight,
      legend: { show: false },
      cursor: { show: false },
      hooks,
      scales: { x: { time: false, range: (_, low, high) => [low - 0.5, high + 0.5] }, ...(hall ? { y: { range: heights(runs) } } : {}) },
      axes: [
        { ...axis, ...wide, incrs: [1, 2, 5, 10, 20, 50], values: (_, ticks) => ticks.map((tick) => (Number.isInteger(tick) ? tick : "")) },
        { ...axis, size: hall ? 4 * size : 64, ...(hall ? { space: 3 * size } : {}), incrs: [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600], values: (_, ticks) => ticks.map(seconds) },
      ],
      series: [{}, ...runs.map((run) => series(run, unit))],
    };
  }

  function draw(figure) {
    const { numbers, runs } = read(figure);
    const plot = figure.querySelector(".plot");
    const before = drawn.get(figure);
    const key = JSON.stringify([numbers, runs.map(({ times }) => times), token("--ground"), plot.clientWidth, plot.clientHeight]);
    mark(runs);
    if (before?.key === key) {
      if (before.chart && isHall(figure)) placeLabels(figure, before.chart, runs); // they are new elements
      return;
    }
    before?.chart?.destroy();
    plot.hidden = runs.length === 0;
    if (runs.length === 0 || plot.clientWidth < 60 || plot.clientHeight < 60) return void drawn.set(figure, { key, chart: null });
    const chart = new uPlot(options(figure, plot, runs), [numbers, ...runs.map((run) => run.times)], plot);
    drawn.set(figure, { key, chart });
  }

  const drawAll = () => document.querySelectorAll("[data-chart]").forEach(draw);
  const resized = new ResizeObserver(drawAll);
  document.querySelectorAll("[data-chart]>.plot").forEach((plot) => resized.observe(plot));
  // To draw is to measure: an update of something else leaves the charts alone.
  document.addEventListener("raceday", ({ detail }) => {
    const changed = Object.values(detail).flatMap(({ parts, rows, lists }) => Object.keys({ ...parts, ...rows, ...lists }));
    const figures = new Set(changed.map((id) => document.getElementById(id)?.closest("[data-chart]")));
    for (const figure of figures) if (figure) draw(figure);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
  drawAll();
})();
