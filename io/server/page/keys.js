// Keys of the computer for what a performer does most. A key presses the very button that stands on the page.
import { el } from "/static/element.js";

const cue = () => document.querySelector("[data-cue=next]");
const bar = (name) => () => document.querySelector(`#reach [data-name=${name}]`);
// [key as it is written, what it does, which events are meant, the button it presses]. Figures go by their place, since
// on some keyboards they are typed with Shift.
const KEYS = [
  ["1 … 9", "Recall preset 1 to 9", (e) => !e.shiftKey && /^(Digit|Numpad)[1-9]$/.test(e.code), (e) => document.querySelector("[data-list=presets]")?.children[Number(e.code.at(-1)) - 1]],
  ["Space or G", "Go to the next cue", (e) => e.key === " " || letter(e, "g"), cue],
  ["B", "Blackout and back", (e) => letter(e, "b"), bar("blackout")],
  ["P", "Hold the picture and let it go on", (e) => letter(e, "p"), bar("paused")],
  ["T", "Tap the tempo", (e) => letter(e, "t"), bar("tap")],
  ["Shift + Escape", "Panic: everything glides back to how the show opened", (e) => e.shiftKey && e.key === "Escape", bar("panic")],
  ["?", "Show this list", (e) => e.key === "?", () => document.getElementById("keys")],
];
const TYPED_INTO = "input:not([type=range]), textarea, select, [contenteditable]";
const PRESSED = "button, a, summary, [role=slider], input";

function letter(event, wanted) {
  return !event.shiftKey && event.key.toLowerCase() === wanted;
}

// `opener` is the button that shows the list.
export function keysIn(opener) {
  const list = el("dl", {}, ...KEYS.flatMap(([key, words]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, words)]));
  const close = el("button", { type: "button", onclick: () => sheet.close() }, "Close");
  const sheet = el("dialog", { id: "sheet", "aria-labelledby": "sheet-title" }, el("h2", { id: "sheet-title" }, "Keys"), list,
    el("p", { className: "quiet" }, "They play while nothing is being typed."), close);
  document.body.append(sheet);
  opener.addEventListener("click", () => sheet.showModal());
  // A click beside it is on the dialog itself.
  sheet.addEventListener("click", (event) => event.target === sheet && sheet.close());

  // Space presses what was walked to by key; after a click it is the cue's, or it would press the last pad again.
  let walked = false;
  addEventListener("pointerdown", () => (walked = false), true);
  addEventListener("keydown", (event) => {
    if (event.key === "Tab") walked = true;
    const at = document.activeElement;
    if (event.defaultPrevented || event.repeat || event.ctrlKey || event.altKey || event.metaKey || sheet.open || at?.matches(TYPED_INTO)) return;
    const found = KEYS.find(([, , meant]) => meant(event));
    if (!found || (event.key === " " && walked && at?.matches(PRESSED))) return;
    const button = found[3](event);
    // What is not there to be pressed is not pressed; the list opens where it has no button, too.
    if (!button || (button !== opener && !button.checkVisibility())) return;
    if (event.key === " ") at?.blur();
    event.preventDefault();
    button.click();
  });
}
