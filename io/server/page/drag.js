// Dragging along a line, by mouse, pen or finger. A finger that scrolls the page comes over controls on its way: it moves
// one only when it goes sideways, or taps.
const SLACK = 8;

// `begin(event)` where it was touched, `move(event)` for every place, `end()` when it is let go of.
export function drag(line, { begin = () => {}, move, end = () => {} }) {
  let start = null;
  let moving = false;
  const go = (event) => {
    if (!moving) begin(start);
    moving = true;
    move(event);
  };
  const stop = () => {
    if (moving) end();
    start = null;
    moving = false;
  };
  line.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || start) return;
    start = event;
    line.setPointerCapture(event.pointerId);
    if (event.pointerType !== "touch") go(event);
  });
  line.addEventListener("pointermove", (event) => {
    if (event.pointerId !== start?.pointerId) return;
    if (moving || Math.abs(event.clientX - start.clientX) > SLACK) go(event);
  });
  line.addEventListener("pointerup", (event) => {
    if (event.pointerId !== start?.pointerId) return;
    if (!moving && Math.abs(event.clientY - start.clientY) <= SLACK) go(event);
    stop();
  });
  line.addEventListener("pointercancel", (event) => event.pointerId === start?.pointerId && stop());
}
