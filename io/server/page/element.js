// One element: el("button", { className: "x", onclick }, "text", child).
export function el(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === "data") Object.assign(made.dataset, value);
    else if (key.includes("-") || key === "role") made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// Parts of names as people write them; what only repeats what is meant is left out.
const WRITTEN = { kv: "KV", cfg: "CFG", fps: "FPS", lora: "LoRA", vace: "VACE", controlnet: "ControlNet", ipadapter: "IP-Adapter", ref: "reference", num: "" };

// A parameter's name in words: "T-index list" for t_index_list.
export function plain(name) {
  const words = name.replace(/\bt_index/, "T-index").split(/[_/ ]/).map((word) => WRITTEN[word] ?? word);
  const text = words.filter(Boolean).join(" ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function figure(value, span) {
  if (Number.isInteger(value) && span > 20) return String(value);
  const digits = span > 50 ? 1 : span > 5 ? 2 : 3;
  return value.toFixed(digits);
}
