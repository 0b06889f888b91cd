// The document, and what of it is wanted: the filters, kept in the page's address.
const data = JSON.parse(document.getElementById("data").textContent);
const DAY = 86400;
const PERIODS = [["", "all"], ["1", "last 24 hours"], ["7", "last 7 days"], ["30", "last 30 days"]];
const KEYS = ["model", "feature", "last", "from", "to", "kind", "open"];

const wanted = Object.fromEntries(KEYS.map((key) => [key, ""]));
const readAddress = () => {
  const given = new URLSearchParams(location.hash.slice(1));
  for (const key of KEYS) wanted[key] = given.get(key) ?? "";
  // What the page does not know would hide everything without a way back to be seen.
  if (!data.models.some((model) => model.name === wanted.model)) wanted.model = "";
  if (!featureNames().includes(wanted.feature)) wanted.feature = "";
  if (!PERIODS.some(([value]) => value === wanted.last)) wanted.last = "";
  for (const key of ["from", "to"]) if (!/^\d{4}-\d{2}-\d{2}$/.test(wanted[key])) wanted[key] = "";
};
const writeAddress = () => {
  const kept = new URLSearchParams(KEYS.filter((key) => wanted[key]).map((key) => [key, wanted[key]]));
  // Not a new entry of the history: the way back leads to the page before, not through every filter.
  history.replaceState(null, "", String(kept) ? `#${kept}` : location.pathname + location.search);
};
const isFiltered = () => ["model", "feature", "last", "from", "to"].some((key) => wanted[key]);

const featureNames = () => {
  const names = new Set();
  for (const model of data.models) for (const feature of model.features) names.add(feature.name);
  return [...names].sort((one, other) => one.localeCompare(other));
};
// First and last second that are wanted.
const period = () => {
  let [from, to] = [-Infinity, Infinity];
  if (wanted.last) from = data.generated_at - Number(wanted.last) * DAY;
  if (wanted.from) from = Math.max(from, Date.parse(`${wanted.from}T00:00:00Z`) / 1000);
  if (wanted.to) to = Date.parse(`${wanted.to}T00:00:00Z`) / 1000 + DAY - 1;
  return [from, to];
};
const isWantedModel = (name) => !wanted.model || wanted.model === name;
const shownModels = () => data.models.filter((model) => isWantedModel(model.name));
// The places of the windows that are wanted.
const shownWindows = (model) => {
  const [from, to] = period();
  return model.windows.flatMap((window, place) => (window.to >= from && window.to <= to ? [place] : []));
};
const shownFeatures = (model) => model.features.filter((feature) => !wanted.feature || feature.name === wanted.feature);

// What is opened: a window, or a feature in it. Names may hold anything, so the number stands before them.
const openKey = (model, number, feature) => `${number}/${data.models.indexOf(model)}/${feature ? `${feature.kind}/${feature.name}` : ""}`;
const opened = () => {
  const [, number, model, kind, name] = wanted.open.match(/^(\d+)\/(\d+)\/(?:(\w+)\/(.*))?$/s) ?? [];
  const found = data.models[model];
  const place = found?.windows.findIndex((window) => window.number === Number(number)) ?? -1;
  if (place < 0) return null;
  const feature = found.features.find((it) => it.kind === kind && it.name === name);
  return kind && !feature ? null : { model: found, place, feature };
};
