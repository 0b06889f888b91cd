// Elements, and numbers and times as texts. Data reaches the page as text nodes and attributes only.
const NONE = "–";
const SVG = "http://www.w3.org/2000/svg";

const fill = (node, attributes, children) => {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
};
const el = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
const svg = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
const mark = (style) => svg("svg", { class: `mark ${style}`, "aria-hidden": "true" }, svg("use", { href: `#${style}` }));

const group = (digits) => digits.replace(/\B(?=(\d{3})+$)/g, ",");
const count = (value) => (Number.isFinite(value) ? group(String(value)) : NONE);
// So many significant digits, never fewer than the integer part has: 12,346, 0.0123, 1.2 × 10⁻⁷.
const significant = (value, digits = 4) => {
  if (!Number.isFinite(value)) return NONE;
  if (value === 0) return "0";
  const sign = value < 0 ? "−" : "";
  const [mantissa, exponent] = Math.abs(value).toExponential(digits - 1).split("e");
  const trim = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  if (exponent < -4 || exponent >= 12) {
    const raised = [...String(Number(exponent))].map((digit) => (digit === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]));
    return `${sign}${trim(mantissa)} × 10${raised.join("")}`;
  }
  const fixed = trim(Math.abs(value).toFixed(Math.max(0, digits - 1 - exponent)));
  return sign + (fixed.includes(".") ? fixed : group(fixed));
};
// Years have no groups of thousands.
const measured = (value, low, high) => {
  const text = significant(value);
  return low >= 1000 && high < 3000 ? text.replace(",", "") : text;
};
const signed = (value) => (value > 0 ? "+" : "") + significant(value);
const share = (value) => {
  if (!Number.isFinite(value)) return NONE;
  const percent = value * 100;
  if (percent > 0 && percent < 0.01) return "< 0.01 %";
  if (percent !== 0 && Math.abs(percent) < 0.995) return `${percent.toFixed(2)} %`;
  if (percent >= 99.95 && percent < 100) return "> 99.9 %";
  return `${percent === 0 || percent === 100 ? percent : percent.toFixed(1)} %`;
};
const points = (value) => {
  if (!Number.isFinite(value)) return NONE;
  if (value === 0) return "0";
  const text = (Math.abs(value) * 100).toFixed(1);
  return `${text === "0.0" ? "±" : value > 0 ? "+" : "−"}${text} pp`;
};
const distance = (value) => (value > 0 && value < 0.0001 ? "< 0.0001" : significant(value, 3));
const times = (ratio) => (ratio < 0.01 && ratio > 0 ? "< 0.01×" : `${significant(ratio, 2)}×`);

const METRICS = {
  psi: "PSI", wasserstein: "Wasserstein", jensen_shannon: "Jensen–Shannon", l_infinity: "L∞",
  missing: "Missing values", type: "Other type", new_categories: "New categories",
  rmse: "RMSE", mae: "MAE", mse: "MSE", r2: "R²",
};
const metricName = (metric) => METRICS[metric] ?? metric ?? NONE;

const OUTCOMES = { clean: "Clean", drifted: "Drifted", "insufficient-data": "Not enough data", error: "Error" };
const outcomeName = (outcome) => OUTCOMES[outcome] ?? outcome;

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (value) => String(value).padStart(2, "0");
const day = (second) => {
  const date = new Date(second * 1000);
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
};
const clock = (second) => {
  const date = new Date(second * 1000);
  return `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
};
const time = (second) => (Number.isFinite(second) ? `${day(second)} ${new Date(second * 1000).getUTCFullYear()} ${clock(second)}` : NONE);
const span = (from, to) => (day(from) === day(to) ? `${day(from)} ${clock(from)} – ${clock(to)}` : `${day(from)} ${clock(from)} – ${day(to)} ${clock(to)}`);
const duration = (seconds) => {
  if (!Number.isFinite(seconds) || seconds < 0) return NONE;
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h ${two(Math.floor((seconds % 3600) / 60))} min`;
  return `${Math.round(seconds / 86400)} days`;
};
// The digits of a run: what tells it from others in little space.
const short = (run) => (run ? run.slice(17) : NONE);
