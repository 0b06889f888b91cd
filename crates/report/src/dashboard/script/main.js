// Draws what is wanted, and follows what is pressed.
const form = document.getElementById("filters"), timelines = document.getElementById("timelines");

const draw = () => {
  // Where each timeline was scrolled to: the newest windows at first.
  const scrolled = new Map([...timelines.querySelectorAll("section")].map((section) => [section.dataset.model, section.querySelector(".scroll")?.scrollLeft]));
  timelines.replaceChildren(...shownModels().map(timeline));
  for (const section of timelines.children) {
    const scroller = section.querySelector(".scroll");
    if (scroller) scroller.scrollLeft = scrolled.get(section.dataset.model) ?? scroller.scrollWidth;
    // One cell a grid is on the way of the Tab key.
    const first = section.querySelector(`[data-open="${CSS.escape(wanted.open)}"]`) ?? section.querySelector(".outcomes td:last-child");
    first?.setAttribute("tabindex", "0");
    section.querySelector(`[data-open="${CSS.escape(wanted.open)}"]`)?.setAttribute("aria-selected", "true");
  }
  for (const card of document.querySelectorAll(".card")) card.hidden = !isWantedModel(card.dataset.model);
  drawChampions();
  drawRuns();
  for (const key of ["model", "feature", "last", "from", "to"]) form.elements[key].value = wanted[key];
  const all = data.models.reduce((sum, model) => sum + model.windows.length, 0);
  const shown = shownModels().reduce((sum, model) => sum + shownWindows(model).length, 0);
  form.querySelector("output").textContent = isFiltered() ? `${count(shown)} of ${count(all)} windows` : `${count(all)} windows`;
  form.querySelector("button").hidden = !isFiltered();
};
const changed = () => {
  writeAddress();
  draw();
};

const openCell = (key) => {
  wanted.open = key;
  changed();
  const panel = timelines.querySelector(".detail");
  panel?.querySelector("h3").focus({ preventScroll: true });
  panel?.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
};
const closeCell = () => {
  const key = wanted.open;
  wanted.open = "";
  changed();
  timelines.querySelector(`[data-open="${CSS.escape(key)}"]`)?.focus();
};

const step = (cell, columns, rows) => {
  const row = cell.parentElement;
  if (columns) return row.cells[Math.min(row.cells.length - 1, Math.max(1, cell.cellIndex + columns))];
  const lines = [...row.closest("table").rows].filter((line) => line.querySelector("td.heat"));
  return lines[Math.min(lines.length - 1, Math.max(0, lines.indexOf(row) + rows))].cells[cell.cellIndex];
};
const KEYBOARD = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1], Home: [-Infinity, 0], End: [Infinity, 0] };
timelines.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && wanted.open) return closeCell();
  const cell = event.target.closest("td[data-open]");
  if (!cell || event.altKey || event.ctrlKey || event.metaKey) return undefined;
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    return openCell(cell.dataset.open);
  }
  if (!(event.key in KEYBOARD)) return undefined;
  event.preventDefault();
  const next = step(cell, ...KEYBOARD[event.key]);
  cell.setAttribute("tabindex", "-1");
  next.setAttribute("tabindex", "0");
  return next.focus();
});
timelines.addEventListener("click", (event) => {
  const cell = event.target.closest("td[data-open]");
  if (cell) openCell(cell.dataset.open);
});

const options = (name, entries) => form.elements[name].replaceChildren(...entries.map(([value, text]) => el("option", { value }, text)));
options("model", [["", "all"], ...data.models.map(({ name }) => [name, name])]);
options("feature", [["", "all"], ...featureNames().map((name) => [name, METRICS[name] ?? name])]);
options("last", PERIODS);
form.addEventListener("input", ({ target }) => {
  wanted[target.name] = target.value;
  // A period and dates together would be hard to follow: the later choice counts.
  if (target.name === "last" && target.value) wanted.from = wanted.to = "";
  if (target.name === "from" || target.name === "to") wanted.last = "";
  changed();
});
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", (event) => {
  event.preventDefault();
  for (const key of ["model", "feature", "last", "from", "to"]) wanted[key] = "";
  changed();
});
addEventListener("hashchange", () => {
  readAddress();
  draw();
});
readAddress();
form.hidden = false;
draw();
if (opened()) timelines.querySelector(".detail")?.scrollIntoView({ block: "nearest" });
