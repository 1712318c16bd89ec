// Presets and cues: the next cue, a pad for each look in store, and a name for the look of the moment.
import { el } from "/static/element.js";
import { fire, on } from "/static/wire.js";

// So many can be recalled by a figure key, which stands on the pad.
const BY_KEY = 9;

export function presetsPanel() {
  const fade = el("input", { type: "number", min: 0, max: 3600, step: "any", placeholder: "own", "aria-label": "Fade in seconds" });
  const within = (what) => (fade.value === "" ? what : { ...what, fade: Math.max(Number(fade.value) || 0, 0) });
  const looks = el("div", { className: "pads", data: { list: "presets" } });
  const pad = (one, i) => el("button", { type: "button", className: "pad", "aria-label": one, "aria-pressed": "false", data: { preset: one },
    onclick: () => fire("preset", within({ preset: one })) }, i < BY_KEY ? el("kbd", {}, String(i + 1)) : null, el("span", {}, one));
  const go = el("button", { type: "button", className: "go", data: { cue: "next" }, onclick: () => fire("cue", within({ cue: "next" })) }, "Go");
  const back = el("button", { type: "button", className: "small", title: "The cue before", onclick: () => fire("cue", within({ cue: "previous" })) }, "Back");
  const first = el("button", { type: "button", className: "small", title: "The first cue", onclick: () => fire("cue", within({ cue: "first" })) }, "First");
  const where = el("span", { className: "quiet" });
  const cues = el("div", { className: "line cues", hidden: true }, go, back, first, where);
  const name = el("input", { type: "text", placeholder: "keep this look as …", maxLength: 64, spellcheck: false, "aria-label": "Name of the preset to store" });
  const store = () => {
    if (!name.value.trim()) return name.focus();
    fire("store", within({ preset: name.value.trim() }));
    name.value = "";
    return undefined;
  };
  name.addEventListener("keydown", (event) => event.key === "Enter" && store());
  let shown = null;
  on("status", ({ presets = [], preset = null, cue = null }) => {
    if (presets.join("\n") !== shown) {
      shown = presets.join("\n");
      looks.replaceChildren(...presets.map(pad));
    }
    for (const one of looks.children) one.setAttribute("aria-pressed", String(one.dataset.preset === preset));
    cues.hidden = cue === null;
    if (cue === null) return;
    go.disabled = cue.next === null;
    where.textContent = `${cue.at} of ${cue.of}${cue.name ? `: ${cue.name}` : ""}${cue.next ? `; next ${cue.next}` : ""}`;
  });
  return el("section", { className: "panel", data: { group: "Presets" } }, el("h2", {}, "Presets"), cues, looks,
    el("div", { className: "line store" }, name, el("button", { type: "button", className: "small", onclick: store }, "Store"),
      el("label", { className: "line" }, el("span", { className: "quiet" }, "Fade"), fade, el("span", { className: "quiet" }, "s"))));
}
