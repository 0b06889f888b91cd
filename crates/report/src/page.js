"use strict";
// The box that finds features by their names. It stays hidden where no script runs.
const filter = document.querySelector(".filter");
if (filter) {
  const input = filter.querySelector("input"), found = filter.querySelector("output");
  const cards = [...document.querySelectorAll(".feature")];
  const apply = () => {
    const wanted = input.value.trim().toLowerCase();
    let shown = 0;
    for (const card of cards) {
      card.hidden = !card.querySelector(".name").textContent.toLowerCase().includes(wanted);
      if (!card.hidden) shown += 1;
    }
    for (const group of document.querySelectorAll("details.group")) {
      if (wanted && group.querySelector(".feature:not([hidden])")) group.open = true;
    }
    found.textContent = wanted ? `${shown} of ${cards.length} features` : "";
  };
  filter.hidden = false;
  input.addEventListener("input", apply);
  apply();
}
// A link to a card opens it and what it lies in.
const reveal = () => {
  let node = location.hash && document.getElementById(location.hash.slice(1));
  for (; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
};
addEventListener("hashchange", reveal);
reveal();
// On paper nothing can be opened: what drifted is printed in full.
let closed = [];
addEventListener("beforeprint", () => {
  closed = [...document.querySelectorAll("details.drifted:not([open]), details.segment:not([open])")];
  for (const details of closed) details.open = true;
});
addEventListener("afterprint", () => closed.forEach((details) => (details.open = false)));
