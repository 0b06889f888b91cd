// A model's windows side by side: outcomes, champions, predictions, errors, and drift by feature. One table, so that all
// of it stands over the same columns.
const FEW_ROWS = 24;
const UNIT = 10;
const HIGH = 100;
// From this part of its threshold on, a clean feature is marked.
const NEAR = 0.8;
// Models of which all features are wanted to be seen.
const unfolded = new Set();

// How a cell looks: its level for the colour, its sign for those who see none.
const look = (cell) => {
  if (!cell) return ["none", ""];
  if (cell.s === "i") return ["unknown", "?"];
  if (cell.s === "o") return ["off", "–"];
  if (cell.s === "m") return ["two", "M"];
  if (cell.s === "x") return ["two", "X"];
  if (cell.s === "c") return cell.r >= NEAR && cell.t !== undefined ? ["near", "·"] : ["clean", ""];
  const level = cell.r >= 4 ? "three" : cell.r >= 2 ? "two" : "one";
  return [level, cell.r >= 10 ? "+" : cell.r >= 1 ? String(Math.floor(cell.r)) : "!"];
};

const cellTitle = (feature, window, cell) => `${lineName(feature)}, window ${window.number}, ${span(window.from, window.to)}: ${
  cell ? [STATUS[cell.s].toLowerCase(), sentence(cell)].filter(Boolean).join(", ") : "not analysed"}`;

const heatRow = (model, feature, places) => el("tr", { class: "line" },
  el("th", { scope: "row" }, el("bdi", {}, lineName(feature)), isNamedOtherwise(feature) && el("span", { class: "role" }, "prediction")),
  places.map((place) => {
    const window = model.windows[place], cell = feature.cells[place];
    const [level, sign] = look(cell), title = cellTitle(feature, window, cell);
    return el("td", { class: `heat ${level}`, role: "gridcell", tabindex: "-1", title, "aria-label": title, "data-open": openKey(model, window.number, feature) }, sign);
  }));

// Worst first among what is shown; predictions and quality keep their own places.
const ordered = (features, places) => {
  const worst = (feature) => Math.max(-1, ...places.map((place) => {
    const cell = feature.cells[place];
    return cell ? (("dmx".includes(cell.s) ? 1000 : 0) + (cell.r ?? 0)) : -1;
  }));
  const weights = new Map(features.map((feature) => [feature, worst(feature)]));
  return [...features].sort((one, other) => weights.get(other) - weights.get(one) || one.name.localeCompare(other.name));
};

const outcomeRow = (model, places) => {
  const signs = { clean: "", drifted: "D", "insufficient-data": "?", error: "E" };
  return el("tr", { class: "outcomes" }, el("th", { scope: "row" }, "Outcome"), places.map((place) => {
    const window = model.windows[place];
    const title = `Window ${window.number}, ${span(window.from, window.to)}: ${outcomeName(window.outcome)}`;
    return el("td", { class: `heat outcome-${window.outcome}`, role: "gridcell", tabindex: "-1", title, "aria-label": title, "data-open": openKey(model, window.number, null) }, signs[window.outcome] ?? "E");
  }));
};

const dateRow = (model, places) => {
  const step = Math.max(1, Math.ceil(places.length / 7));
  const windows = places.map((place) => model.windows[place]);
  const withinDays = windows.at(-1).to - windows[0].to < 2 * DAY;
  const cells = [];
  for (let at = 0; at < places.length; at += step) {
    const text = withinDays ? clock(windows[at].to) : day(windows[at].to);
    cells.push(el("td", { colspan: Math.min(step, places.length - at) }, places.length - at >= step || at === 0 ? text : ""));
  }
  return el("tr", { class: "dates", "aria-hidden": "true" }, el("th", {}, withinDays ? day(windows.at(-1).to) : ""), cells);
};

const championRow = (model, places) => {
  const cells = [];
  let shade = 0;
  for (let at = 0; at < places.length;) {
    const champion = model.windows[places[at]].champion;
    let end = at + 1;
    while (end < places.length && model.windows[places[end]].champion === champion) end += 1;
    cells.push(el("td", { colspan: end - at, class: `reign shade-${shade}`, title: `Champion ${champion ?? "not known"}` }, el("span", {}, short(champion))));
    shade = 1 - shade;
    at = end;
  }
  return el("tr", { class: "champions" }, el("th", { scope: "row" }, "Champion"), cells);
};

// A row with a picture over all columns: `marks` draw into it, `titles` say what a column holds.
const pictureRow = (label, places, [low, high], note, words, titles, marks) => el("tr", { class: "picture-row" },
  el("th", { scope: "row" }, el("span", { class: "limit" }, high), el("span", { class: "label" }, label, note && el("small", {}, note)), el("span", { class: "limit" }, low)),
  el("td", { colspan: places.length }, svg("svg", { class: "chart", viewBox: `0 0 ${places.length * UNIT} ${HIGH}`, preserveAspectRatio: "none", role: "img", "aria-label": words },
    marks, titles.map((title, at) => svg("rect", { class: "hit", x: at * UNIT, y: 0, width: UNIT, height: HIGH }, svg("title", {}, title))))));

const volumeRow = (model, places) => {
  const rows = places.map((place) => Math.max(0, ...model.windows[place].analyses.filter((it) => it.kind === "data").map((it) => it.rows)));
  const top = Math.max(1, ...rows), sum = rows.reduce((one, other) => one + other, 0);
  return pictureRow("Predictions", places, ["0", count(top)], null, `Predictions a window: ${count(sum)} in all, at most ${count(top)}.`,
    places.map((place, at) => `Window ${model.windows[place].number}: ${count(rows[at])} predictions`),
    rows.map((value, at) => svg("rect", { class: "volume", x: at * UNIT + 1, width: UNIT - 2, y: HIGH * (1 - value / top), height: (HIGH * value) / top })));
};

// A line through the columns that have a value.
const line = (values, y, name) => {
  const known = values.flatMap((value, at) => (Number.isFinite(value) ? [`${(at + 0.5) * UNIT} ${y(value).toFixed(1)}`] : []));
  return svg("path", { class: name, d: `M${known.join("L")}` });
};
const dots = (values, y, name) => svg("path", { class: name, d: values.map((value, at) => (Number.isFinite(value) ? `M${(at + 0.5) * UNIT} ${y(value).toFixed(1)}h0` : "")).join("") });
// Steps that keep their value over whole columns.
const steps = (values, y, name) => svg("path", { class: name, d: values.map((value, at) => (Number.isFinite(value) ? `M${at * UNIT} ${y(value).toFixed(1)}h${UNIT}` : "")).join("") });

// The middle 90 % and 50 % of a column's values, and their median, as boxes beside each other.
const trendRow = (model, feature, places) => {
  const quantiles = places.map((place) => feature.cells[place]?.q);
  const before = places.map((place) => data.details[feature.cells[place]?.d]?.b?.q?.[2]);
  const all = [...quantiles.flatMap((it) => it ?? []), ...before].filter(Number.isFinite);
  if (all.length === 0) return null;
  let [low, high] = [Math.min(...all), Math.max(...all)];
  if (low === high) [low, high] = [low - 1, high + 1];
  const y = (value) => 4 + (HIGH - 8) * (1 - (value - low) / (high - low));
  const box = (name, from, to, gap) => quantiles.map((it, at) => it?.every(Number.isFinite) && svg("rect", {
    class: name, x: at * UNIT + gap, width: UNIT - 2 * gap, y: y(it[to]), height: Math.max(0.8, y(it[from]) - y(it[to])) }));
  const newest = quantiles.findLast(Boolean);
  const label = feature.kind === "prediction" ? "Distribution of predictions" : `Values of ${feature.name}`;
  return pictureRow(feature.kind === "prediction" ? "Distribution" : feature.name, places, [measured(low, low, high), measured(high, low, high)], "middle 90 %, 50 %, median; baseline’s median dashed",
    `${label} over time. Median in the newest window: ${significant(newest?.[2])}.`,
    places.map((place, at) => `Window ${model.windows[place].number}: ${quantiles[at] ? `median ${measured(quantiles[at][2], low, high)}, middle half ${measured(quantiles[at][1], low, high)} to ${measured(quantiles[at][3], low, high)}` : "no values"}`),
    [...box("reach", 0, 4, 2.5), ...box("half", 1, 3, 1.5), steps(before, y, "before"),
      svg("path", { class: "median", d: quantiles.map((it, at) => (it ? `M${at * UNIT + 1.5} ${y(it[2]).toFixed(1)}h${UNIT - 3}` : "")).join("") })]);
};

const errorRow = (model, places) => {
  const sums = places.map((place) => {
    const errors = model.windows[place].errors, labels = errors.reduce((sum, it) => sum + it.labels, 0);
    const mean = (of) => errors.reduce((sum, it) => sum + of(it) * it.labels, 0) / labels;
    return { labels, rmse: Math.sqrt(mean((it) => it.rmse ** 2)), mae: mean((it) => it.mae) };
  });
  const holdout = places.map((place) => model.champions.find((it) => it.run === model.windows[place].champion)?.rmse ?? NaN);
  const rmse = sums.map((it) => it.rmse), mae = sums.map((it) => it.mae);
  if (!rmse.some(Number.isFinite)) {
    return el("tr", { class: "picture-row" }, el("th", { scope: "row" }, el("span", { class: "label" }, "Error")),
      el("td", { colspan: places.length, class: "nothing" }, "No ground truth has come for these windows. Drop it under ground-truth/incoming/, and the error of each window appears here."));
  }
  const top = Math.max(...[...rmse, ...mae, ...holdout].filter(Number.isFinite)) * 1.05;
  const y = (value) => 2 + (HIGH - 4) * (1 - value / top);
  return pictureRow("Error", places, ["0", significant(top, 3)], "RMSE strong, MAE light; RMSE on the holdout dashed",
    `Errors over time. Newest RMSE ${significant(rmse.findLast(Number.isFinite))}, MAE ${significant(mae.findLast(Number.isFinite))}.`,
    places.map((place, at) => `Window ${model.windows[place].number}: ${sums[at].labels ? `RMSE ${significant(rmse[at])}, MAE ${significant(mae[at])} of ${count(sums[at].labels)} labels, RMSE on the holdout ${significant(holdout[at])}` : "no ground truth"}`),
    [steps(holdout, y, "before"), line(mae, y, "mae"), dots(mae, y, "mae dots"), line(rmse, y, "rmse"), dots(rmse, y, "rmse dots")]);
};

const LEGEND = [["clean", "", "clean"], ["near", "·", "close to its threshold"], ["one", "1", "drifted"], ["two", "2", "twice"], ["three", "4", "four times and more"],
  ["unknown", "?", "too few values"], ["two", "M", "column missing"], ["two", "X", "column new"], ["off", "–", "switched off"], ["none", "", "not analysed"]];

const timeline = (model) => {
  const section = el("section", { class: "timeline", "data-model": model.name }, el("h2", {}, "Timeline of ", el("bdi", {}, model.name)));
  const places = shownWindows(model);
  if (model.windows.length === 0) {
    section.append(el("p", { class: "empty" }, "No monitoring run has looked at this model yet. Each window becomes a column here: how much was predicted, how it was distributed, how far off it was, and which features drifted."));
    return section;
  }
  if (places.length === 0) {
    section.append(el("p", { class: "empty" }, `None of its ${count(model.windows.length)} windows lies in the period. The newest was made on ${time(model.windows.at(-1).to)}.`));
    return section;
  }
  const features = shownFeatures(model).filter((feature) => places.some((place) => feature.cells[place]));
  const of = (kind) => features.filter((feature) => feature.kind === kind);
  const inputs = ordered(of("feature"), places);
  const few = unfolded.has(model.name) ? inputs : inputs.slice(0, FEW_ROWS);
  const trend = wanted.feature ? features.filter((feature) => feature.kind !== "quality") : of("prediction");
  const body = [outcomeRow(model, places), championRow(model, places), volumeRow(model, places),
    // A feature's trend stands above the predictions that were made of it.
    wanted.feature && of("prediction").length === 0 && model.features.filter((it) => it.kind === "prediction").map((it) => trendRow(model, it, places)),
    trend.map((feature) => trendRow(model, feature, places)),
    errorRow(model, places)].flat();
  const heat = [...of("prediction"), ...few].map((feature) => heatRow(model, feature, places));
  const quality = of("quality").map((feature) => heatRow(model, feature, places));
  const title = (text, note) => el("tr", { class: "title" }, el("th", { colspan: places.length + 1, scope: "rowgroup" }, el("span", {}, text, " ", el("small", {}, note))));
  const table = el("table", { class: "windows", role: "grid", "aria-label": `Windows of ${model.name}`, style: `--columns:${places.length}` },
    el("tbody", {}, dateRow(model, places), body.filter(Boolean)),
    heat.length > 0 && el("tbody", {}, title("Data drift", "distance over threshold"), heat),
    quality.length > 0 && el("tbody", {}, title("Model drift", "error over its limit"), quality));
  const scroller = el("div", { class: "scroll", role: "region", "aria-label": `Timeline of ${model.name}` }, table);
  section.append(scroller);
  if (features.length === 0) section.append(el("p", { class: "empty" }, wanted.feature ? "The model has no such feature in these windows." : "No analysis of these windows has compared features."));
  if (inputs.length > FEW_ROWS) {
    const more = unfolded.has(model.name) ? "Show the worst alone" : `Show all ${inputs.length} features`;
    section.append(el("button", { type: "button", class: "more-rows", onclick: () => {
      if (!unfolded.delete(model.name)) unfolded.add(model.name);
      draw();
    } }, more));
  }
  section.append(el("ul", { class: "signs", "aria-label": "Signs" }, LEGEND.map(([level, sign, words]) => el("li", {}, el("span", { class: `heat ${level}`, "aria-hidden": "true" }, sign), words))));
  const now = opened();
  if (now?.model === model) section.append(detailPanel(now));
  return section;
};
