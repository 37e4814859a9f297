"use strict";
// The figures, and the charts of the viewer.

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const CONFIG = {
  responsive: true,
  displaylogo: false,
  modeBarButtonsToRemove: ["lasso2d", "select2d", "sendChartToCloud"],
  plotlyServerURL: "",
  toImageButtonOptions: { format: "svg" },
};
const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "cross", "x", "star", "triangle-down"];
const drawn = new Map();

// Plotly is unpacked after the table stands.
const plotly = new Promise((ready) => {
  window.addEventListener("load", () =>
    setTimeout(async () => {
      const script = document.createElement("script");
      script.textContent = await unpacked(JSON.parse(at("plotly").textContent)).text();
      document.head.append(script);
      ready();
    }),
  );
});

const variable = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const methodColour = (method) => data.colours[data.methods.indexOf(method) % data.colours.length];
const methodSymbol = (method) => SYMBOLS[data.methods.indexOf(method) % SYMBOLS.length];

function axis(more) {
  return {
    gridcolor: variable("--line"),
    zerolinecolor: variable("--line"),
    linecolor: variable("--soft"),
    automargin: true,
    exponentformat: "none",
    separatethousands: true,
    ...more,
  };
}

function layout(more) {
  return {
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: getComputedStyle(document.body).fontFamily, size: 13, color: variable("--ink") },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: variable("--soft"), activecolor: variable("--mark") },
    hoverlabel: { bgcolor: variable("--shade"), font: { color: variable("--ink") }, align: "left" },
    margin: { l: 60, r: 16, t: 64, b: 50 },
    separators: ".,",
    ...more,
  };
}

function about(run) {
  const row = data.rows[run];
  const cell = (name) => row[column[name]];
  const named = `run ${row[0]}: ${cell("network")} on ${cell("package")}, batch ${cell("batch")}`;
  return `${escaped(named)}<br>${escaped(cell("method"))}, objective ${shown(cell("objective"), "whole")}`;
}

function trace(figure, series) {
  const colour = methodColour(series.method);
  const common = {
    name: series.method,
    x: series.x,
    y: series.y,
    customdata: series.runs,
    hovertext: series.runs.map(about),
    hovertemplate: "%{hovertext}<br>%{x}: %{y:,.4~g}<extra></extra>",
  };
  const marker = { color: colour, symbol: methodSymbol(series.method), size: 6, opacity: 0.7 };
  if (figure.kind === "bars") return { ...common, type: "bar", marker: { color: colour } };
  if (figure.kind === "box") {
    return { ...common, type: "box", boxpoints: "outliers", marker: { ...marker, size: 4 }, line: { color: colour }, hovertemplate: undefined, hoverinfo: "text+y" };
  }
  if (figure.kind === "steps") {
    return { ...common, type: "scatter", mode: "lines", line: { color: colour, shape: "hv", width: 2 } };
  }
  return { ...common, type: "scatter", mode: "markers", marker };
}

function plot(figure, panel, target) {
  const named = typeof panel.series[0].x[0] === "string";
  const whole = layout({
    xaxis: axis({ title: { text: figure.x.title }, type: named ? "category" : figure.x.log ? "log" : "linear" }),
    yaxis: axis({
      title: { text: figure.y.title },
      type: figure.y.log ? "log" : "linear",
      rangemode: figure.kind === "steps" ? "tozero" : "normal",
    }),
    margin: { l: 60, r: 16, t: figure.kind === "box" ? 44 : 44 + 22 * Math.ceil(panel.series.length / 4), b: 50 },
    hovermode: "closest",
    showlegend: figure.kind !== "box",
    legend: { orientation: "h", yanchor: "bottom", y: 1.01, x: 0 },
    barmode: "group",
  });
  if (figure.kind === "bars") {
    const order = [...new Set(panel.series.flatMap((series) => series.x))];
    whole.xaxis.categoryorder = "array";
    whole.xaxis.categoryarray = figure.order.filter((name) => order.includes(name));
    whole.shapes = [{ type: "line", xref: "paper", x0: 0, x1: 1, y0: 1, y1: 1, line: { color: variable("--soft"), dash: "dot" } }];
  }
  Plotly.react(target, panel.series.map((series) => trace(figure, series)), whole, CONFIG).then(() => {
    target.removeAllListeners("plotly_click");
    target.on("plotly_click", ({ points: [point] }) => {
      const run = [point.customdata ?? point.data.customdata[point.pointNumber]].flat()[0];
      if (run !== undefined) openRun(run);
    });
  });
}

function redraw(figure) {
  const { target, select } = drawn.get(figure);
  plot(figure, figure.panels[select ? Number(select.value) : 0], target);
}

function chart(figure) {
  const section = document.createElement("section");
  section.className = "chart";
  section.id = `figure-${figure.name}`;
  section.innerHTML = `<h3>${escaped(figure.title)}</h3><p class="note">${escaped(figure.note)}</p>`;
  if (!figure.panels.length) {
    section.insertAdjacentHTML("beforeend", `<p>Nothing to show: ${escaped(figure.missing)}.</p>`);
    return section;
  }
  let select = null;
  if (figure.panels.length > 1) {
    const label = document.createElement("label");
    const options = figure.panels.map((panel, k) => `<option value="${k}">${escaped(panel.title)}</option>`);
    label.innerHTML = `Network <select>${options.join("")}</select>`;
    select = label.querySelector("select");
    select.addEventListener("change", () => follow(select.selectedOptions[0].text));
    section.append(label);
  } else if (figure.panels[0].title) {
    section.insertAdjacentHTML("beforeend", `<p>${escaped(figure.panels[0].title)}</p>`);
  }
  const target = document.createElement("div");
  target.className = "plot";
  target.setAttribute("role", "group");
  target.setAttribute("aria-label", `${figure.title}: ${figure.y.title} against ${figure.x.title}`);
  section.append(target);
  waiting.set(target, () => {
    drawn.set(figure, { target, select });
    redraw(figure);
  });
  seen.observe(target);
  return section;
}

// Figures that have panels of one name show the same one.
function follow(title) {
  for (const figure of data.figures) {
    const place = figure.panels.findIndex((panel) => panel.title === title);
    const select = document.querySelector(`#figure-${figure.name} select`);
    if (place < 0 || !select) continue;
    select.value = String(place);
    if (drawn.has(figure)) redraw(figure);
  }
}

const waiting = new Map();
const seen = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting || !waiting.has(target)) continue;
      waiting.get(target)();
      waiting.delete(target);
    }
  },
  { rootMargin: "300px" },
);

// Every how many-th stage is named: there is room for so many names.
const rowStep = (segment) => Math.ceil(segment.stages.length / 32);

function stageAxis(segment, more) {
  const step = rowStep(segment);
  const named = segment.stages.map((_, k) => k).filter((k) => k % step === 0);
  return axis({
    tickvals: [...named, ...more.map(([place]) => place)],
    ticktext: [...named.map((k) => `${k}  ${escaped(stageName(segment.stages[k]))}`), ...more.map(([, name]) => name)],
    range: [Math.max(segment.stages.length, ...more.map(([place]) => place + step)) - 0.4, Math.min(0, ...more.map(([place]) => place)) - 0.6 * step],
    tickfont: { size: 11 },
    showgrid: false,
    zeroline: false,
  });
}

const tall = (segment) => Math.min(900, 150 + 22 * (segment.stages.length + 1));

// Sample k enters stage s at start + load + (k + s) * beat and keeps it busy for its own time.
function gantt(segment, start) {
  const count = Math.min(SAMPLES, viewer.sheet.batch);
  const rows = segment.stages.map((_, k) => k);
  const first = start + segment.load;
  const unit = viewer.unit;
  const above = -rowStep(segment);
  const samples = Array.from({ length: count }, (_, k) => ({
    type: "bar",
    orientation: "h",
    name: `sample ${k}`,
    y: rows,
    x: segment.stages.map((stage) => stage.time / unit),
    base: rows.map((s) => (first + (k + s) * segment.beat) / unit),
    marker: { color: data.samples[k] },
    text: segment.stages.map((stage, s) => `sample ${k}, cluster ${s}: ${escaped(stageName(stage))}<br>busy ${inUnit(stage.time)}`),
    textposition: "none",
    hovertemplate: "%{text}<extra></extra>",
  }));
  const weights = {
    type: "bar",
    orientation: "h",
    name: "weights from DRAM",
    y: [above],
    width: [-0.8 * above],
    x: [segment.load / unit],
    base: [start / unit],
    marker: { color: "rgba(0,0,0,0)", line: { color: variable("--soft"), width: 1 }, pattern: { shape: "/", fgcolor: variable("--soft") } },
    hovertemplate: `weights from DRAM: ${inUnit(segment.load)}<extra></extra>`,
  };
  const width = (count + rows.length - 1) * segment.beat || 1;
  const whole = layout({
    title: { text: `Pipeline of segment ${viewer.chosen}: the first ${counted(count, "sample")}`, x: 0, xanchor: "left", font: { size: 15 } },
    barmode: "overlay",
    height: tall(segment) + 40,
    margin: { l: 60, r: 16, t: 64, b: 50 },
    xaxis: axis({ title: { text: `time since the start of the run (${viewer.unitName})` }, range: [(first - Math.min(segment.load, 0.3 * width)) / unit, (first + width) / unit], zeroline: false }),
    yaxis: stageAxis(segment, [[above, "weights"]]),
    legend: { orientation: "h", yanchor: "bottom", y: 1, x: 0, traceorder: "normal" },
  });
  Plotly.react(at("gantt"), [weights, ...samples], whole, CONFIG);
}

function stages(segment) {
  const rows = segment.stages.map((_, k) => k);
  const last = rows.length - 1 + rowStep(segment);
  const unit = viewer.unit;
  const split = segment.stages.every((stage) => stage.compute !== null);
  const bar = (name, values, colour, more = {}) => ({
    type: "bar",
    orientation: "h",
    name,
    y: rows,
    x: values.map((value) => value / unit),
    marker: { color: colour },
    text: segment.stages.map((stage, s) => `cluster ${s}: ${escaped(stageName(stage))}<br>${escaped(optionsOf(stage))}<br>${name} `),
    textposition: "none",
    hovertemplate: `%{text}%{x:,.4g} ${viewer.unitName}<extra></extra>`,
    ...more,
  });
  const colour = data.colours;
  const parts = split
    ? [
        bar("compute", segment.stages.map((stage) => stage.compute), colour[0]),
        bar("exchange", segment.stages.map((stage) => stage.time - stage.compute), colour[1]),
      ]
    : [bar("compute and exchange, not told apart", segment.stages.map((stage) => stage.time), colour[0])];
  const dram = { ...bar("DRAM", [segment.dram], colour[2]), y: [last], width: [0.8 * rowStep(segment)], text: ["traffic of the segment: "] };
  const load = bar("load of weights, once", segment.stages.map((stage) => stage.load), colour[3], { xaxis: "x2" });
  const beat = { type: "line", x0: segment.beat / unit, x1: segment.beat / unit, yref: "paper", y0: 0, y1: 1, line: { color: variable("--ink"), dash: "dot" } };
  const whole = layout({
    title: { text: `Stages of segment ${viewer.chosen}; dotted: the beat`, x: 0, xanchor: "left", font: { size: 15 } },
    barmode: "stack",
    height: tall(segment) + 60,
    margin: { l: 60, r: 16, t: 64, b: 50 },
    xaxis: axis({ title: { text: `time a sample (${viewer.unitName})` }, domain: [0, 0.62], rangemode: "tozero" }),
    xaxis2: axis({ title: { text: `time once (${viewer.unitName})` }, domain: [0.68, 1], rangemode: "tozero", anchor: "y" }),
    yaxis: stageAxis(segment, [[last, "DRAM, all clusters"]]),
    legend: { orientation: "h", yanchor: "bottom", y: 1, x: 0, traceorder: "normal" },
    shapes: [beat],
  });
  Plotly.react(at("stages"), [...parts, dram, load], whole, CONFIG);
}

plotly.then(() => at("charts").append(...data.figures.map(chart)));
dark.addEventListener("change", () => {
  for (const figure of drawn.keys()) redraw(figure);
  if (at("viewer").open && !at("schedule").hidden) choose(viewer.chosen);
});
