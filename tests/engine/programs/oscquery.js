// npm `oscquery` reads the whole namespace, and `ws` with npm `osc` listens to one value and sets another.
const { OSCQueryDiscovery } = require("oscquery");
const WebSocket = require("ws");
const osc = require("osc");
const port = Number(process.argv[2]);
const discovery = new OSCQueryDiscovery();
const found = { told: [] };
discovery.on("up", (show) => {
  found.name = show.hostInfo.name;
  found.oscPort = show.hostInfo.oscPort;
  found.count = show.flat().length;
  for (const name of ["noise_scale", "cfg_type", "prompts"])
    found[name] = show.resolvePath(`/clavilux/${name}`).serialize();
});
discovery.queryNewService("127.0.0.1", port).then(() => {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  socket.on("message", (data, binary) => {
    if (!binary) return;
    found.told.push(osc.readPacket(new Uint8Array(data), {}));
    if (found.told.length === 1) {
      socket.send(Buffer.from(osc.writePacket({ address: "/clavilux/delta", args: [{ type: "f", value: 0.25 }] })));
      fetch(`http://127.0.0.1:${port}/api/v1/session/parameters`, {
        method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ noise_scale: 0.5 }),
      });
      return;
    }
    console.log(JSON.stringify(found));
    process.exit(0);
  });
  socket.on("open", () => socket.send(JSON.stringify({ COMMAND: "LISTEN", DATA: "/clavilux/noise_scale" })));
});
