// The control page: every parameter of the show's table gets the control its type asks for.
import { choice, entry, fader, json, toggle } from "/static/controls.js";
import { el, plain } from "/static/element.js";
import { steps, transitionBox, weighted } from "/static/lists.js";
import { activityPanel, faultsIn, figuresIn, reach, sinksPanel, sourcesPanel } from "/static/panels.js";
import { Watch } from "/static/watch.js";
import { fire, listen, on, tell, useChannel } from "/static/wire.js";

// Where a parameter stands on the page: in sight, or folded under Finer. Whatever is not named here stands under More,
// so nothing of the table is missing.
const GROUPS = [
  ["Words", ["prompts"], ["negative_prompt", "prompt_morph", "prompt_interpolation_method", "normalize_prompt_weights"]],
  ["Play", ["noise_scale", "guidance_scale", "delta", "kv_cache_attention_bias", "vace_context_scale"], ["cfg_type"]],
  ["Steps", ["t_index_list", "num_inference_steps"], ["denoising_step_list", "t_index_rescale"]],
  ["Noise", ["seed", "noise_controller"], ["seed_list", "seed_interpolation_method", "normalize_seed_weights"]],
  ["Show", ["input_mode", "tempo", "adaptive_quality"], ["target_fps", "pinned", "frame_buffer_size", "manage_cache"]],
];
// Those that stand elsewhere: in the bar below, in the panels, or under another name.
const ELSEWHERE = new Set(["prompt", "paused", "blackout", "input_source", "output_sinks", "spout_sender", "spout_receiver"]);
const IN_REACH = new Set(["transition", "panic", "tap"]);
const LARGEST_FADER = 2000;

const controls = new Map();

function control(row) {
  switch (row.type) {
    case "float":
      return row.range ? fader(row) : entry(row);
    case "int":
      return row.range && row.range[1] - row.range[0] <= LARGEST_FADER ? fader(row) : entry(row);
    case "bool":
      return toggle(row);
    case "choice":
      return choice(row);
    case "string":
      return entry(row);
    case "prompts":
      return weighted(row, "text");
    case "seeds":
      return weighted(row, "seed");
    case "ints":
      return steps(row);
    default:
      return json(row);
  }
}

function made(rows) {
  return rows.map((row) => {
    const one = control(row);
    if (row.waits_for) one.root.classList.add("waits");
    one.root.title = `${row.help}${row.waits_for ? " Nothing acts on it yet." : ""}\n${row.osc}`;
    controls.set(row.name, one);
    return one.root;
  });
}

function folded(title, children) {
  return el("details", { className: "fine" }, el("summary", {}, title), ...children);
}

function build(table) {
  const left = new Map(table.parameters.filter((row) => !ELSEWHERE.has(row.name)).map((row) => [row.name, row]));
  // What nothing acts on yet stays under More.
  const take = (names) => names.map((name) => left.get(name)).filter((row) => row && !row.waits_for && left.delete(row.name));
  const play = document.getElementById("play");
  for (const [title, main, fine] of GROUPS) {
    const body = [el("h2", {}, title), ...made(take(main))];
    if (title === "Words") body.push(transitionBox());
    const more = made(take(fine));
    if (more.length) body.push(folded("Finer", more));
    if (title === "Words") document.getElementById("words").replaceChildren(...body);
    else if (body.length > 1) play.append(el("section", { className: "panel", data: { group: title } }, ...body));
  }
  const actions = table.actions.filter((a) => !IN_REACH.has(a.name)).map((a) =>
    el("button", { type: "button", className: a.waits_for ? "small waits" : "small", title: a.help, onclick: () => fire(a.name) }, plain(a.name)));
  const rest = folded("More", [...made([...left.values()]), el("div", { className: "line wrap" }, ...actions)]);
  play.append(el("section", { className: "panel" }, rest));
}

async function useCamera(wanted) {
  if (!wanted) {
    if (watch.camera) {
      for (const track of watch.camera.getTracks()) track.stop();
      watch.show(null);
    }
    return;
  }
  try {
    watch.show(await navigator.mediaDevices.getUserMedia({ video: { width: 640, height: 480 } }));
  } catch (e) {
    const why = navigator.mediaDevices ? e.message : "browsers give cameras only to pages on this machine or over https";
    tell("fault", { message: `This browser gives no camera: ${why}` });
  }
}

function hear(message) {
  if (message.type === "error") tell("fault", message);
}

const link = document.getElementById("link");
let by = "connecting";
let there = false;
function showLink() {
  link.dataset.state = there ? (by === "webrtc" ? "live" : "still") : "lost";
  link.textContent = there ? (by === "webrtc" ? "live" : "single pictures") : "no connection: the show is being looked for";
}

const watch = new Watch(document.getElementById("stage"), {
  heard: hear,
  channelled: useChannel,
  described: (how) => {
    by = how;
    showLink();
  },
});
on("link", (state) => {
  there = state === "live";
  document.body.classList.toggle("lost", !there);
  showLink();
});
on("parameters", (changed) => {
  if ("num_inference_steps" in changed) controls.get("t_index_list")?.limit?.(changed.num_inference_steps - 1);
  for (const [name, value] of Object.entries(changed)) controls.get(name)?.show(value);
});
on("actual", (moved) => {
  for (const [name, value] of Object.entries(moved)) controls.get(name)?.move?.(value);
});
on("table", build);
const house = document.getElementById("house");
house.append(sourcesPanel(useCamera), sinksPanel(), activityPanel());
faultsIn(document.getElementById("faults"));
figuresIn(document.getElementById("figures"));
reach(document.getElementById("reach"));
listen();
