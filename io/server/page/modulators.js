// Modulators: how far each swings, and a button for each envelope that can be hit.
import { fader } from "/static/controls.js";
import { el } from "/static/element.js";
import { fire, on } from "/static/wire.js";

const KNOB = /^modulator\/(.+)\/depth$/;

export const isModulator = (row) => KNOB.test(row.name);

// `make` keeps each control for the wire.
export function modulatorsPanel(rows, make) {
  const depths = rows.map((row) => make(row, () => fader(row, row.name.match(KNOB)[1])));
  const hits = el("div", { className: "line wrap", hidden: true });
  let shown = null;
  on("status", ({ envelopes = [] }) => {
    if (envelopes.join("\n") === shown) return;
    shown = envelopes.join("\n");
    hits.hidden = envelopes.length === 0;
    hits.replaceChildren(...envelopes.map((name) => el("button", { type: "button", className: "small", title: "Hit",
      onclick: () => fire("hit", name) }, name)));
  });
  return el("section", { className: "panel", data: { group: "Modulators" } }, el("h2", {}, "Modulators"), ...depths, hits);
}
