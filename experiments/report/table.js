"use strict";
// The data of the page, and the table of runs: sorts, filters and turns pages.

const data = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(id);
const PAGE = 100;

const number = (options) => {
  const format = new Intl.NumberFormat("en-US", options);
  return (value) => format.format(value);
};
const forms = {
  whole: number({ maximumFractionDigits: 0 }),
  ratio: number({ minimumFractionDigits: 4, maximumFractionDigits: 4 }),
  percent: number({ minimumFractionDigits: 3, maximumFractionDigits: 3 }),
  measure: number({ maximumSignificantDigits: 4 }),
  text: (value) => value,
};
const column = Object.fromEntries(data.columns.map(([name], place) => [name, place]));
const shown = (value, kind) => (value === null || value === "" ? "–" : forms[kind](value));
const escaped = (text) =>
  String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

// What the page keeps packed: zlib's format in base64.
function unpacked(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate")));
}

const texts = data.rows.map((row) => row.join(" ").toLowerCase());
const collator = new Intl.Collator("en", { numeric: true });
const view = { order: data.rows.map((_, place) => place), sort: 0, up: true, page: 0 };

function compare(a, b) {
  if (a === null || a === "" || b === null || b === "") {
    return (a === null || a === "") - (b === null || b === ""); // what is missing comes last
  }
  const way = typeof a === "number" && typeof b === "number" ? a - b : collator.compare(a, b);
  return view.up ? way : -way;
}

function arrange() {
  const words = at("words").value.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = [...at("choices").querySelectorAll("select")]
    .filter((choice) => choice.value !== "")
    .map((choice) => [column[choice.name], choice.value]);
  view.order = data.rows
    .map((_, place) => place)
    .filter((place) => words.every((word) => texts[place].includes(word)))
    .filter((place) => wanted.every(([at, value]) => String(data.rows[place][at]) === value));
  view.order.sort((a, b) => compare(data.rows[a][view.sort], data.rows[b][view.sort]) || a - b);
  view.page = 0;
  draw();
}

function cells(row) {
  return data.columns.map(([, , kind], place) => {
    const text = escaped(shown(row[place], kind));
    if (place === 0) return `<td class="number"><button type="button">${text}</button></td>`;
    if (kind !== "text") return `<td class="number">${text}</td>`;
    return `<td class="long"${text.length > 30 ? ` title="${text}"` : ""}>${text}</td>`;
  });
}

function draw() {
  const from = view.page * PAGE;
  const part = view.order.slice(from, from + PAGE);
  at("rows").innerHTML = part
    .map((place) => `<tr data-run="${place}">${cells(data.rows[place]).join("")}</tr>`)
    .join("");
  const total = view.order.length;
  const range = total ? `${forms.whole(from + 1)}–${forms.whole(from + part.length)} of ` : "";
  const all = total === data.rows.length ? "" : `, of ${forms.whole(data.rows.length)} in all`;
  at("count").textContent = `${range}${forms.whole(total)} ${total === 1 ? "run" : "runs"}${all}`;
  at("previous").disabled = view.page === 0;
  at("next").disabled = from + PAGE >= total;
  [...at("headings").children].forEach((heading, place) => {
    const way = view.up ? "ascending" : "descending";
    heading.setAttribute("aria-sort", place === view.sort ? way : "none");
  });
}

function head() {
  at("headings").innerHTML = data.columns
    .map(([, label, kind]) => {
      const side = kind === "text" ? "" : ' class="number"';
      return `<th scope="col"${side}><button type="button">${escaped(label)}</button></th>`;
    })
    .join("");
  [...at("headings").children].forEach((heading, place) =>
    heading.addEventListener("click", () => {
      view.up = view.sort === place ? !view.up : true;
      view.sort = place;
      arrange();
    }),
  );
}

function choices() {
  for (const name of data.choices) {
    const place = column[name];
    const values = [...new Set(data.rows.map((row) => row[place]))].filter((v) => v !== null && v !== "");
    if (values.length < 2) continue;
    values.sort(collator.compare);
    const options = values.map((value) => `<option value="${escaped(value)}">${escaped(value)}</option>`);
    const label = document.createElement("label");
    const title = escaped(data.columns[place][1]);
    label.innerHTML = `${title} <select name="${name}"><option value="">all</option>${options.join("")}</select>`;
    at("choices").append(label);
  }
}

function turn(by) {
  view.page += by;
  draw();
  document.querySelector(".scroll").scrollTop = 0;
}

head();
choices();
arrange();
at("filters").addEventListener("input", arrange);
at("filters").addEventListener("submit", (event) => event.preventDefault());
at("filters").addEventListener("reset", () => setTimeout(arrange));
at("previous").addEventListener("click", () => turn(-1));
at("next").addEventListener("click", () => turn(1));
at("rows").addEventListener("click", (event) => {
  const row = event.target.closest("tr");
  if (row) openRun(Number(row.dataset.run));
});
