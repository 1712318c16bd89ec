// What a control does, in a line under it: opened at its name, by finger, mouse or key. The words are the table's own.
import { el, plain } from "/static/element.js";

let made = 0;

function facts({ range, unit, osc }) {
  const span = range ? `${range[0]} to ${range[1]}${unit ? ` ${unit}` : ""}` : "";
  return [span, osc ?? ""].filter(Boolean).join(" · ");
}

// The control `root` of a parameter or an action, with its help; `about` is its entry in the table. A control that shows
// its name opens it there; one that is a button as a whole has a button beside it.
export function explained(about, root) {
  const id = `help-${(made += 1)}`;
  const line = el("p", { className: "help", id, hidden: true }, about.help, " ", el("code", {}, facts(about)));
  const name = root.querySelector(".name");
  const word = name?.textContent ?? plain(about.name);
  const ask = el("button", { type: "button", className: name ? "name" : "small square ask", "aria-expanded": "false", "aria-controls": id,
    "aria-label": `${word}: help`, onclick: () => {
      line.hidden = !line.hidden;
      ask.setAttribute("aria-expanded", String(!line.hidden));
    } }, name ? word : "?", name ? el("i", { "aria-hidden": "true" }, "?") : null);
  root.title ||= `${about.help}\n${about.osc ?? ""}`.trim();
  if (!name) return el("div", { className: "asked" }, root, ask, line);
  name.replaceWith(ask);
  root.append(line);
  return root;
}
