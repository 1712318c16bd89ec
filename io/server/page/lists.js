// Controls for lists: weighted prompts, weighted seeds, step lists; and the box that starts a transition.
import { el, plain } from "/static/element.js";
import { fire, later, play } from "/static/wire.js";

// Rows of a text (or number) and a weight. `key` is text or seed.
export function weighted(row, key) {
  const list = el("div", { className: "rows" });
  const add = el("button", { type: "button", className: "small", onclick: () => append({ [key]: key === "seed" ? 1 : "", weight: 1 }, true) }, `+ ${key}`);
  const root = el("div", { className: "field weighted", data: { name: row.name } },
    el("span", { className: "name" }, plain(row.name)), list, add);
  let rows = [];
  // What others set while something is typed here is shown when it is left.
  root.addEventListener("focusout", () => later(row.name));

  const send = () => {
    const values = rows.map((r) => r.value());
    if (values.length) play({ [row.name]: values });
  };
  const append = (value, focus = false) => {
    const made = oneRow(value, key, send, () => {
      rows = rows.filter((r) => r !== made);
      made.root.remove();
      mark();
      send();
    });
    rows.push(made);
    list.append(made.root);
    mark();
    if (focus) made.focus();
  };
  // The last one stays: a picture needs something to be made of.
  const mark = () => list.classList.toggle("single", rows.length < 2);

  return {
    root,
    show: (values) => {
      if (root.contains(document.activeElement) && document.activeElement.matches("input")) return;
      const wanted = values ?? [];
      if (JSON.stringify(wanted) === JSON.stringify(rows.map((r) => r.value()))) return;
      for (const r of rows) r.root.remove();
      rows = [];
      for (const value of wanted) append(value);
      mark();
    },
  };
}

function oneRow(value, key, send, remove) {
  const what = el("input", { type: "text", value: value[key], spellcheck: false, placeholder: key === "text" ? "what is painted" : "",
    inputMode: key === "seed" ? "numeric" : "text", "aria-label": plain(key) });
  const weight = el("input", { type: "range", min: 0, max: 1, step: 0.01, value: Math.min(value.weight, 1), "aria-label": "Weight" });
  const shown = el("output", {}, value.weight.toFixed(2));
  let exact = value.weight;
  weight.addEventListener("input", () => {
    exact = Number(weight.value);
    shown.textContent = exact.toFixed(2);
    send();
  });
  what.addEventListener("change", send);
  what.addEventListener("keydown", (event) => event.key === "Enter" && what.blur());
  const root = el("div", { className: "row" }, what, weight, shown,
    el("button", { type: "button", className: "small", title: "Remove", "aria-label": "Remove", onclick: remove }, "×"));
  return {
    root,
    focus: () => what.focus(),
    value: () => ({ [key]: key === "seed" ? Math.round(Number(what.value)) || 0 : what.value, weight: exact }),
  };
}

// A step list: handles on a line, to drag; the numbers stand below, to be typed.
export function steps(row) {
  const [lo, hi] = row.range;
  const falling = row.name === "denoising_step_list";
  const line = el("div", { className: "line-of-steps" });
  const input = el("input", { type: "text", spellcheck: false, placeholder: "the model's", "aria-label": plain(row.name) });
  const more = el("button", { type: "button", className: "small", title: "One step more" }, "+");
  const less = el("button", { type: "button", className: "small", title: "One step less" }, "−");
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

  line.addEventListener("pointerdown", (event) => {
    if (!values.length) return;
    const at = where(event);
    held = values.reduce((best, value, i) => (Math.abs(value - at) < Math.abs(values[best] - at) ? i : best), 0);
    line.setPointerCapture(event.pointerId);
  });
  line.addEventListener("pointermove", (event) => {
    if (held === null) return;
    values[held] = where(event);
    draw();
    play({ [row.name]: sorted(values) });
  });
  const release = () => {
    held = null;
    values = sorted(values);
    later(row.name);
  };
  line.addEventListener("pointerup", release);
  line.addEventListener("pointercancel", release);
  const where = (event) => {
    const box = line.getBoundingClientRect();
    const at = lo + ((event.clientX - box.left) / box.width) * (top - lo);
    return Math.round(Math.min(Math.max(at, lo), top));
  };
  input.addEventListener("change", () => set(input.value.split(/[\s,]+/).filter(Boolean).map(Number).filter(Number.isFinite)));
  more.addEventListener("click", () => {
    const last = values.at(-1) ?? (falling ? top : lo);
    set([...values, falling ? Math.max(Math.round(last / 2), lo) : Math.min(Math.round((last + top) / 2), top)]);
  });
  less.addEventListener("click", () => values.length > 1 && set(values.slice(0, -1)));

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
  const amount = el("input", { type: "number", min: 0, max: 600, step: "any", value: 4, "aria-label": "How long" });
  const unit = el("select", { "aria-label": "Unit" }, ...[["seconds", "s"], ["beats", "beats"], ["num_steps", "frames"]].map(([value, word]) => el("option", { value }, word)));
  const easing = el("select", { "aria-label": "Easing" }, ...["linear", "in", "out", "in-out"].map((word) => el("option", { value: word }, word)));
  const method = el("select", { "aria-label": "Along" }, ...["linear", "slerp"].map((word) => el("option", { value: word }, word)));
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
    el("span", { className: "line" }, text, button), el("span", { className: "line how" }, amount, unit, easing, method));
}
