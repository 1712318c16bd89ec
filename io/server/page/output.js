// The output view: the picture and nothing else, for a projector.
import { Watch } from "/static/watch.js";

const stage = document.getElementById("stage");
const hint = document.getElementById("hint");
new Watch(stage);

let lock = null;
async function stayAwake() {
  try {
    lock = await navigator.wakeLock?.request("screen");
  } catch {
    lock = null; // not allowed here; the picture is shown all the same
  }
}

async function full() {
  if (document.fullscreenElement) await document.exitFullscreen();
  else await document.documentElement.requestFullscreen({ navigationUI: "hide" }).catch(() => {});
}

let idle = 0;
function wake() {
  document.body.classList.remove("idle");
  clearTimeout(idle);
  idle = setTimeout(() => document.body.classList.add("idle"), 2500);
}

addEventListener("pointermove", wake);
addEventListener("click", () => {
  hint.remove();
  full();
  stayAwake();
});
addEventListener("keydown", (event) => {
  if (event.key === "f") full();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && lock) stayAwake();
});
wake();
