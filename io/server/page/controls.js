// Controls for one value each. Every control has `root`, and `show(value)`, which the wire calls when the show says so;
// a fader also has `move(actual)`, where the value is on its way to the target.
import { drag } from "/static/drag.js";
import { el, figure, plain } from "/static/element.js";
import { later, play } from "/static/wire.js";

function label(row, words = row.name) {
  return el("span", { className: "name" }, plain(words));
}

// `words`: what it is called on the page, where that is not the parameter's name.
export function fader(row, words = row.name) {
  const [lo, hi] = row.range;
  const whole = row.type === "int";
  const step = whole ? 1 : (hi - lo) / 200;
  const fill = el("i", { className: "fill" });
  const mark = el("i", { className: "mark" });
  const number = el("input", { className: "value", type: "text", inputMode: "decimal", "aria-label": `${plain(words)} value` });
  const unit = el("span", { className: "unit" }, row.unit ?? "");
  const home = el("i", { className: "home" });
  const track = el("div", { className: "track", tabIndex: 0, role: "slider", "aria-label": plain(words) }, fill, home, mark);
  track.setAttribute("aria-valuemin", lo);
  track.setAttribute("aria-valuemax", hi);
  const root = el("div", { className: "fader", data: { name: row.name } }, label(row, words), number, unit, track);
  let target = row.default;
  let held = false;

  const part = (value) => (100 * (Math.min(Math.max(value, lo), hi) - lo)) / (hi - lo);
  // A range about zero is lit from there.
  const origin = lo < 0 && hi > 0 ? part(0) : 0;
  const light = (value) => {
    const at = part(value);
    fill.style.left = `${Math.min(origin, at)}%`;
    fill.style.width = `${Math.abs(at - origin)}%`;
  };
  // Where the show opened, which is where a double click goes.
  home.style.left = `${part(row.opening ?? row.default)}%`;
  const place = (value) => {
    target = value;
    mark.style.left = `${part(value)}%`;
    track.setAttribute("aria-valuenow", value);
    if (document.activeElement !== number) number.value = figure(value, hi - lo);
    if (row.slew === null) light(value);
  };
  const set = (value) => {
    const within = Math.min(Math.max(whole ? Math.round(value) : value, lo), hi);
    if (within === target && !held) return;
    place(within);
    play({ [row.name]: whole ? within : Number(within.toPrecision(6)) });
  };
  const follow = (event) => {
    const box = track.getBoundingClientRect();
    set(lo + ((event.clientX - box.left) / box.width) * (hi - lo));
  };

  const hold = (now) => {
    held = now;
    root.classList.toggle("held", now);
    if (!now) later(row.name);
  };
  drag(track, { begin: () => hold(true), move: follow, end: () => hold(false) });
  track.addEventListener("dblclick", () => set(row.opening ?? row.default));
  track.addEventListener("keydown", (event) => {
    const big = event.shiftKey ? 10 : 1;
    const moves = { ArrowRight: step, ArrowUp: step, ArrowLeft: -step, ArrowDown: -step, PageUp: 10 * step, PageDown: -10 * step };
    if (event.key === "Home") set(lo);
    else if (event.key === "End") set(hi);
    else if (event.key in moves) set(target + moves[event.key] * big);
    else return;
    event.preventDefault();
  });
  number.addEventListener("change", () => {
    const value = Number(number.value.replace(",", "."));
    if (Number.isFinite(value)) set(value);
    number.blur();
    place(target);
  });
  number.addEventListener("focus", () => number.select());

  return {
    root,
    show: (value) => !held && typeof value === "number" && place(value),
    move: light,
  };
}

export function toggle(row) {
  const button = el("button", { type: "button", className: "toggle", role: "switch", data: { name: row.name } }, plain(row.name));
  const show = (value) => button.setAttribute("aria-checked", String(Boolean(value)));
  button.addEventListener("click", () => {
    const value = button.getAttribute("aria-checked") !== "true";
    show(value);
    play({ [row.name]: value });
  });
  show(row.default);
  return { root: button, show };
}

export function choice(row) {
  const buttons = row.choices.map((word) => el("button", { type: "button", role: "radio", value: word }, word));
  const show = (value) => {
    for (const button of buttons) button.setAttribute("aria-checked", String(button.value === value));
  };
  for (const button of buttons) {
    button.addEventListener("click", () => {
      show(button.value);
      play({ [row.name]: button.value });
    });
  }
  show(row.default);
  const group = el("div", { className: "segments", role: "radiogroup", "aria-label": plain(row.name) }, ...buttons);
  return { root: el("div", { className: "field", data: { name: row.name } }, label(row), group), show };
}

// A text or a whole number without an end in sight: taken when it is finished, not letter by letter.
export function entry(row) {
  const whole = row.type === "int";
  const input = el("input", { type: "text", inputMode: whole ? "numeric" : "text", spellcheck: false, "aria-label": plain(row.name) });
  input.addEventListener("change", () => {
    const value = whole ? Math.round(Number(input.value)) : input.value;
    if (whole && !Number.isFinite(value)) return;
    play({ [row.name]: value });
  });
  input.addEventListener("blur", () => later(row.name));
  const dice = whole
    ? el("button", { type: "button", className: "small", title: "Another one", onclick: () => {
        input.value = Math.floor(Math.random() * 1e6);
        input.dispatchEvent(new Event("change"));
      } }, "new")
    : null;
  const root = el("div", { className: "field", data: { name: row.name } }, label(row), el("span", { className: "line" }, input, dice));
  return { root, show: (value) => document.activeElement !== input && (input.value = value ?? "") };
}

// Anything else, as JSON: for what has no control of its own yet.
export function json(row) {
  const input = el("textarea", { rows: 1, spellcheck: false, "aria-label": plain(row.name) });
  input.addEventListener("change", () => {
    try {
      play({ [row.name]: JSON.parse(input.value) });
      input.classList.remove("wrong");
    } catch {
      input.classList.add("wrong");
    }
  });
  const root = el("div", { className: "field", data: { name: row.name } }, label(row), input);
  return { root, show: (value) => document.activeElement !== input && (input.value = value === null ? "" : JSON.stringify(value)) };
}
