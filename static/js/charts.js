// Draws each [data-chart] from the JSON inside it, in our tokens; again in place after a poll or a change of theme.
// The JSON is the template's own `chart` (docs/look.md); the table beside the canvas says the same in words.
import "../vendor/chart.js/chart.umd.min.js";
import { fullTime, timeTicks } from "./ticks.js";

/**
 * @typedef {{label?: string, hue?: string, style?: "line" | "bar" | "area" | "band", dash?: boolean, quiet?: boolean}} Series
 * @typedef {{label: string, x?: number | string, y?: number, hue?: string}} Mark
 * @typedef {{at: number | string, text: string, values: (number | null)[]}} Row
 * @typedef {{kind: "time" | "number" | "category", label: string, zone?: string}} Across
 * @typedef {{label?: string, min?: number, max?: number, percent?: boolean}} Upright
 * @typedef {{id: string, title: string, x: Across, y: Upright,
 *   stacked?: boolean, low?: boolean, series: Series[], rows: Row[], marks?: Mark[]}} ChartData
 */

const { Chart } = /** @type {any} */ (globalThis);
const language = { en: "en-GB" }[document.documentElement.lang] ?? document.documentElement.lang;
/** @type {Map<string, {chart: any, canvas: HTMLCanvasElement}>} */
const drawn = new Map();

/** @param {string} name */
const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--rq-${name}`).trim();

/** @param {string} [hue] a route, a state, "accent" or "plain" */
function colour(hue = "accent") {
  const name = { soft: "route-soft", plain: "ink-2" }[hue] ?? hue;
  return token(`${name}-fill`) || token(name);
}

/** @param {ChartData} data @param {Row} row @param {number} index */
function place(data, row, index) {
  if (data.x.kind === "time") return typeof row.at === "number" ? row.at : Date.parse(row.at);
  return data.x.kind === "number" ? Number(row.at) : index;
}

/** @param {ChartData} data */
function datasets(data) {
  return data.series.map((series, index) => ({
    type: series.style === "bar" ? "bar" : "line",
    label: series.label ?? "",
    data: data.rows.map((row, at) => ({ x: place(data, row, at), y: row.values[index] })),
    ...look(series),
  }));
}

/** How one series is drawn. A band is filled down to the series before it. @param {Series} series */
function look(series) {
  const hue = colour(series.hue);
  const filled = series.style === "area" || series.style === "band";
  return {
    borderColor: series.style === "bar" ? token("sheet") : hue,
    backgroundColor: series.style === "bar" ? hue : `${hue}2e`,
    borderDash: series.dash ? [5, 4] : [],
    borderWidth: widthOf(series),
    fill: filled ? (series.style === "band" ? "-1" : "origin") : false,
    pointRadius: lonely,
    clip: 5, // a dot at the edge stays whole
    pointHoverRadius: 3,
    tension: 0,
    order: series.style === "bar" ? 1 : 0, // lines before bars
    spanGaps: false,
    maxBarThickness: 26,
    categoryPercentage: 0.82,
    barPercentage: 0.96,
    borderRadius: 2,
  };
}

/** A value with no neighbour draws no line, so it gets a dot. @param {{dataset: {data: {y: number | null}[]}, dataIndex: number}} at */
function lonely({ dataset: { data }, dataIndex }) {
  return data[dataIndex - 1]?.y == null && data[dataIndex + 1]?.y == null ? 3 : 0;
}

/** Bars of a stack are parted by a line of the sheet; what only bounds a band has no line. @param {Series} series */
function widthOf(series) {
  if (series.style === "bar") return { top: 1 };
  return series.style === "band" || series.quiet ? 0 : 2;
}

/** @param {ChartData} data */
function xAxis(data) {
  const axis = {
    type: "linear",
    stacked: data.stacked,
    offset: data.series.some(({ style }) => style === "bar"),
    grid: { display: false },
    border: { color: token("line") },
    ticks: ticks(),
  };
  if (data.x.kind === "number") return { ...axis, title: title(data.x.label) };
  return { ...axis, ...(data.x.kind === "time" ? times(data) : words(data)) };
}

/** Ticks at round times, in two lines where the day changes. @param {ChartData} data */
function times(data) {
  const callback = (_, at, all) => (all[at].label ?? "").split("\n");
  return { ...span(data), afterBuildTicks: (scale) => setTimes(scale, data), ticks: { ...ticks(), callback } };
}

/** One tick a row, with its text. @param {ChartData} data */
function words(data) {
  return {
    afterBuildTicks: (scale) => { scale.ticks = data.rows.map((_, value) => ({ value })); },
    ticks: { ...ticks(), callback: (value) => data.rows[value]?.text ?? "" },
  };
}

/** @param {ChartData} data */
function span(data) {
  const all = data.rows.map((row, index) => Number(place(data, row, index)));
  return all.length ? { min: Math.min(...all), max: Math.max(...all) } : {};
}

/** @param {any} scale @param {ChartData} data */
function setTimes(scale, data) {
  const most = Math.max(2, Math.floor(scale.width / 84));
  scale.ticks = timeTicks(scale.min, scale.max, most, data.x.zone ?? "UTC", language);
}

/** @param {ChartData} data */
function yAxis(data) {
  const percent = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });
  return {
    stacked: data.stacked,
    beginAtZero: true,
    suggestedMin: data.y.min,
    max: data.y.max,
    title: title(data.low ? "" : data.y.label ?? ""),
    grid: { color: token("line"), tickLength: 0 },
    border: { display: false },
    ticks: {
      ...ticks(),
      maxTicksLimit: data.low ? 3 : 6,
      ...(data.y.percent ? { callback: (value) => percent.format(value) } : {}),
    },
  };
}

const font = () => ({ family: getComputedStyle(document.body).fontFamily, size: 12 });
const ticks = () => ({ color: token("ink-2"), font: font(), padding: 6, maxRotation: 0, autoSkip: true });
/** @param {string} text */
const title = (text) => ({ display: Boolean(text), text, color: token("ink-2"), font: font() });

/** @param {ChartData} data */
function options(data) {
  return {
    locale: language, responsive: true, maintainAspectRatio: false, animation: false,
    interaction: { mode: "index", intersect: false },
    scales: { x: xAxis(data), y: yAxis(data) },
    plugins: { legend: { display: false }, marks: { list: data.marks ?? [], data }, tooltip: tooltip(data) },
  };
}

/** @param {ChartData} data */
function tooltip(data) {
  return {
    backgroundColor: token("ink"),
    titleColor: token("sheet"),
    bodyColor: token("sheet"),
    titleFont: { ...font(), weight: "600" },
    bodyFont: font(),
    padding: 8,
    cornerRadius: 5,
    boxWidth: 8,
    boxHeight: 8,
    boxPadding: 4,
    filter: ({ dataset }) => Boolean(dataset.label),
    callbacks: {
      title: ([first]) => {
        if (first && data.x.kind === "time") return fullTime(first.parsed.x, data.x.zone ?? "UTC", language);
        return data.rows[first?.dataIndex]?.text ?? "";
      },
    },
  };
}

/** Lines across the chart with a word: a threshold, a deadline, now. */
const marks = {
  id: "marks",
  /** @param {any} chart @param {unknown} _ @param {{list: Mark[]}} given */
  afterDatasetsDraw(chart, _, given) {
    for (const mark of given.list ?? []) drawMark(chart, mark);
  },
};

/** @param {any} chart @param {Mark} mark */
function drawMark(chart, mark) {
  const { ctx, chartArea: area, scales } = chart;
  const upright = mark.x !== undefined;
  const at = upright ? scales.x.getPixelForValue(typeof mark.x === "string" ? Date.parse(mark.x) : mark.x) : scales.y.getPixelForValue(mark.y);
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = colour(mark.hue ?? "plain");
  ctx.setLineDash([3, 3]);
  ctx.beginPath();
  ctx.moveTo(upright ? at : area.left, upright ? area.top : at);
  ctx.lineTo(upright ? at : area.right, upright ? area.bottom : at);
  ctx.stroke();
  ctx.font = `11px ${font().family}`;
  const late = upright && at > (area.left + area.right) / 2;
  ctx.textAlign = !upright || late ? "right" : "left";
  ctx.fillText(mark.label, upright ? at + (late ? -4 : 4) : area.right - 2, upright ? area.top + 10 : at - 4);
  ctx.restore();
}

/** @param {HTMLElement} figure */
function draw(figure) {
  const canvas = figure.querySelector("canvas");
  const script = figure.querySelector("script[type='application/json']");
  if (!canvas || !script?.textContent) return;
  /** @type {ChartData} */
  const data = JSON.parse(script.textContent);
  const empty = figure.querySelector(".chart-empty");
  if (empty instanceof HTMLElement) empty.hidden = data.rows.some(({ values }) => values.some((value) => value !== null));
  const known = drawn.get(figure.id);
  if (known?.canvas === canvas) {
    known.chart.data.datasets = keepInstances(known.chart.data.datasets, datasets(data));
    known.chart.options = options(data);
    known.chart.update();
    return;
  }
  known?.chart.destroy();
  const chart = new Chart(canvas, { data: { datasets: datasets(data) }, options: options(data), plugins: [marks] });
  drawn.set(figure.id, { canvas, chart });
}

/**
 * New values in the old objects, so that Chart.js moves lines instead of drawing them anew.
 * @param {any[]} before
 * @param {any[]} after
 */
function keepInstances(before, after) {
  return before.length === after.length ? after.map((dataset, index) => Object.assign(before[index], dataset)) : after;
}

/** Draw every chart of the page; call it when charts came without htmx. */
export function drawAll() {
  for (const figure of document.querySelectorAll("[data-chart]")) draw(/** @type {HTMLElement} */ (figure));
}

document.addEventListener("htmx:afterSettle", drawAll);
document.addEventListener("rq:theme", drawAll);
window.addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll(".chart details")) details.setAttribute("open", "");
});
drawAll();
