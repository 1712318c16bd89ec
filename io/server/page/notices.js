// What the show says: the newest for a while in a strip of the header, all of it in a list below that a button opens.
// Neither lies over the picture, and nothing under a finger moves unless the list is asked for.
import { el } from "/static/element.js";
import { on } from "/static/wire.js";

const WORDS = { info: "Note", warning: "Warning", fault: "Fault" };
const ORDER = Object.keys(WORDS);
// While a warning about one of these stands, a part of the show is gone; others are good to know.
const LOSSES = new Set(["source", "sink", "render", "loop", "model", "server", "journal"]);
const SECONDS = { info: 6, warning: 12, fault: 15 };
const ECHO_MS = 300;
const MOST = 99;
const REMEMBERED = 2000;

function severity({ level, key }) {
  if (level < 30) return "info";
  return level >= 40 || LOSSES.has(key.split(":")[0]) ? "fault" : "warning";
}

// "source:camera:over" says that what "source:camera" said is over, and takes its place.
const subject = (key) => key.replace(/:over$/, "");

function clock(seconds) {
  return new Date(Date.now() - 1000 * seconds).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

// `button` counts them and opens `list`; `strip` says the newest.
export function noticesIn(list, button, strip) {
  const lines = new Map();
  const heard = new Set();
  const rows = el("ol");
  const all = el("button", { type: "button", className: "small", onclick: () => dismiss([...lines.keys()]) }, "Dismiss all");
  list.append(all, rows);

  const open = (wanted) => {
    list.hidden = !wanted;
    button.setAttribute("aria-expanded", String(wanted));
    if (wanted) strip.replaceChildren();
  };
  const count = () => {
    const worst = Math.max(0, ...[...lines.values()].map((line) => ORDER.indexOf(line.dataset.level)));
    button.hidden = lines.size === 0;
    button.dataset.level = ORDER[worst];
    const word = lines.size === 1 ? " notice" : " notices";
    button.setAttribute("aria-label", `${lines.size}${word}`);
    button.replaceChildren(String(lines.size), el("span", {}, word));
    if (lines.size === 0) open(false);
  };
  const dismiss = (keys) => {
    for (const key of keys) {
      lines.get(key)?.remove();
      lines.delete(key);
    }
    strip.replaceChildren();
    count();
  };
  // Under one key the newest stands for all that was said before.
  const keep = (notice, ago) => {
    const key = subject(notice.key);
    const level = severity(notice);
    lines.get(key)?.remove();
    lines.delete(key);
    const drop = el("button", { type: "button", className: "small square", "aria-label": `Dismiss: ${notice.text.slice(0, 80)}`, onclick: () => {
      const next = line.nextElementSibling ?? line.previousElementSibling;
      dismiss([key]);
      (next?.querySelector("button") ?? button).focus();
    } }, "×");
    const line = el("li", { data: { level } }, el("b", {}, WORDS[level]), el("span", {}, notice.text), el("small", {}, clock(ago)), drop);
    lines.set(key, line);
    rows.prepend(line);
    if (lines.size > MOST) dismiss([lines.keys().next().value]);
    count();
    return level;
  };
  let quiet = 0;
  const say = (notice) => {
    const level = keep(notice, 0);
    if (!list.hidden) return;
    strip.replaceChildren(el("button", { type: "button", data: { level }, title: "All notices", onclick: () => open(true) }, el("span", {}, notice.text)));
    clearTimeout(quiet);
    quiet = setTimeout(() => strip.replaceChildren(), 1000 * SECONDS[level]);
  };
  const fresh = (notice) => {
    const mark = `${notice.t} ${notice.text}`;
    if (heard.has(mark)) return false;
    if (heard.size > REMEMBERED) heard.clear();
    heard.add(mark).add(notice.text);
    return true;
  };

  // What was said before the page came stands in the list, and is not said again.
  on("past", ({ errors = [], seconds }) => errors.filter(fresh).forEach((one) => keep({ level: 30, ...one }, seconds - one.t)));
  on("notices", (news) => news.filter(fresh).forEach(say));
  // The data channel answers this page, and repeats what everybody is told, which comes as a notice at the same time.
  on("fault", ({ key, message, level = 30 }) => message && setTimeout(() => {
    if (!heard.has(message)) say({ key: `page:${key || message}`, level, text: message });
  }, ECHO_MS));
  button.addEventListener("click", () => open(list.hidden));
  list.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.shiftKey) return;
    event.stopPropagation();
    open(false);
    button.focus();
  });
  open(false);
}
