// Controls of their own kind: the step list, and the box that starts a transition.
import { drag } from "/static/drag.js";
import { el, plain } from "/static/element.js";
import { fire, later, play } from "/static/wire.js";

const apart = (list, i, j) => Math.abs(list[i] - list[j]);

// The middle of the widest way between two steps: what comes in there changes least of how far the input is repainted
// and how finely it ends. Undefined where there is no room.
function between(list) {
  let at = 1;
  for (let i = 2; i < list.length; i += 1) if (apart(list, i, i - 1) > apart(list, at, at - 1)) at = i;
  return list.length > 1 && apart(list, at, at - 1) > 1 ? Math.round((list[at] + list[at - 1]) / 2) : undefined;
}

// Without the step that is missed least: the inner one whose neighbours are closest, of two the last.
function lessOne(list) {
  let at = Math.min(1, list.length - 1);
  for (let i = 2; i < list.length - 1; i += 1) if (apart(list, i - 1, i + 1) < apart(list, at - 1, at + 1)) at = i;
  return list.filter((_, i) => i !== at);
}

// A step list: handles on a line, to drag; the numbers stand below, to be typed.
export function steps(row) {
  const [lo, hi] = row.range;
  const falling = row.name === "denoising_step_list";
  const line = el("div", { className: "line-of-steps" });
  const input = el("input", { type: "text", spellcheck: false, placeholder: "the model's", "aria-label": plain(row.name) });
  const more = el("button", { type: "button", className: "small square", title: "One step more" }, "+");
  const less = el("button", { type: "button", className: "small square", title: "One step less" }, "−");
  const root = el("div", { className: "field", data: { name: row.name } },
    el("span", { className: "name" }, plain(row.name)), line, el("span", { className: "line" }, input, less, more));
  let values = [];
  let held = null;
  let top = hi;

  const sorted = (list) => [...list].sort((a, b) => (falling ? b - a : a - b));
  const draw = () => {
    line.replaceChildren(...values.map((value, i) => {
      const handle = el("i", { data: { i: String(i) } });
      handle.style.left = `${(100 * (value - lo)) / (top - lo)}%`;
      return handle;
    }));
    if (document.activeElement !== input) input.value = values.join(" ");
  };
  const set = (list) => {
    values = sorted(list);
    draw();
    if (values.length) play({ [row.name]: values });
  };

  drag(line, {
    begin: (event) => {
      const at = where(event);
      if (values.length) held = values.reduce((best, value, i) => (Math.abs(value - at) < Math.abs(values[best] - at) ? i : best), 0);
    },
    move: (event) => {
      if (held === null || values[held] === where(event)) return;
      values[held] = where(event);
      draw();
      play({ [row.name]: sorted(values) });
    },
    end: () => {
      held = null;
      values = sorted(values);
      later(row.name);
    },
  });
  const where = (event) => {
    const box = line.getBoundingClientRect();
    const at = lo + ((event.clientX - box.left) / box.width) * (top - lo);
    return Math.round(Math.min(Math.max(at, lo), top));
  };
  input.addEventListener("change", () => set(input.value.split(/[\s,]+/).filter(Boolean).map(Number).filter(Number.isFinite)));
  more.addEventListener("click", () => set([...values, between(values) ?? beyond()]));
  less.addEventListener("click", () => values.length > 1 && set(lessOne(values)));
  // Half way from the last step to the end of the line.
  const beyond = () => {
    const last = values.at(-1) ?? (falling ? top : lo);
    return falling ? Math.max(Math.round(last / 2), lo) : Math.min(Math.round((last + top) / 2), top);
  };

  return {
    root,
    show: (list) => {
      if (held !== null) return;
      values = [...(list ?? [])];
      draw();
    },
    // The line ends where the timestep table ends.
    limit: (end) => {
      top = Math.max(lo + 1, Math.min(end, hi));
      draw();
    },
  };
}

export function transitionBox() {
  const text = el("input", { type: "text", placeholder: "move to …", spellcheck: false, "aria-label": "Prompt to move to" });
  const amount = el("input", { type: "number", min: 0, max: 600, step: "any", value: 4 });
  const chosen = (...words) => el("select", {}, ...words.map(([value, word]) => el("option", { value }, word)));
  const unit = chosen(["seconds", "seconds"], ["beats", "beats"], ["num_steps", "frames"]);
  const easing = chosen(["linear", "even"], ["in", "ease in"], ["out", "ease out"], ["in-out", "ease both"]);
  const method = chosen(["linear", "line"], ["slerp", "sphere"]);
  const captioned = (word, input) => {
    input.setAttribute("aria-label", word);
    return el("label", { className: "captioned" }, el("span", {}, word), input);
  };
  const go = () => {
    if (!text.value.trim()) return text.focus();
    const long = Math.max(Number(amount.value) || 0, 0);
    fire("transition", {
      target_prompts: [{ text: text.value, weight: 1 }],
      [unit.value]: unit.value === "num_steps" ? Math.round(long) : long,
      easing: easing.value,
      temporal_interpolation_method: method.value,
    });
    return undefined;
  };
  text.addEventListener("keydown", (event) => event.key === "Enter" && go());
  const button = el("button", { type: "button", className: "go", onclick: go }, "Go");
  return el("div", { className: "field transition" }, el("span", { className: "name" }, "Transition"),
    el("span", { className: "line" }, text, button), el("span", { className: "how" }, captioned("How long", amount), captioned("Counted in", unit),
      captioned("Easing", easing), captioned("Along a", method)));
}
