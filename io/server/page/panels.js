// What the show is made of and how it is: sources, sinks, messages, figures.
import { el } from "/static/element.js";
import { fire, known, on, play, tell } from "/static/wire.js";

const SOURCES = ["demo", "test-pattern", "camera", "screen", "file", "stream", "spout", "syphon", "ndi", "webrtc", "none"];
const SINKS = ["window", "spout", "syphon", "ndi", "virtual-camera", "file", "stream"];
// What these kinds are named by; the others have no name.
const NAMED = {
  camera: "number or name", screen: "X,Y,W,H", file: "file in the assets folder", stream: "rtsp://…", spout: "name", syphon: "name",
  ndi: "name", "virtual-camera": "name",
};
const SAID_AS = { webrtc: "this browser's camera", none: "none (text to image)" };
// Ids that older programs ask for; here they mean the show's own model.
const SPOKEN = new Set(["streamdiffusionv2", "longlive", "krea-realtime-video", "memflow", "reward-forcing"]);

function state(word) {
  return el("span", { className: "state", data: { state: word ?? "" } }, word ?? "");
}

function chooser(kinds, act, words, take) {
  const kind = el("select", { "aria-label": words }, ...kinds.map((k) => el("option", { value: k }, SAID_AS[k] ?? k)));
  const name = el("input", { type: "text", placeholder: "name, file or URL", spellcheck: false, "aria-label": "Name" });
  const go = () => act(kind.value, kind.value in NAMED ? name.value.trim() : "");
  const ask = () => {
    name.hidden = !(kind.value in NAMED);
    name.placeholder = NAMED[kind.value] ?? "";
    if (kind.value === "file") name.setAttribute("list", "assets");
    else name.removeAttribute("list");
  };
  kind.addEventListener("change", ask);
  ask();
  name.addEventListener("keydown", (event) => event.key === "Enter" && go());
  return el("div", { className: "line wrap chooser" }, kind, el("button", { type: "button", className: "small", onclick: go }, take), name);
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
  } }, "Back to the show's own");
  return el("section", { className: "panel" }, el("h2", {}, "Source"), rows, chooser(SOURCES, take, "Source", "Turn to"), home);
}

export function sinksPanel() {
  const rows = el("div", { className: "list" });
  on("status", ({ sinks }) => {
    rows.replaceChildren(...(sinks ?? []).map((s) => {
      const kind = kindOf(s.spec ?? s.name);
      const off = el("button", { type: "button", className: "small square", title: "Stop", "aria-label": `Stop ${s.name}`,
        onclick: () => play({ output_sinks: { [kind]: { enabled: false, name: nameOf(s.spec ?? "") } } }) }, "×");
      return el("div", { className: "item", data: { on: String(s.state === "writing") } },
        el("b", { title: s.spec }, s.name), state(s.state), el("small", {}, s.error ?? `${s.written} frames`), off);
    }));
  });
  const take = (kind, name) => play({ output_sinks: { [kind]: { enabled: true, name } } });
  return el("section", { className: "panel" }, el("h2", {}, "Outputs"), rows, chooser(SINKS, take, "Output", "Start"));
}

export function modelPanel() {
  const rows = el("div", { className: "list" });
  const kind = el("select", { "aria-label": "Model" });
  const load = async () => {
    const answer = await fetch("/api/v1/pipeline/load", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ pipeline_ids: [kind.value] }),
    }).catch(() => null);
    const said = await answer?.json().catch(() => null);
    if (!answer?.ok) tell("fault", { message: String(said?.detail ?? "the show did not answer") });
  };
  const list = async () => {
    const answer = await fetch("/api/v1/pipelines/schemas").catch(() => null);
    if (!answer?.ok) return;
    const { pipelines } = await answer.json();
    kind.replaceChildren(...Object.keys(pipelines).filter((id) => !SPOKEN.has(id)).map((id) => el("option", { value: id }, id)));
  };
  on("link", (state) => state === "live" && list());
  on("status", ({ pipeline }) => {
    if (!pipeline) return;
    const { status, pipeline_id: id, loading_stage: stage, error } = pipeline;
    rows.replaceChildren(el("div", { className: "item", data: { on: String(status === "loaded") } },
      el("b", { title: id ?? "" }, id ?? "none"), state(status), el("small", {}, error ?? stage ?? "")));
  });
  const line = el("div", { className: "line wrap chooser" }, kind, el("button", { type: "button", className: "small", onclick: load }, "Load"));
  return el("section", { className: "panel" }, el("h2", {}, "Model"), rows, line);
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

export function figuresIn(place) {
  const cells = {};
  for (const name of ["fps", "latency", "drops", "bpm"]) {
    cells[name] = el("dd", {}, "–");
    place.append(el("div", { title: name, data: { name } }, el("dt", {}, name), cells[name]));
  }
  on("status", (s) => {
    const ms = s.latency_ms?.p50 ?? s.render_ms?.p50;
    const wanted = known.parameters.target_fps;
    cells.fps.replaceChildren(s.fps?.toFixed(1) ?? "–", el("small", {}, wanted ? ` of ${Math.round(wanted)}` : ""));
    cells.fps.dataset.slow = String(wanted > 0 && s.fps < 0.8 * wanted);
    cells.latency.textContent = ms === undefined || ms === null ? "–" : `${Math.round(ms)} ms`;
    cells.drops.textContent = s.dropped ?? "–";
    cells.bpm.textContent = known.parameters.tempo?.toFixed(0) ?? "–";
  });
}

// A lamp for each door that messages come in by; it lights up with each.
export function portsIn(place) {
  const lamps = new Map(["osc", "midi"].map((port) => [port, el("span", { data: { port } }, port)]));
  place.append(...lamps.values());
  on("activity", (news) => {
    for (const { port: door } of news) {
      const port = door.split(":")[0];
      lamps.get(port)?.getAnimations().forEach((old) => old.cancel());
      lamps.get(port)?.animate([{ color: "#1a1206", background: "#ffb454" }, {}], { duration: 900, easing: "ease-out" });
      if (lamps.has(port)) lamps.get(port).dataset.heard = "yes";
    }
  });
}

// What must be within reach at any moment.
export function reach(place) {
  const flip = (name, word, help) => {
    const button = el("button", { type: "button", role: "switch", title: help, data: { name } }, word);
    const show = (value) => button.setAttribute("aria-checked", String(Boolean(value)));
    // Shown at once: who presses it again before the show has answered means the other way.
    button.addEventListener("click", () => {
      const value = button.getAttribute("aria-checked") !== "true";
      show(value);
      play({ [name]: value });
    });
    on("parameters", (changed) => name in changed && show(changed[name]));
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
