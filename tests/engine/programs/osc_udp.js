// npm `osc`: numbers of every width, an array, a timed bundle in a bundle, and a subscription.
const osc = require("osc");
const port = new osc.UDPPort({
  localAddress: "127.0.0.1", localPort: 0, remoteAddress: "127.0.0.1", remotePort: Number(process.argv[2]), metadata: true,
});
const heard = [];
port.on("message", (m) => heard.push([m.address, ...m.args.map((a) => a.value)]));
port.on("ready", () => {
  port.send({ address: "/clavilux/subscribe", args: [] });
  setTimeout(() => {
    heard.length = 0;
    port.send({ address: "/clavilux/noise_scale", args: [{ type: "d", value: 0.125 }] });
    port.send({ address: "/clavilux/t_index_list", args: [[{ type: "i", value: 3 }, { type: "i", value: 30 }]] });
    port.send({ address: "/clavilux/seed", args: [{ type: "h", value: { high: 0, low: 99 } }] });
    port.send({ address: "/clavilux/paused", args: [{ type: "T" }] });
    port.send({
      timeTag: osc.timeTag(0.5),
      packets: [
        { address: "/clavilux/delta", args: [{ type: "f", value: 0.75 }] },
        { timeTag: osc.timeTag(2.0), packets: [{ address: "/clavilux/delta", args: [{ type: "f", value: 0.25 }] }] },
      ],
    });
  }, 500);
  let asked = 0;
  setInterval(() => {
    if (asked++ < 16) port.send({ address: "/clavilux/get", args: [{ type: "s", value: "delta" }] });
    else {
      console.log(JSON.stringify(heard));
      process.exit(0);
    }
  }, 180);
});
port.open();
