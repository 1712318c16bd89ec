// The control page: every parameter of the show's table gets the control its type asks for.
import { choice, entry, fader, json, toggle } from "/static/controls.js";
import { el, plain } from "/static/element.js";
import { explained } from "/static/help.js";
import { keysIn } from "/static/keys.js";
import { steps, transitionBox } from "/static/lists.js";
import { isModulator, modulatorsPanel } from "/static/modulators.js";
import { noticesIn } from "/static/notices.js";
import { activityPanel, figuresIn, modelPanel, portsIn, reach, sinksPanel, sourcesPanel } from "/static/panels.js";
import { files, offerAssets, weighted } from "/static/rows.js";
import { presetsPanel } from "/static/presets.js";
import { Watch } from "/static/watch.js";
import { fire, listen, on, tell, useChannel } from "/static/wire.js";

// Where a parameter stands on the page: in sight, or folded under Finer; and the actions beside them. Whatever is not
// named here stands under More, so nothing of the table is missing. The groups stand in two stacks, side by side where
// there is room.
const WORDS = {
  title: "Words",
  main: ["prompts"],
  fine: ["negative_prompt", "prompt_morph", "prompt_interpolation_method", "normalize_prompt_weights"],
};
const STACKS = [
  [
    { title: "Play", main: ["noise_scale", "guidance_scale", "delta", "wet", "kv_cache_attention_bias"], fine: ["cfg_type", "guidance_rescale"] },
    { title: "Steps", main: ["t_index_list", "num_inference_steps"], fine: ["denoising_step_list", "t_index_rescale"] },
    { title: "Noise", main: ["seed", "noise_drift", "noise_controller"], fine: ["seed_morph", "seed_list", "seed_interpolation_method", "normalize_seed_weights"] },
  ],
  [
    { title: "Feedback", main: ["feedback", "feedback_zoom", "feedback_rotation"],
      fine: ["feedback_pan_x", "feedback_pan_y", "feedback_hue", "feedback_border"] },
    { title: "Colour", main: ["brightness", "contrast", "saturation", "hue"], fine: ["mirror"] },
    { title: "Likeness", main: ["vace_context_scale", "vace_ref_images", "lora_scales"], fine: [] },
    { title: "Show", main: ["input_mode", "tempo", "quantize", "adaptive_quality"],
      fine: ["target_fps", "pinned", "frame_buffer_size", "manage_cache"], actions: ["reset_cache"] },
  ],
];
// Those that stand elsewhere: in the bar below, in the panels, or under another name.
const ELSEWHERE = new Set(["prompt", "paused", "blackout", "input_source", "output_sinks", "spout_sender", "spout_receiver"]);
const IN_REACH = new Set(["transition", "panic", "tap", "preset", "cue", "store", "hit"]);
// What a button says with its action; `shift` is held down, and is for keys.
const SAYS = { bank: "next" };
const FOR_KEYS = new Set(["shift"]);
// The box asks for a part of what the action takes, so it is explained by itself.
const TRANSITION = { name: "transition", help: "The picture moves from the prompts of now to this one, evenly or eased, along a line or the sphere between them." };
const LARGEST_FADER = 2000;

const controls = new Map();
const rest = folded("More", []);

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
    case "scales":
      return weighted(row, "path");
    case "paths":
      return files(row);
    default:
      return json(row);
  }
}

function keep(row, make) {
  const one = make(row);
  controls.set(row.name, one);
  return explained(row, one.root);
}

function made(rows) {
  return rows.map((row) => keep(row, control));
}

function folded(title, children) {
  return el("details", { className: "fine" }, el("summary", {}, title), ...children);
}

function buttons(actions) {
  const one = (a) => el("button", { type: "button", className: "small", onclick: () => fire(a.name, SAYS[a.name] ?? true) }, plain(a.name));
  return actions.map((a) => explained(a, one(a)));
}

function build(table) {
  const left = new Map(table.parameters.filter((row) => !ELSEWHERE.has(row.name)).map((row) => [row.name, row]));
  const take = (names) => names.map((name) => left.get(name)).filter((row) => row && left.delete(row.name));
  const acts = new Map(table.actions.filter((a) => !IN_REACH.has(a.name) && !FOR_KEYS.has(a.name)).map((a) => [a.name, a]));
  const takeActions = (names) => names.map((name) => acts.get(name)).filter((a) => a && acts.delete(a.name));
  const group = ({ title, main, fine, actions = [] }) => {
    const shown = made(take(main));
    const more = [...made(take(fine)), ...buttons(takeActions(actions))];
    return [shown.length + more.length, [el("h2", {}, title), ...shown, ...(more.length ? [folded("Finer", more)] : [])]];
  };
  const [, words] = group(WORDS);
  words.splice(2, 0, explained(TRANSITION, transitionBox()));
  document.getElementById("words").replaceChildren(...words);
  const stacks = [...document.querySelectorAll("#play .stack")];
  STACKS.forEach((groups, i) => {
    for (const one of groups) {
      const [some, body] = group(one);
      if (some) stacks[i].append(el("section", { className: "panel", data: { group: one.title } }, ...body));
    }
  });
  const swings = [...left.values()].filter(isModulator);
  if (swings.length) stacks[1].prepend(modulatorsPanel(take(swings.map((row) => row.name)), keep));
  document.getElementById("play").prepend(presetsPanel());
  rest.append(...made([...left.values()]), ...buttons([...acts.values()]));
  stacks.at(-1).append(el("section", { className: "panel" }, rest));
  if (table.parameters.some((row) => ["paths", "scales"].includes(row.type))) offerAssets();
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
on("grown", (rows) => rest.append(...made(rows)));
const house = document.getElementById("house");
house.append(sourcesPanel(useCamera), sinksPanel(), modelPanel(), activityPanel());
noticesIn(...["notices", "noticed", "said"].map((id) => document.getElementById(id)));
figuresIn(document.getElementById("figures"));
portsIn(document.getElementById("ports"));
reach(document.getElementById("reach"));
keysIn(document.getElementById("keys"));
listen();
