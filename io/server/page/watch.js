// The picture: over WebRTC, and as single JPEGs while there is no WebRTC. It comes back by itself, and until then the last
// picture that was seen stands.

const RETRY_MS = 2000;
const PATIENCE_MS = 6000;

export class Watch {
  // `place` is the element the picture stands in; `heard(message)` gets what comes over the data channel and
  // `channelled(channel)` the channel itself, or null when it is gone.
  constructor(place, { heard = () => {}, channelled = () => {}, described = () => {}, camera = null } = {}) {
    this.place = place;
    this.heard = heard;
    this.channelled = channelled;
    this.described = described;
    this.camera = camera;
    this.peer = null;
    this.session = null;
    this.attempt = 0;
    this.turn = 0;
    this.video = Object.assign(document.createElement("video"), { autoplay: true, muted: true, playsInline: true });
    this.video.disablePictureInPicture = true;
    this.still = document.createElement("canvas");
    this.place.replaceChildren(this.still, this.video);
    this.video.addEventListener("playing", () => this.live());
    this.video.addEventListener("resize", () => this.shape(this.video.videoWidth, this.video.videoHeight));
    addEventListener("pagehide", () => this.leave());
    this.begin();
  }

  begin() {
    this.fall("connecting");
    this.connect().catch(() => this.again());
  }

  async connect() {
    const attempt = ++this.attempt;
    const peer = new RTCPeerConnection({ iceServers: [] });
    this.peer = peer;
    const early = [];
    peer.onicecandidate = ({ candidate }) => {
      if (candidate === null) return;
      if (this.session) this.trickle([candidate]);
      else early.push(candidate);
    };
    peer.ontrack = ({ track, streams }) => {
      this.video.srcObject = streams[0] ?? new MediaStream([track]);
      this.video.play().catch(() => {});
    };
    peer.onconnectionstatechange = () => {
      if (attempt === this.attempt && ["failed", "disconnected", "closed"].includes(peer.connectionState)) this.again();
    };
    const channel = peer.createDataChannel("parameters", { ordered: true });
    channel.onopen = () => this.channelled(channel);
    channel.onclose = () => {
      this.channelled(null);
      if (attempt === this.attempt) this.again();
    };
    channel.onmessage = ({ data }) => this.hear(JSON.parse(data));
    const track = this.camera?.getVideoTracks()[0];
    peer.addTransceiver(track ?? "video", { direction: track ? "sendrecv" : "recvonly" });
    await peer.setLocalDescription(await peer.createOffer());
    const { sdp, type } = peer.localDescription;
    const answer = await fetch("/api/v1/webrtc/offer", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ sdp, type }),
    });
    if (!answer.ok) throw new Error(String((await answer.json()).detail));
    const { sessionId, ...description } = await answer.json();
    this.session = sessionId;
    await peer.setRemoteDescription(description);
    if (early.length) await this.trickle(early);
    setTimeout(() => {
      if (attempt === this.attempt && this.place.dataset.by !== "webrtc") this.again(PATIENCE_MS);
    }, PATIENCE_MS);
  }

  trickle(candidates) {
    const rows = candidates.map(({ candidate, sdpMid, sdpMLineIndex }) => ({ candidate, sdpMid, sdpMLineIndex }));
    return fetch(`/api/v1/webrtc/offer/${this.session}`, {
      method: "PATCH",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ candidates: rows }),
    }).catch(() => {});
  }

  hear(message) {
    if (message.type === "stream_stopped") this.again();
    this.heard(message);
  }

  live() {
    this.turn += 1; // ends the polling
    this.polling = false;
    this.place.dataset.by = "webrtc";
    this.described("webrtc");
  }

  // Single pictures until WebRTC is there.
  fall(why) {
    this.hold();
    this.place.dataset.by = "jpeg";
    this.described(why);
    if (!this.polling) {
      this.polling = true;
      this.poll(++this.turn);
    }
  }

  // What the video shows goes on the canvas that is about to be uncovered, which holds a picture of long ago: in a
  // blackout that would light up the room.
  hold() {
    const { videoWidth: width, videoHeight: height } = this.video;
    if (this.place.dataset.by === "webrtc" && width && height) this.draw(this.video, width, height);
  }

  draw(picture, width, height) {
    if (this.still.width !== width || this.still.height !== height) {
      Object.assign(this.still, { width, height });
      this.shape(width, height);
    }
    this.still.getContext("2d").drawImage(picture, 0, 0);
  }

  async poll(turn) {
    let last = "";
    while (turn === this.turn) {
      const began = performance.now();
      try {
        const answer = await fetch("/api/v1/session/frame", { cache: "no-store" });
        const stamp = answer.headers.get("x-frame-number");
        if (answer.ok && stamp !== last) {
          last = stamp;
          const picture = await createImageBitmap(await answer.blob());
          // One that was on its way while the video came and went is older than what stands.
          if (turn === this.turn) this.draw(picture, picture.width, picture.height);
          picture.close();
        }
      } catch {
        await new Promise((done) => setTimeout(done, 500));
      }
      await new Promise((done) => setTimeout(done, Math.max(50 - (performance.now() - began), 10)));
    }
  }

  shape(width, height) {
    if (width && height) document.documentElement.style.setProperty("--ratio", String(width / height));
  }

  again(after = RETRY_MS) {
    this.leave();
    this.fall("connecting");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.connect().catch(() => this.again()), after);
  }

  // Use this camera (a MediaStream), or none, from now on.
  show(camera) {
    this.camera = camera;
    this.again(0);
  }

  leave() {
    this.attempt += 1;
    this.channelled(null);
    this.peer?.close();
    this.peer = null;
    if (this.session) {
      fetch(`/api/v1/webrtc/offer/${this.session}`, { method: "DELETE", keepalive: true }).catch(() => {});
      this.session = null;
    }
  }
}
