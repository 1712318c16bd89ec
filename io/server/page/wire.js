// The wire: what the show says, and what the page plays. Changes come as server-sent events; what is played goes over
// the data channel while there is one, else by POST. Of what is played between two screen frames the newest wins.

const listeners = new Map();
export const known = { parameters: {}, actual: {}, status: {}, table: null };

let channel = null;
let waiting = {};
let scheduled = false;
let posting = false;
const touched = new Map();
const ECHO_MS = 350;

export function on(name, act) {
  if (!listeners.has(name)) listeners.set(name, new Set());
  listeners.get(name).add(act);
}

export function tell(name, value) {
  for (const act of listeners.get(name) ?? []) act(value);
}

// Tell the controls what changed. One that was just moved here is ahead of the show, so what the show says about it is
// a moment old: it is told a little later what holds then.
function show(changed) {
  const now = performance.now();
  const told = {};
  for (const [name, value] of Object.entries(changed)) {
    if (now - (touched.get(name) ?? -Infinity) > ECHO_MS) told[name] = value;
    else later(name);
  }
  tell("parameters", told);
}

const pending = new Map();
export function later(name) {
  clearTimeout(pending.get(name));
  pending.set(name, setTimeout(() => show({ [name]: known.parameters[name] }), ECHO_MS));
}

export function useChannel(opened) {
  channel = opened;
}

export function play(message) {
  const now = performance.now();
  for (const name of Object.keys(message)) {
    touched.set(name, now);
    delete waiting[name];
  }
  Object.assign(waiting, message);
  if (!scheduled) {
    scheduled = true;
    // A hidden tab gets no animation frames; what is played there must go out all the same.
    if (document.hidden) setTimeout(flush, 16);
    else requestAnimationFrame(flush);
  }
}

// Actions are never merged: each goes out by itself, after what was turned before it.
export function fire(name, value = true) {
  flush();
  waiting = { [name]: value };
  flush();
}

function flush() {
  scheduled = false;
  if (Object.keys(waiting).length === 0) return;
  if (channel?.readyState === "open") {
    channel.send(JSON.stringify(waiting));
    waiting = {};
    return;
  }
  if (!posting) post();
}

async function post() {
  posting = true;
  while (Object.keys(waiting).length > 0) {
    const message = waiting;
    waiting = {};
    try {
      const answer = await fetch("/api/v1/session/parameters", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(message),
      });
      if (!answer.ok) {
        const { detail } = await answer.json();
        const words = Array.isArray(detail) ? detail.map((d) => d.msg).join("; ") : String(detail);
        tell("fault", { key: "", message: words });
      }
    } catch {
      tell("fault", { key: "answer", message: "the show did not answer; what you turned last was not taken", level: 40 });
      break;
    }
  }
  posting = false;
}

export async function listen() {
  await loadTable();
  const stream = new EventSource("/api/v1/session/events");
  const hear = (name, act) => stream.addEventListener(name, (event) => act(JSON.parse(event.data)));
  hear("hello", (all) => {
    Object.assign(known, { parameters: all.parameters, actual: all.actual, status: all.status });
    tell("link", "live");
    if (Object.keys(all.parameters).some((name) => !known.table.parameters.some((row) => row.name === name))) grow();
    tell("parameters", all.parameters);
    tell("actual", all.actual);
    tell("status", all.status);
    tell("past", all.status);
  });
  hear("table", grow);
  hear("parameters", (changed) => {
    Object.assign(known.parameters, changed);
    show(changed);
  });
  hear("actual", (moved) => {
    Object.assign(known.actual, moved);
    tell("actual", moved);
  });
  hear("status", (status) => {
    known.status = status;
    tell("status", status);
  });
  hear("activity", (lines) => tell("activity", lines));
  hear("notices", (lines) => tell("notices", lines));
  stream.onerror = () => {
    tell("link", "lost");
    // Some answers (the port taken by another program) end an EventSource for good.
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 2000);
  };
}

// Lists of ControlNets, IP-Adapters and LoRAs bring parameters along while the show plays.
async function grow() {
  const answer = await fetch("/api/v1/session/table").catch(() => null);
  if (!answer?.ok) return;
  const table = await answer.json();
  const before = new Set(known.table.parameters.map((row) => row.name));
  known.table = table;
  tell("grown", table.parameters.filter((row) => !before.has(row.name)));
  tell("parameters", known.parameters);
}

async function loadTable() {
  if (known.table) return;
  for (;;) {
    try {
      const answer = await fetch("/api/v1/session/table");
      if (answer.ok) {
        known.table = await answer.json();
        tell("table", known.table);
        return;
      }
    } catch {
      tell("link", "lost");
    }
    await new Promise((done) => setTimeout(done, 1000));
  }
}
