// Champions, and runs with their gate decisions, as tables.
const FEW_RUNS = 12;
const KINDS = [["training", "Training"], ["promotion", "Promotions"], ["scoring", "Batch scoring"], ["monitoring", "Monitoring"]];
const DECISIONS = {
  exported: ["clean", "Exported"], held: ["drifted", "Held: people decide"],
  "rejected-threshold": ["none", "Rejected: over the threshold"], "rejected-champion": ["none", "Rejected: no better than the champion"],
  "rejected-naive": ["none", "Rejected: no better than naive"], "rejected-by-person": ["none", "Rejected by a person"],
  superseded: ["disabled", "Superseded"], failed: ["error", "Failed"], refused: ["drifted", "Refused"],
};
const STARTED_BY = { drop: "a dropped file", drift: "drift", tick: "the clock", person: "a person" };
let allRuns = false;

const table = (heads, rows) => el("table", { class: "wide list" },
  el("thead", {}, el("tr", {}, heads.map(([text, name]) => el("th", { scope: "col", class: name }, text)))),
  el("tbody", {}, rows));
// The heading stands in the cell too: on narrow screens a row is a block of its own.
const cell = (label, name, ...content) => el("td", { class: name, "data-label": label }, content);

const drawChampions = () => {
  const section = document.getElementById("champions"), box = section.querySelector(".scroll");
  const rows = shownModels().flatMap((model) => model.champions.map((champion, at) => {
    const before = model.champions[at + 1], until = at > 0 ? model.champions[at - 1].exported : data.generated_at;
    const change = before ? champion.rmse / before.rmse - 1 : NaN;
    return el("tr", { class: champion.current && "now" },
      el("th", { scope: "row" }, el("bdi", {}, model.name), " ", champion.current && el("span", { class: "tag serves" }, "serves")),
      cell("Version", "", el("code", {}, champion.run)),
      cell("Exported", "", time(champion.exported)),
      cell("Served", "n", duration(until - champion.exported)),
      cell("RMSE on holdout", "n", significant(champion.rmse), Number.isFinite(change) && el("span", { class: "change" }, ` ${change > 0 ? "+" : change < 0 ? "−" : "±"}${Math.abs(change * 100).toFixed(1)} %`)),
      cell("Rows", "n", count(champion.rows)),
      cell("Baselines", "", champion.baselines ? "yes" : "none: drift cannot be judged"));
  }));
  box.replaceChildren(rows.length
    ? table([["Model"], ["Version"], ["Exported"], ["Served", "n"], ["RMSE on holdout", "n"], ["Rows", "n"], ["Baselines"]], rows)
    : el("p", { class: "empty" }, "There is no champion yet. The first candidate that passes the gate appears here."));
  section.hidden = false;
};

const decision = (run) => {
  const [style, text] = DECISIONS[run.decision] ?? (run.status === "SUCCEEDED" ? ["clean", "Succeeded"] : ["error", run.status.toLowerCase().replace("_", " ")]);
  return el("span", { class: "finding" }, mark(style), text);
};
const startedBy = (run) => [STARTED_BY[run.by] ?? run.by, run.source && el("code", { class: "source", title: run.source }, run.source.split("/").at(-1) || run.source)];

const onChampions = (value) => Number.isFinite(value) && el("span", { class: "source" }, `${significant(value)} on the champion’s holdout`);

const trainingRow = (run) => el("tr", { class: run.decision },
  el("th", { scope: "row" }, el("bdi", {}, run.model), el("code", { class: "source" }, run.run)),
  cell("Started", "", time(run.start)),
  cell("Started by", "", startedBy(run)),
  cell("Decision", "", decision(run), run.reason && el("span", { class: "why" }, run.reason)),
  cell("Candidate", "n", significant(run.candidate), onChampions(run.candidate_on_champions)),
  cell("Champion", "n", significant(run.champion), onChampions(run.champion_on_champions), run.opponent && el("code", { class: "source" }, short(run.opponent))),
  cell("Naive", "n", significant(run.naive)),
  cell("Metric", "n", significant(run.metric)),
  cell("Threshold", "n", significant(run.threshold)));
const otherRow = (run) => el("tr", {},
  el("th", { scope: "row" }, el("bdi", {}, run.model === "all" ? "all models" : run.model), el("code", { class: "source" }, run.run)),
  cell("Started", "", time(run.start)),
  cell("Started by", "", startedBy(run)),
  cell("End", "", decision(run), run.reason && el("span", { class: "why" }, run.reason)),
  cell("Took", "n", duration(run.stop - run.start)),
  run.kind === "scoring" && [cell("Scored rows", "n", count(run.scored)), cell("Rejected", "n", count(run.rejected))]);

const drawRuns = () => {
  const section = document.getElementById("runs"), box = section.querySelector(".scroll");
  const [from, to] = period();
  const fits = data.runs.filter((run) => (run.model === "all" || isWantedModel(run.model)) && (run.start === null || (run.start >= from && run.start <= to)));
  const kind = KINDS.some(([name]) => name === wanted.kind) ? wanted.kind : "training";
  section.querySelector(".kinds").replaceChildren(...KINDS.map(([name, text]) => el("button", { type: "button", "aria-pressed": String(name === kind), onclick: () => {
    wanted.kind = name === "training" ? "" : name;
    allRuns = false;
    changed();
    section.querySelector("[aria-pressed=true]").focus();
  } }, text, " ", el("span", { class: "count" }, count(fits.filter((run) => run.kind === name).length)))));
  const runs = fits.filter((run) => run.kind === kind);
  const heads = kind === "training"
    ? [["Model, run"], ["Started"], ["Started by"], ["Decision"], ["Candidate", "n"], ["Champion", "n"], ["Naive", "n"], ["Metric", "n"], ["Threshold", "n"]]
    : [["Model, run"], ["Started"], ["Started by"], ["End"], ["Took", "n"], ...(kind === "scoring" ? [["Scored rows", "n"], ["Rejected", "n"]] : [])];
  const shown = allRuns ? runs : runs.slice(0, FEW_RUNS);
  const words = { training: "Drop a CSV under training/incoming/: the run and the gate’s decision on each model appear here.", scoring: "Drop a CSV under scoring/incoming/: the run and its rows appear here.", monitoring: "The clock starts them once a model serves." };
  box.replaceChildren(...[runs.length ? table(heads, shown.map(kind === "training" ? trainingRow : otherRow))
    : el("p", { class: "empty" }, `No such run ${isFiltered() ? "fits the filters" : "has ended yet"}. ${isFiltered() ? "" : words[kind]}`),
  runs.length > FEW_RUNS && el("button", { type: "button", class: "more-rows", onclick: () => { allRuns = !allRuns; drawRuns(); } }, allRuns ? "Show the newest alone" : `Show all ${runs.length} runs`)].filter(Boolean));
  section.hidden = false;
};
