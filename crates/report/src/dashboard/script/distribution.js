// A feature before and after: histogram or categories, figures, distances. The shapes are those of the drift report.
const QUANTILES = ["5 %", "25 %", "Median", "75 %", "95 %"];
const unseen = (text) => el("span", { class: "unseen" }, text);
const key = (side) => el("span", { class: `key ${side}` });

// Shares as bars from the bottom; not closed, a line along the bottom would hide the axis.
const bars = (shares, top) => `M0 200${shares.map((value) => `V${Math.round(200 * (1 - (value ?? 0) / top))}h8`).join("")}V200`;
const roundTop = (highest) => {
  const power = 10 ** Math.floor(Math.log10(highest));
  return Math.min(1, [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((step) => step * power).find((top) => top >= highest * 0.9999) ?? 1);
};

const histogram = (detail) => {
  const before = detail.b?.s ?? [], now = detail.n?.s ?? [];
  const highest = Math.max(0, ...before, ...now);
  if (!detail.e || highest === 0) return null;
  const bins = Math.max(before.length, now.length), top = roundTop(highest);
  const edges = detail.e.length > 2 ? detail.e : Array.from({ length: bins + 1 }, (_, place) => detail.e[0] + ((detail.e[1] - detail.e[0]) * place) / bins);
  const low = edges[0], high = edges[bins], middle = (edges[Math.floor(bins / 2)] + edges[Math.ceil(bins / 2)]) / 2;
  const box = { viewBox: `0 -2 ${bins * 8} 203`, preserveAspectRatio: "none", "aria-hidden": "true" };
  const place = (value) => {
    const bin = edges.findIndex((edge, at) => at > 0 && value <= edge);
    if (bin < 0) return bins * 8;
    const width = edges[bin] - edges[bin - 1];
    return (bin - 1 + (width > 0 ? Math.max(0, (value - edges[bin - 1]) / width) : 0.5)) * 8;
  };
  const strip = (side, name) => side?.q?.every(Number.isFinite) && svg("svg", { ...box, class: `strip ${name}`, viewBox: `0 0 ${bins * 8} 10` },
    svg("path", { class: "reach", d: `M${place(side.q[0])} 5H${place(side.q[4])}` }),
    svg("path", { class: "half", d: `M${place(side.q[1])} 5H${place(side.q[3])}` }),
    svg("path", { class: "median", d: `M${place(side.q[2])} 0V10` }));
  const words = (side) => (side?.q ? `median ${significant(side.q[2])}, middle half ${significant(side.q[1])} to ${significant(side.q[3])}` : "not known");
  return el("figure", { class: "histogram", role: "img", "aria-label": `Histogram. Baseline: ${words(detail.b)}. This window: ${words(detail.n)}.` },
    el("p", { class: "legend" }, key("baseline"), "Baseline ", key("current"), "This window"),
    el("div", { class: "plot" },
      el("div", { class: "axis" }, el("span", {}, share(top)), el("span", {}, "0")),
      svg("svg", { ...box, class: "bars" },
        before.length > 0 && svg("path", { class: "baseline", d: bars(before, top) }),
        now.length > 0 && svg("path", { class: "current", d: bars(now, top) })),
      el("div", { class: "strips" }, strip(detail.b, "baseline"), strip(detail.n, "current")),
      el("div", { class: "ticks" }, [low, middle, high].map((edge) => el("span", {}, measured(edge, low, high))))));
};

const categories = (detail) => {
  const of = (side) => new Map(side?.c ?? []);
  const before = of(detail.b), now = of(detail.n);
  const all = [...new Set([...before.keys(), ...now.keys()])];
  if (all.length === 0) return null;
  const largest = (name) => Math.max(before.get(name) ?? 0, now.get(name) ?? 0);
  all.sort((one, other) => largest(other) - largest(one));
  const longest = largest(all[0]) || 1;
  // What a side does not name is nothing where it names all, at most its last share where its list was cut.
  const shown = (known, side, name) => (known.has(name) ? share(known.get(name)) : side?.a ? share(0) : known.size ? `≤ ${share([...known.values()].at(-1))}` : NONE);
  const rows = all.slice(0, 20).map((name) => {
    const tag = !before.has(name) && detail.b?.a ? "new" : !now.has(name) && detail.n?.a ? "vanished" : "";
    const bar = (known, side) => el("i", { class: side, style: `width:${((known.get(name) ?? 0) / longest) * 100}%` });
    const change = (now.get(name) ?? (detail.n?.a ? 0 : NaN)) - (before.get(name) ?? (detail.b?.a ? 0 : NaN));
    return el("tr", {},
      el("th", { scope: "row" }, el("bdi", {}, name), tag && " ", tag && el("span", { class: `tag ${tag}` }, tag)),
      el("td", { class: "paired", "aria-hidden": "true" }, bar(before, "baseline"), bar(now, "current")),
      el("td", { class: "n" }, shown(before, detail.b, name)), el("td", { class: "n" }, shown(now, detail.n, name)),
      el("td", { class: "n change" }, Number.isFinite(change) ? points(change) : ""));
  });
  return [
    el("table", { class: "categories" },
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Category"), el("th", { class: "paired" }, unseen("Bars")),
        el("th", { scope: "col", class: "n" }, key("baseline"), "Baseline"), el("th", { scope: "col", class: "n" }, key("current"), "Window"),
        el("th", { scope: "col", class: "n" }, "Change"))),
      el("tbody", {}, rows)),
    all.length > 20 && el("p", { class: "test" }, `${all.length - 20} rarer categories are not shown.`),
  ];
};

const distances = (detail, cell) => detail.d.length > 0 && [
  el("table", { class: "distances" },
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Distance"), el("th", { scope: "col", class: "n" }, "Value"),
      el("th", { class: "scale" }, unseen("Scale")), el("th", { scope: "col", class: "n" }, "Threshold"))),
    el("tbody", {}, detail.d.map(([metric, value, threshold]) => {
      const reached = value >= threshold;
      return el("tr", { class: reached && "reached" },
        el("th", { scope: "row" }, metricName(metric), metric === cell.k && " ", metric === cell.k && el("span", { class: "tag" }, "decisive")),
        el("td", { class: "n" }, distance(value)),
        el("td", { class: "scale" }, el("span", { class: `bullet${reached ? " reached" : ""}`, "aria-hidden": "true" },
          el("i", { style: `width:${Math.min(100, Math.max(0, (value / threshold) * 50 || 0))}%` }))),
        el("td", { class: "n" }, distance(threshold), reached && unseen(" reached")));
    }))),
  Number.isFinite(detail.q) && el("p", { class: "test" }, `q ${distance(detail.q)} after false-discovery control`),
];

const figures = (detail) => {
  const { b: before, n: now } = detail;
  const row = (label, of, show, change = () => "") => {
    const one = before && of(before), other = now && of(now);
    if ((one ?? null) === null && (other ?? null) === null) return null;
    return el("tr", {}, el("th", { scope: "row" }, label), el("td", { class: "n" }, one == null ? "" : show(one)),
      el("td", { class: "n" }, other == null ? "" : show(other)), el("td", { class: "n change" }, one == null || other == null ? "" : change(one, other)));
  };
  const limits = [before, now].flatMap((side) => (side?.n ? [side.n[2], side.n[3]] : []));
  const number = (value) => measured(value, Math.min(...limits), Math.max(...limits));
  const moved = (one, other) => (one === other ? "0" : signed(Number((other - one).toPrecision(4))));
  const missing = (side) => (side.p + side.m > 0 ? side.m / (side.p + side.m) : null);
  return el("table", { class: "facts" },
    el("thead", {}, el("tr", {}, el("th", {}, unseen("Of the column")), el("th", { scope: "col", class: "n" }, key("baseline"), "Baseline"),
      el("th", { scope: "col", class: "n" }, key("current"), "Window"), el("th", { scope: "col", class: "n" }, "Change"))),
    el("tbody", {},
      row("Type", (side) => side.t, (text) => text, (one, other) => (one === other ? "" : "changed")),
      row("Values", (side) => side.p, count),
      row("Missing", missing, share, (one, other) => points(other - one)),
      row("Different", (side) => side.d, count),
      row("Mean", (side) => side.n?.[0], number, moved),
      row("Std. dev.", (side) => side.n?.[1], significant, moved),
      row("Smallest", (side) => side.n?.[2], number, moved),
      QUANTILES.map((name, place) => row(name, (side) => side.q?.[place], number, moved)),
      row("Largest", (side) => side.n?.[3], number, moved)));
};
