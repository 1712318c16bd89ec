// npm `osc` over TCP, framed by SLIP: a burst, and what is answered through the same connection.
const osc = require("osc");
const port = new osc.TCPSocketPort({ metadata: true });
const heard = [];
port.on("message", (m) => heard.push([m.address, ...m.args.map((a) => a.value)]));
port.on("ready", () => {
  for (let k = 0; k < 1000; k++) port.send({ address: "/clavilux/noise_scale", args: [{ type: "f", value: k / 1000 }] });
  port.send({ address: "/clavilux/noise_scale", args: [{ type: "f", value: 0.4375 }] });
  setTimeout(() => port.send({ address: "/clavilux/get", args: [{ type: "s", value: "noise_scale" }] }), 300);
  setTimeout(() => {
    console.log(JSON.stringify(heard));
    process.exit(0);
  }, 900);
});
port.open("127.0.0.1", Number(process.argv[2]));
