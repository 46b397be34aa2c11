// Corrections of the cut-out: a box around the object, and strokes on what to keep and what to remove.

const LONGEST = 560; // side of the canvas in pixels: small pictures are enlarged, to be drawn on
const BRUSH = 0.03; // width of a stroke, of the longest side
const SHOWN = { keep: "rgb(30 142 62 / 0.65)", remove: "rgb(217 48 37 / 0.65)", box: "rgb(0 0 0 / 0.55)" };
const SAID = { keep: "#fff", remove: "#000", box: "#000" }; // as the server reads them

export class Editor {
  #canvas; #changed; #picture = null; #drawn = [];

  // tool: () -> "box", "keep" or "remove". changed: called after every finished stroke.
  constructor(canvas, tool, changed) {
    this.#canvas = canvas;
    this.#changed = changed;
    let stroke = null;
    canvas.addEventListener("pointerdown", (event) => {
      if (!this.#picture || event.button) return;
      canvas.setPointerCapture(event.pointerId);
      stroke = { tool: tool(), points: [this.#place(event)] };
      this.#drawn.push(stroke);
      this.#show();
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!stroke) return;
      if (stroke.tool === "box") stroke.points[1] = this.#place(event);
      else stroke.points.push(this.#place(event));
      this.#show();
    });
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => {
      if (!stroke) return;
      const [first, last] = [stroke.points[0], stroke.points.at(-1)];
      const empty = stroke.tool === "box" && (Math.abs(first.x - last.x) < 8 || Math.abs(first.y - last.y) < 8);
      stroke = null;
      if (empty) this.#drawn.pop();
      this.#show();
      if (!empty) this.#changed();
    });
  }

  // Shows a picture without strokes; resolves to whether the browser can read it.
  async open(blob) {
    this.#picture = null;
    this.#drawn = [];
    let picture;
    try { picture = await createImageBitmap(blob); } catch { return false; }
    this.#picture = picture;
    const scale = LONGEST / Math.max(picture.width, picture.height);
    this.#canvas.width = Math.round(picture.width * scale);
    this.#canvas.height = Math.round(picture.height * scale);
    this.#show();
    return true;
  }

  undo() { if (this.#drawn.pop()) { this.#show(); this.#changed(); } }

  clear() { if (this.#drawn.length) { this.#drawn = []; this.#show(); this.#changed(); } }

  // A PNG for the server, or null if nothing was drawn.
  async scribbles() {
    if (!this.#drawn.length) return null;
    const canvas = new OffscreenCanvas(this.#canvas.width, this.#canvas.height);
    this.#draw(canvas.getContext("2d"), SAID);
    return canvas.convertToBlob({ type: "image/png" });
  }

  #place(event) {
    const box = this.#canvas.getBoundingClientRect();
    return { x: (event.clientX - box.left) / box.width * this.#canvas.width, y: (event.clientY - box.top) / box.height * this.#canvas.height };
  }

  #show() {
    const context = this.#canvas.getContext("2d");
    context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    if (this.#picture) context.drawImage(this.#picture, 0, 0, this.#canvas.width, this.#canvas.height);
    this.#draw(context, SHOWN);
  }

  // The newest box, and the strokes over it.
  #draw(context, colors) {
    const { width, height } = this.#canvas;
    const box = this.#drawn.findLast((each) => each.tool === "box" && each.points.length > 1);
    if (box) {
      const [a, b] = box.points;
      context.beginPath();
      context.rect(0, 0, width, height);
      context.rect(Math.min(a.x, b.x), Math.min(a.y, b.y), Math.abs(a.x - b.x), Math.abs(a.y - b.y));
      context.fillStyle = colors.box;
      context.fill("evenodd");
    }
    Object.assign(context, { lineWidth: BRUSH * Math.max(width, height), lineCap: "round", lineJoin: "round" });
    for (const { tool, points } of this.#drawn) {
      if (tool === "box") continue;
      context.strokeStyle = colors[tool];
      context.beginPath();
      context.moveTo(points[0].x, points[0].y);
      for (const point of points) context.lineTo(point.x, point.y);
      context.stroke();
    }
  }
}
