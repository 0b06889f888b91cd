// What a cell opens: a feature in a window, or the window, and where its data lies.
const COPIED_MS = 1500;
const STATUS = { c: "Clean", d: "Drifted", i: "Too few values to say", m: "Missing in the window", x: "Not in the baseline", o: "Switched off by the baseline" };
const STATUS_MARKS = { c: "clean", d: "drifted", i: "insufficient-data", m: "lacking", x: "lacking", o: "disabled" };
const ANALYSES = { data: "Data drift", quality: "Model drift", window: "Window" };

const copyButton = (text) => {
  const button = el("button", { type: "button", class: "copy", "aria-label": `Copy ${text}` }, "copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "copied";
    } catch {
      // Files have no clipboard in some browsers: the text is selected, for the person to copy.
      getSelection().selectAllChildren(button.previousElementSibling);
      button.textContent = "selected";
    }
    setTimeout(() => (button.textContent = "copy"), COPIED_MS);
  });
  return button;
};
const place = (label, text) => text && el("div", {}, el("dt", {}, label), el("dd", {}, el("code", {}, text), copyButton(text)));

const sources = (window) => el("div", { class: "sources" },
  el("h4", {}, "Where it comes from"),
  el("dl", {},
    place("Rows analysed", window.data), place("Capture files", window.sources),
    window.scoring.map((run) => place("Scoring run", run)),
    window.analyses.map((analysis) => place(`${ANALYSES[analysis.kind] ?? analysis.kind}, report`, analysis.report)),
    place("Monitoring run", window.run), place("Champion", window.champion), place("Endpoint configuration", window.config)));

const sentence = (cell) => {
  const of = `${metricName(cell.k)} ${distance(cell.v)}`;
  const limit = cell.t === undefined ? "" : `, threshold ${distance(cell.t)}`;
  const ratio = cell.r > 0 && cell.t !== undefined && cell.k !== "r2" ? `: ${times(cell.r)} the threshold` : "";
  return cell.v === undefined ? "" : `${of}${limit}${ratio}`;
};

const featureBody = (model, window, feature, at) => {
  const cell = feature.cells[at];
  if (!cell) return [el("p", { class: "nothing" }, "This window was not analysed for it."), sources(window)];
  const detail = data.details[cell.d];
  const parts = [el("p", { class: "finding-line" }, mark(STATUS_MARKS[cell.s]), el("b", {}, STATUS[cell.s]), el("span", {}, sentence(cell)))];
  if (cell.s === "c" && cell.r >= 1 && feature.kind !== "quality") {
    parts.push(el("p", { class: "note" }, "The distance is large, but chance alone could be its cause: the feature is not called drifted."));
  }
  if (detail) {
    const list = categories(detail), chart = histogram(detail);
    parts.push(el("div", { class: "body" },
      el("div", { class: "picture" }, chart, list, !chart && !list && el("p", { class: "nothing" }, "There is no distribution that both sides have in common."), !list && distances(detail, cell)),
      el("div", { class: "figures" }, figures(detail), list && distances(detail, cell))));
  } else if (feature.kind !== "quality") {
    parts.push(el("p", { class: "nothing" }, "The distributions of this window are not kept in the page, to bound its size; the analyzer's report has them."));
  }
  parts.push(sources(window));
  return parts;
};

const windowBody = (model, window, at) => {
  const found = model.features.filter((feature) => "dmx".includes(feature.cells[at]?.s ?? " "));
  found.sort((one, other) => (other.cells[at].r ?? 0) - (one.cells[at].r ?? 0));
  const labels = window.errors.reduce((sum, errors) => sum + errors.labels, 0);
  return [
    window.analyses.map((analysis) => el("p", { class: "finding-line" }, mark(analysis.outcome), el("b", {}, `${ANALYSES[analysis.kind] ?? analysis.kind}: ${outcomeName(analysis.outcome)}`), el("span", {}, analysis.reason))),
    el("dl", { class: "tiles" },
      window.analyses.map((analysis) => el("div", {}, el("dt", {}, `Rows, ${(ANALYSES[analysis.kind] ?? analysis.kind).toLowerCase()}`), el("dd", {}, count(analysis.rows)),
        el("dd", { class: "more" }, `baseline ${count(analysis.baseline_rows)}${analysis.skipped ? `, ${count(analysis.skipped)} skipped` : ""}`))),
      el("div", {}, el("dt", {}, "Ground truth joined"), el("dd", {}, count(window.labels)), el("dd", { class: "more" }, `of ${count(window.predictions)} predictions that wait for it`)),
      window.errors.map((errors) => el("div", {}, el("dt", {}, `RMSE of ${short(errors.champion)}`), el("dd", {}, significant(errors.rmse)), el("dd", { class: "more" }, `MAE ${significant(errors.mae)}, mean error ${signed(errors.off)}, ${count(errors.labels)} labels`)))),
    found.length > 0 && el("div", { class: "found" }, el("h4", {}, "What drifted"),
      el("ul", {}, found.map((feature) => el("li", {},
        el("button", { type: "button", class: "link", onclick: () => openCell(openKey(model, window.number, feature)) }, el("bdi", {}, lineName(feature))),
        el("span", {}, sentence(feature.cells[at]) || STATUS[feature.cells[at].s]))))),
    labels === 0 && window.labels === 0 && el("p", { class: "nothing" }, "No ground truth came in this window: its errors are not known yet."),
    sources(window),
  ];
};

const isNamedOtherwise = (feature) => feature?.kind === "prediction" && feature.name !== "prediction";
const lineName = (feature) => (feature.kind === "quality" ? metricName(feature.name) : feature.name);

const detailPanel = ({ model, place: at, feature }) => {
  const window = model.windows[at];
  const shown = shownWindows(model);
  const go = (step) => {
    const next = shown[shown.indexOf(at) + step];
    return el("button", { type: "button", disabled: next === undefined || !shown.includes(at),
      onclick: () => openCell(openKey(model, model.windows[next].number, feature)) }, step < 0 ? "← older" : "newer →");
  };
  return el("section", { class: "detail", "aria-label": feature ? `${lineName(feature)} in window ${window.number}` : `Window ${window.number}` },
    el("div", { class: "head" },
      el("h3", { tabindex: "-1" }, el("bdi", {}, feature ? lineName(feature) : `Window ${window.number}`), isNamedOtherwise(feature) && [" ", el("span", { class: "role" }, "prediction")]),
      el("p", { class: "when" }, `${feature ? `window ${window.number}, ` : ""}${span(window.from, window.to)}`),
      el("div", { class: "go" }, go(-1), go(1), feature && el("button", { type: "button", onclick: () => openCell(openKey(model, window.number, null)) }, "window"),
        el("button", { type: "button", class: "close", onclick: closeCell }, "close"))),
    feature ? featureBody(model, window, feature, at) : windowBody(model, window, at));
};
