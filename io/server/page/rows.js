// Controls for lists, a row for each entry: weighted prompts and seeds, scaled LoRAs, reference images.
import { el, plain } from "/static/element.js";
import { later, play } from "/static/wire.js";

// What a row holds beside its text, number or file: the name it goes by in messages, and how far a slider takes it. The
// number can be typed, and may then be anything in the parameter's range.
const AMOUNTS = { text: ["weight", 0, 1], seed: ["weight", 0, 1], path: ["scale", -2, 2] };
const ADD = { text: "+ prompt", seed: "+ seed", path: "+ file" };

// Rows of a text, number or file and how much of it. `key` is text, seed or path.
export function weighted(row, key) {
  return rowsOf(row, key, (value, send, remove) => oneRow(value, key, send, remove));
}

// Rows of files alone.
export function files(row) {
  return rowsOf(row, "path", oneFile);
}

function rowsOf(row, key, make) {
  const list = el("div", { className: "rows" });
  const empty = key === "seed" ? 1 : "";
  const fresh = row.type === "paths" ? "" : { [key]: empty, [AMOUNTS[key][0]]: 1 };
  const add = el("button", { type: "button", className: "small", onclick: () => append(fresh, true) }, ADD[key]);
  const root = el("div", { className: "field weighted", data: { name: row.name } },
    el("span", { className: "line title" }, el("span", { className: "name" }, plain(row.name)), add), list);
  let rows = [];
  // What others set while something is typed here is shown when it is left.
  root.addEventListener("focusout", () => later(row.name));
  // A file that is not named yet is not asked for.
  const named = () => rows.map((r) => r.value()).filter((value) => (value.path ?? value) !== "" || key !== "path");
  const send = () => {
    const values = named();
    if (values.length || key === "path") play({ [row.name]: values });
  };
  const append = (value, focus = false) => {
    const made = make(value, send, () => {
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
  const mark = () => list.classList.toggle("single", rows.length < 2 && key !== "path");

  return {
    root,
    show: (values) => {
      if (root.contains(document.activeElement) && document.activeElement.matches("input")) return;
      const wanted = values ?? [];
      if (JSON.stringify(wanted) === JSON.stringify(named())) return;
      for (const r of rows) r.root.remove();
      rows = [];
      for (const value of wanted) append(value);
      mark();
    },
  };
}

// Files are kept by their whole path, and shown by their name.
function fileInput(path, send) {
  const input = el("input", { type: "text", spellcheck: false, placeholder: "file", "aria-label": "File", title: path });
  let kept = path;
  input.value = path.split("/").at(-1);
  input.setAttribute("list", "assets");
  input.addEventListener("change", () => {
    kept = input.value.trim();
    send();
  });
  return { input, path: () => kept };
}

function remover(remove) {
  return el("button", { type: "button", className: "small square", title: "Remove", "aria-label": "Remove", onclick: remove }, "×");
}

function oneRow(value, key, send, remove) {
  const [amount, lo, hi] = AMOUNTS[key];
  const file = key === "path" ? fileInput(value.path, send) : null;
  const what = file?.input ?? el("input", { type: "text", value: value[key], spellcheck: false, placeholder: key === "text" ? "what is painted" : "",
    inputMode: key === "seed" ? "numeric" : "text", "aria-label": plain(key) });
  let exact = value[amount];
  const slider = el("input", { type: "range", min: lo, max: hi, step: 0.01, value: exact, "aria-label": plain(amount) });
  const number = el("input", { className: "value", type: "text", inputMode: "decimal", value: exact.toFixed(2), "aria-label": `${plain(amount)} value` });
  const set = (given) => {
    exact = given;
    if (document.activeElement !== number) number.value = exact.toFixed(2);
    send();
  };
  slider.addEventListener("input", () => set(Number(slider.value)));
  number.addEventListener("change", () => {
    const given = Number(number.value.replace(",", "."));
    number.blur();
    if (!Number.isFinite(given)) return set(exact);
    slider.value = given;
    return set(key === "path" ? given : Math.max(given, 0));
  });
  number.addEventListener("focus", () => number.select());
  if (!file) what.addEventListener("change", send);
  what.addEventListener("keydown", (event) => event.key === "Enter" && what.blur());
  const root = el("div", { className: "row" }, what, slider, number, remover(remove));
  const named = () => (file ? file.path() : key === "seed" ? Math.round(Number(what.value)) || 0 : what.value);
  return { root, focus: () => what.focus(), value: () => ({ [key]: named(), [amount]: exact }) };
}

function oneFile(value, send, remove) {
  const { input, path } = fileInput(value, send);
  return { root: el("div", { className: "row bare" }, input, remover(remove)), focus: () => input.focus(), value: path };
}

// The names of the assets folder, to be chosen where a file is asked for.
export async function offerAssets() {
  const answer = await fetch("/api/v1/assets").catch(() => null);
  if (!answer?.ok) return;
  const { assets } = await answer.json();
  document.getElementById("assets").replaceChildren(...assets.map(({ name }) => el("option", { value: name })));
}
