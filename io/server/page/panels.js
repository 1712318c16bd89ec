// What the show is made of and how it is: sources, sinks, messages, faults, figures.
import { el } from "/static/element.js";
import { fire, known, on, play } from "/static/wire.js";

const SOURCES = ["demo", "test-pattern", "camera", "screen", "file", "stream", "spout", "syphon", "ndi", "webrtc", "none"];
const SINKS = ["window", "spout", "syphon", "ndi", "virtual-camera", "file", "stream"];
const SAID_AS = { webrtc: "this browser's camera" };

function state(word) {
  return el("span", { className: "state", data: { state: word ?? "" } }, word ?? "");
}

function chooser(kinds, act, words) {
  const kind = el("select", { "aria-label": words }, ...kinds.map((k) => el("option", { value: k }, SAID_AS[k] ?? k)));
  const name = el("input", { type: "text", placeholder: "name, file or URL", spellcheck: false, "aria-label": "Name" });
  const go = () => act(kind.value, name.value.trim());
  name.addEventListener("keydown", (event) => event.key === "Enter" && go());
  return el("div", { className: "line" }, kind, name, el("button", { type: "button", className: "small", onclick: go }, "Take"));
}

export function sourcesPanel(useCamera) {
  const rows = el("div", { className: "list" });
  on("status", ({ source, sources }) => {
    const all = sources ?? (source ? [source] : []);
    rows.replaceChildren(...all.map((s) => el("div", { className: "item", data: { on: String(s.spec === source?.spec) } },
      el("b", { title: s.spec }, s.name), state(s.state), el("small", {}, s.error ?? ""))));
  });
  const take = (kind, name) => {
    play({ input_source: { enabled: true, source_type: kind, source_name: name } });
    useCamera(kind === "webrtc");
  };
  const home = el("button", { type: "button", className: "small", onclick: () => {
    play({ input_source: { enabled: false } });
    useCamera(false);
  } }, "The show's own");
  return el("section", { className: "panel" }, el("h2", {}, "Source"), rows, chooser(SOURCES, take, "Source"), home);
}

export function sinksPanel() {
  const rows = el("div", { className: "list" });
  on("status", ({ sinks }) => {
    rows.replaceChildren(...(sinks ?? []).map((s) => {
      const kind = kindOf(s.spec ?? s.name);
      const off = el("button", { type: "button", className: "small", title: "Stop", "aria-label": `Stop ${s.name}`,
        onclick: () => play({ output_sinks: { [kind]: { enabled: false, name: nameOf(s.spec ?? "") } } }) }, "×");
      return el("div", { className: "item", data: { on: String(s.state === "writing") } },
        el("b", { title: s.spec }, s.name), state(s.state), el("small", {}, s.error ?? `${s.written} frames`), off);
    }));
  });
  const take = (kind, name) => play({ output_sinks: { [kind]: { enabled: true, name } } });
  return el("section", { className: "panel" }, el("h2", {}, "Outputs"), rows, chooser(SINKS, take, "Output"));
}

function kindOf(spec) {
  if (spec.includes("://")) return "stream";
  const word = spec.split(":")[0];
  return ["window", "null", "spout", "syphon", "ndi", "virtual-camera"].includes(word) ? word : "file";
}

function nameOf(spec) {
  if (kindOf(spec) === "file" || kindOf(spec) === "stream") return spec;
  return spec.split(":").slice(1).join(":");
}

export function activityPanel() {
  const rows = el("div", { className: "list activity", "aria-label": "Messages" });
  const lines = new Map();
  rows.append(el("p", { className: "quiet" }, "What OSC, MIDI and other pages send is shown here, with what it plays."));
  on("activity", (news) => {
    rows.querySelector(".quiet")?.remove();
    for (const { port, address, value, plays } of news) {
      const key = `${port} ${address}`;
      lines.get(key)?.remove();
      const line = el("div", { className: "item", data: { idle: String(plays.length === 0) } },
        el("i", { className: "spark" }), el("b", {}, port), el("code", {}, address), el("span", {}, value),
        el("small", {}, plays.length ? plays.join(", ") : "plays nothing"));
      lines.set(key, line);
      rows.prepend(line);
    }
    while (rows.children.length > 24) rows.lastChild.remove();
    for (const [key, line] of lines) if (!line.isConnected) lines.delete(key);
  });
  return el("section", { className: "panel grow" }, el("h2", {}, "Messages"), rows);
}

export function faultsIn(place) {
  const say = (words, level) => {
    if (!words) return;
    const old = [...place.children].find((line) => line.dataset.words === words);
    old?.remove();
    const line = el("p", { data: { level, words } }, words);
    place.prepend(line);
    setTimeout(() => line.remove(), level === "fault" ? 15000 : 6000);
    while (place.children.length > 3) place.lastChild.remove();
  };
  on("fault", ({ message }) => say(message, "fault"));
  on("notices", (lines) => lines.forEach(({ text, level }) => say(text, level >= 30 ? "fault" : "word")));
  on("status", ({ errors }) => {
    if (place.childElementCount === 0 && !place.dataset.shown && errors?.length) say(errors.at(-1).text, "fault");
    place.dataset.shown = "yes";
  });
}

export function figuresIn(place) {
  const cells = {};
  const rows = [["fps", "fps"], ["latency", "ms"], ["drops", ""], ["bpm", ""]];
  for (const [name] of rows) {
    cells[name] = el("dd", {}, "–");
    place.append(el("div", { title: name }, el("dt", {}, name), cells[name]));
  }
  on("status", (s) => {
    const ms = s.latency_ms?.p50 ?? s.render_ms?.p50;
    cells.fps.textContent = s.fps?.toFixed(1) ?? "–";
    cells.latency.textContent = ms === undefined || ms === null ? "–" : `${Math.round(ms)} ms`;
    cells.drops.textContent = s.dropped ?? "–";
    cells.bpm.textContent = known.parameters.tempo?.toFixed(0) ?? "–";
  });
}

// What must be within reach at any moment.
export function reach(place) {
  const flip = (name, word, help) => {
    const button = el("button", { type: "button", role: "switch", title: help, data: { name } }, word);
    button.addEventListener("click", () => play({ [name]: button.getAttribute("aria-checked") !== "true" }));
    on("parameters", (changed) => name in changed && button.setAttribute("aria-checked", String(Boolean(changed[name]))));
    return button;
  };
  const press = (name, word, help) => el("button", { type: "button", title: help, data: { name }, onclick: () => fire(name) }, word);
  place.append(
    flip("paused", "Hold", "The picture stands still; output goes on"),
    flip("blackout", "Blackout", "Fade to black and back"),
    press("tap", "Tap", "Tap the tempo"),
    press("panic", "Panic", "Everything glides back to how the show opened"),
  );
}
