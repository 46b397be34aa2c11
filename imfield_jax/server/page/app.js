// The page: a picture goes to the server twice, coarse at once and then as fine as asked for.

import { Editor } from "./editor.js";

const COARSE = 48;
const POLL = 150; // milliseconds between looks at a job
const DELAY = 350; // milliseconds after the last change of a slider
const FACES = [2000, 5000, 10000, 20000, 50000, 100000, null];

const $ = (name) => document.getElementById(name);
const token = new URLSearchParams(location.hash.slice(1)).get("token");
const headers = token ? { Authorization: `Bearer ${token}` } : {};

let picture = null; // the chosen File or Blob
let current = null; // { controller, id } of the work that goes on
let shown = null; // id of the reconstruction on the screen
const urls = {}; // element name -> object URL
const tool = () => document.querySelector("[name=tool]:checked").value;
const editor = new Editor($("canvas"), tool, () => later());

async function ask(path, options = {}) {
  const answer = await fetch(path, { ...options, headers });
  if (answer.ok) return answer;
  let detail = answer.statusText;
  try {
    const body = await answer.json();
    detail = typeof body.detail === "string" ? body.detail : body.detail.map((each) => each.msg).join("; ");
  } catch { /* not JSON: the status says enough */ }
  const error = new Error(detail);
  error.status = answer.status;
  error.retry = Number(answer.headers.get("Retry-After")) || 0;
  throw error;
}

const wait = (milliseconds, signal) => new Promise((resolve, reject) => {
  const timer = setTimeout(resolve, milliseconds);
  signal.addEventListener("abort", () => { clearTimeout(timer); reject(new DOMException("", "AbortError")); });
});

function say(text, bad = false) {
  $("status").textContent = text;
  $("status").classList.toggle("bad", bad);
}

function busy(on) {
  $("progress").hidden = !on;
  $("cancel").hidden = !on;
}

function show(name, blob) {
  if (urls[name]) URL.revokeObjectURL(urls[name]);
  urls[name] = blob ? URL.createObjectURL(blob) : null;
  const element = $(name);
  if (element.tagName === "IMG") element.hidden = !blob;
  if (blob) element.src = urls[name];
  else element.removeAttribute("src");
}

function stop() {
  if (!current) return;
  current.controller.abort();
  if (current.id) fetch(`/v1/reconstructions/${current.id}`, { method: "DELETE", headers }).catch(() => {});
  current = null;
  busy(false);
}

async function reconstruct(resolution, work) {
  const form = new FormData();
  form.append("picture", picture, "picture");
  form.append("category", $("category").value);
  form.append("matte", $("matte").value);
  const scribbles = await editor.scribbles();
  if (scribbles) form.append("scribbles", scribbles, "scribbles.png");
  form.append("resolution", resolution);
  const faces = FACES[$("faces").value];
  form.append("color", $("color").checked);
  if (faces) form.append("max_faces", faces);
  const { signal } = work.controller;
  let job;
  for (;;) {
    try {
      job = await (await ask("/v1/reconstructions", { method: "POST", body: form, signal })).json();
      break;
    } catch (error) {
      if (error.status !== 503 || !error.retry) throw error;
      say(`The server is busy. Trying again in ${error.retry} seconds.`);
      await wait(1000 * error.retry, signal);
    }
  }
  work.id = job.id;
  while (job.state === "waiting" || job.state === "running") {
    const step = job.place ? `${job.place} before this one` : job.step || "starting";
    say(`${resolution === COARSE ? "First look" : `${resolution}³ cells`}: ${step} …`);
    await wait(POLL, signal);
    job = await (await ask(`/v1/reconstructions/${job.id}`, { signal })).json();
  }
  if (job.state !== "done") throw new Error(job.error || "cancelled");
  const mesh = await (await ask(`/v1/reconstructions/${job.id}/mesh.glb`, { signal })).blob();
  show("viewer", mesh);
  return job;
}

async function showPictures(job, signal) {
  const base = `/v1/reconstructions/${job.id}`;
  show("view", await (await ask(`${base}/view.png`, { signal })).blob());
  show("cutout", job.has_cutout ? await (await ask(`${base}/cutout.png`, { signal })).blob() : null);
}

async function start() {
  if (!picture) return;
  stop();
  const work = { controller: new AbortController(), id: null };
  current = work;
  busy(true);
  $("downloads").hidden = true;
  try {
    const fine = Number($("resolution").value);
    let job = null;
    if (fine > COARSE) {
      job = await reconstruct(COARSE, work);
      await showPictures(job, work.controller.signal);
    }
    job = await reconstruct(fine, work);
    await showPictures(job, work.controller.signal);
    shown = job.id;
    $("downloads").hidden = false;
    $("notes").replaceChildren(...job.notes.map((note) => Object.assign(document.createElement("li"), { textContent: note })));
    const closed = job.watertight ? "closed" : "not closed";
    say(`${job.faces.toLocaleString()} faces, ${closed}, in ${job.seconds.toFixed(1)} s.`);
  } catch (error) {
    if (error.name === "AbortError") { if (current === work) say("Cancelled."); } else say(error.message, true);
  }
  if (current === work) { current = null; busy(false); }
}

function choose(blob) {
  picture = blob;
  editor.open(blob).then((readable) => { $("editor").hidden = !readable; });
  show("picture", blob);
  show("cutout", null);
  show("view", null);
  $("notes").replaceChildren();
  start();
}

async function download(kind) {
  const size = $("size").value;
  try {
    const answer = await ask(`/v1/reconstructions/${shown}/mesh.${kind}${size ? `?size_mm=${encodeURIComponent(size)}` : ""}`);
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(await answer.blob()), download: `mesh.${kind}` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  } catch (error) { say(error.message, true); }
}

function label() {
  $("resolution-value").value = `${$("resolution").value}³ cells`;
  const faces = FACES[$("faces").value];
  $("faces-value").value = faces ? faces.toLocaleString() : "all";
}

let timer = null;
function later() {
  label();
  clearTimeout(timer);
  timer = setTimeout(start, DELAY);
}

async function main() {
  const { categories, formats, limits } = await (await ask("/v1/categories")).json();
  $("category").replaceChildren(...categories.map((name) => new Option(name, name)));
  Object.assign($("resolution"), { min: 32, max: limits.resolution, step: 32, value: Math.min(128, limits.resolution) });
  Object.assign($("faces"), { min: 0, max: FACES.length - 1, step: 1, value: FACES.length - 1 });
  label();
  for (const category of categories) {
    const blob = await (await ask(`/v1/samples/${category}.png`)).blob();
    const image = Object.assign(document.createElement("img"), { src: URL.createObjectURL(blob), alt: "" });
    const button = Object.assign(document.createElement("button"), { type: "button", ariaLabel: `Sample of ${category}` });
    button.append(image);
    button.addEventListener("click", () => { $("category").value = category; choose(blob); });
    $("samples").append(button);
  }
  for (const kind of formats) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: `Download ${kind.toUpperCase()}` });
    button.addEventListener("click", () => download(kind));
    $("downloads").append(button);
  }
  $("downloads").hidden = true;

  $("file").addEventListener("change", (event) => event.target.files[0] && choose(event.target.files[0]));
  const drop = $("drop");
  for (const name of ["dragenter", "dragover"]) document.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
  for (const name of ["dragleave", "drop"]) document.addEventListener(name, () => drop.classList.remove("over"));
  document.addEventListener("drop", (event) => { event.preventDefault(); if (event.dataTransfer.files[0]) choose(event.dataTransfer.files[0]); });
  document.addEventListener("paste", (event) => {
    const item = [...event.clipboardData.files][0];
    if (item) choose(item);
  });
  for (const name of ["category", "matte", "color"]) $(name).addEventListener("change", start);
  for (const name of ["resolution", "faces"]) $(name).addEventListener("input", later);
  $("undo").addEventListener("click", () => editor.undo());
  $("clear").addEventListener("click", () => editor.clear());
  $("cancel").addEventListener("click", () => { stop(); say("Cancelled."); });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && current) { stop(); say("Cancelled."); } });
}

main().catch((error) => say(error.message, true));
