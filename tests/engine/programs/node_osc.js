// npm `node-osc`: a bundle, a listener on a port of its own, and another hand that it hears.
const { Bundle, Client, Server } = require("node-osc");
const server = new Server(0, "127.0.0.1", () => {
  const port = server.port || server._sock.address().port;
  const [listener, other] = [new Client("127.0.0.1", Number(process.argv[2])), new Client("127.0.0.1", Number(process.argv[2]))];
  const heard = [];
  server.on("message", (m) => heard.push(m));
  listener.send("/clavilux/subscribe", port);
  setTimeout(() => {
    heard.length = 0;
    listener.send(new Bundle(["/clavilux/noise_scale", 0.75], ["/clavilux/prompt", "a node forest"]));
    other.send("/clavilux/delta", 0.5);
  }, 500);
  setTimeout(() => {
    console.log(JSON.stringify(heard.filter((m) => !m[0].includes("/status/"))));
    process.exit(0);
  }, 1200);
});
