"use strict";
// The viewer of a run's schedule. What a sheet holds is told in experiments/report/album.py.

const SAMPLES = 6;
const STRIP = 24; // small maps beside each other
const viewer = { sheet: null, segments: [], starts: [], chosen: 0, unit: 1, unitName: "cycles" };
const opened = new Map();
let sheets = null;
let asked = 0;

async function sheetOf(place) {
  sheets ??= JSON.parse(at("sheets").textContent);
  if (!opened.has(place)) {
    opened.set(place, await unpacked(sheets[place]).json());
  }
  return opened.get(place);
}

function unpack([tiled, dram, beat, time, energy, clusters]) {
  const stages = clusters.map(([first, last, chiplets, time, compute, load, memory, energy, options, runs]) => ({
    first, last, chiplets, time, compute, load, memory, energy, options, runs,
  }));
  const load = stages.reduce((sum, stage) => sum + stage.load, 0);
  return { tiled, dram, beat, time, energy, load, stages };
}

async function openRun(run) {
  const row = data.rows[run];
  const mine = ++asked;
  at("viewer-title").textContent =
    `Run ${row[0]}: ${row[column.method]} for ${row[column.network]} on ${row[column.package]}, batch ${row[column.batch]}`;
  at("facts").innerHTML = terms(
    data.columns.slice(1).map(([, label, kind], k) => [label, shown(row[k + 1], kind)]),
  );
  const place = data.places[run];
  at("schedule").hidden = true;
  at("why").textContent = place ? "Unpacking the schedule …" : `No picture: ${data.why[run]}.`;
  if (!at("viewer").open) at("viewer").showModal();
  at("viewer").scrollTop = 0;
  if (!place) return;
  const sheet = await sheetOf(place[0]);
  await plotly;
  if (mine !== asked) return; // another run was opened meanwhile
  const [latency, energy, utilisation, segments] = sheet.schedules[place[1]];
  at("why").textContent =
    `${counted(segments.length, "segment")}, ${counted(segments.reduce((n, s) => n + s[5].length, 0), "cluster")};` +
    ` ${forms.whole(latency)} cycles, ${forms.measure(energy * 1e-9)} mJ; chiplets are busy ${forms.measure(100 * utilisation)} % of the time.`;
  viewer.sheet = sheet;
  viewer.segments = segments.map(unpack);
  viewer.starts = [0];
  viewer.segments.forEach((segment, k) => viewer.starts.push(viewer.starts[k] + segment.time));
  viewer.unit = sheet.clock_hz ? sheet.clock_hz / 1e6 : 1;
  viewer.unitName = sheet.clock_hz ? "µs" : "cycles";
  at("segment").innerHTML = viewer.segments
    .map((segment, k) => `<option value="${k}">${escaped(caption(segment, k))}</option>`)
    .join("");
  at("schedule").hidden = false;
  choose(fullest());
}

const terms = (pairs) =>
  pairs.map(([term, value]) => `<div><dt>${escaped(term)}</dt><dd>${escaped(value)}</dd></div>`).join("");
const counted = (n, what) => `${forms.whole(n)} ${what}${n === 1 ? "" : "s"}`;
const inUnit = (cycles) => `${forms.measure(cycles / viewer.unit)} ${viewer.unitName}`;
const share = (segment) => (100 * segment.time) / Math.max(viewer.starts.at(-1), 1);

function span({ first, last }) {
  return first === last ? `layer ${first}` : `layers ${first}–${last}`;
}

function layersOf(segment) {
  return span({ first: segment.stages[0].first, last: segment.stages.at(-1).last });
}

function caption(segment, k) {
  const what = segment.tiled ? "tiled" : counted(segment.stages.length, "cluster");
  return `${k}: ${layersOf(segment)}, ${what}, ${share(segment).toFixed(1)} % of latency`;
}

function fullest() {
  let best = 0;
  viewer.segments.forEach((segment, k) => {
    const other = viewer.segments[best];
    const more = segment.stages.length - other.stages.length;
    if (more > 0 || (more === 0 && segment.time > other.time)) best = k;
  });
  return best;
}

function choose(k) {
  viewer.chosen = k;
  const segment = viewer.segments[k];
  at("segment").value = String(k);
  at("before").disabled = k === 0;
  at("after").disabled = k === viewer.segments.length - 1;
  strip();
  const [columns, rows] = viewer.sheet.mesh;
  at("map-title").textContent = `Segment ${k}: regions on the mesh of ${columns} × ${rows} chiplets`;
  at("under").textContent = "Numbered by cluster where there is room; grey chiplets are idle. Point at one to see its layers.";
  paint(at("map"), segment, Math.max(4, Math.min(40, Math.floor(384 / Math.max(columns, rows)))), true);
  at("map").setAttribute("aria-label", segment.stages.map((s, n) => `cluster ${n}: ${counted(s.chiplets, "chiplet")}`).join("; "));
  at("segment-facts").innerHTML = terms(factsOf(segment));
  gantt(segment, viewer.starts[k]);
  stages(segment);
}

function factsOf(segment) {
  const slowest = Math.max(...segment.stages.map((stage) => stage.time));
  const setter = segment.tiled ? "the layer's weight tiles" : segment.dram > slowest ? "the DRAM" : "the slowest cluster";
  const memory = Math.max(...segment.stages.map((stage) => stage.memory));
  const beats = viewer.sheet.batch + segment.stages.length - 1;
  return [
    ["layers", layersOf(segment)],
    ["starts at", inUnit(viewer.starts[viewer.chosen])],
    ["takes", `${inUnit(segment.time)}, ${share(segment).toFixed(1)} % of latency`],
    ["weights from DRAM, once", inUnit(segment.load)],
    ["beat", `${inUnit(segment.beat)}, set by ${setter}`],
    ["beats", forms.whole(beats)],
    ["DRAM traffic a sample", inUnit(segment.dram)],
    ["energy without leakage", `${forms.measure(segment.energy * 1e-9)} mJ`],
    ["fullest buffer", `${forms.whole(memory)} of ${forms.whole(viewer.sheet.capacity)} bytes`],
  ];
}

function owners(segment) {
  const owner = new Int32Array(viewer.sheet.snake.length).fill(-1);
  segment.stages.forEach(({ runs }, k) => {
    for (let r = 0; r < runs.length; r += 2) {
      for (let p = runs[r]; p < runs[r] + runs[r + 1]; p++) owner[viewer.sheet.snake[p]] = k;
    }
  });
  return owner;
}

function paint(canvas, segment, cell, numbered) {
  const [columns, rows] = viewer.sheet.mesh;
  const dense = window.devicePixelRatio || 1;
  canvas.width = columns * cell * dense;
  canvas.height = rows * cell * dense;
  canvas.style.width = `${columns * cell}px`;
  canvas.style.height = `${rows * cell}px`;
  const pen = canvas.getContext("2d");
  pen.scale(dense, dense);
  const owner = owners(segment);
  const edge = cell >= 6 ? 1 : 0;
  const idle = getComputedStyle(document.documentElement).getPropertyValue("--idle");
  owner.forEach((k, place) => {
    pen.fillStyle = k < 0 ? idle : data.palette[k % data.palette.length];
    pen.fillRect((place % columns) * cell, Math.floor(place / columns) * cell, cell - edge, cell - edge);
  });
  if (!numbered) return;
  pen.fillStyle = "#1b1f24"; // the palette is light in both schemes
  pen.font = `${Math.min(14, Math.max(9, cell * 0.45))}px sans-serif`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  const write = (k, place) => pen.fillText(k, ((place % columns) + 0.5) * cell, (Math.floor(place / columns) + 0.5) * cell);
  if (cell >= 20) {
    owner.forEach((k, place) => k >= 0 && write(k, place));
  } else if (cell >= 8) {
    segment.stages.forEach((_, k) => write(k, middle(owner, k, columns)));
  }
}

function middle(owner, k, columns) {
  const own = [...owner.keys()].filter((place) => owner[place] === k);
  const mean = (axis) => own.reduce((sum, place) => sum + axis(place), 0) / own.length;
  const x = (place) => place % columns;
  const y = (place) => Math.floor(place / columns);
  const [x0, y0] = [mean(x), mean(y)];
  const far = (place) => (x(place) - x0) ** 2 + (y(place) - y0) ** 2;
  return own.reduce((a, b) => (far(b) < far(a) ? b : a));
}

function strip() {
  const from = Math.floor(viewer.chosen / STRIP) * STRIP;
  const [columns, rows] = viewer.sheet.mesh;
  const cell = Math.max(1, Math.floor(72 / Math.max(columns, rows)));
  at("maps").replaceChildren(
    ...viewer.segments.slice(from, from + STRIP).map((segment, k) => {
      const button = document.createElement("button");
      const canvas = document.createElement("canvas");
      paint(canvas, segment, cell, false);
      button.type = "button";
      button.setAttribute("aria-pressed", String(from + k === viewer.chosen));
      button.append(canvas, `${from + k}: ${layersOf(segment)}`, document.createElement("br"), `${share(segment).toFixed(1)} %`);
      button.addEventListener("click", () => choose(from + k));
      return button;
    }),
  );
}

function under(event) {
  const [columns] = viewer.sheet.mesh;
  const box = at("map").getBoundingClientRect();
  const cell = box.width / columns;
  const [x, y] = [Math.floor((event.clientX - box.left) / cell), Math.floor((event.clientY - box.top) / cell)];
  const segment = viewer.segments[viewer.chosen];
  const k = owners(segment)[y * columns + x] ?? -1;
  const what = k < 0 ? "idle" : `cluster ${k}, ${stageName(segment.stages[k])}`;
  at("under").textContent = `chiplet [${x}, ${y}]: ${what}`;
}

function stageName(stage) {
  const name = (layer) => viewer.sheet.layers[layer];
  const short = (text) => (text.length <= 16 ? text : `${text.slice(0, 8)}…${text.slice(-7)}`);
  const layers = stage.first === stage.last ? short(name(stage.first)) : `${short(name(stage.first))} … ${short(name(stage.last))}`;
  return `${layers} (${stage.chiplets})`;
}

function optionsOf(stage) {
  const counts = new Map();
  stage.options.forEach((option) => counts.set(option, (counts.get(option) ?? 0) + 1));
  return [...counts].map(([option, n]) => `${n} × ${viewer.sheet.options[option]}`).join(", ");
}

at("close").addEventListener("click", () => at("viewer").close());
at("before").addEventListener("click", () => choose(viewer.chosen - 1));
at("after").addEventListener("click", () => choose(viewer.chosen + 1));
at("segment").addEventListener("change", (event) => choose(Number(event.target.value)));
at("map").addEventListener("mousemove", under);
