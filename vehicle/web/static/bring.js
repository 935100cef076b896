// What a racer chose to bring, perhaps in two goes: an archive, or a bare model and its metadata. Used by console.js.

import { at, put } from "/static/car.js";

const BLOCK = 512;

let brought = { model: null, metadata: null };
// A download may add to a name: "net.onnx (1)", "model_metadata.json.txt". Of archives the car looks at the content.
const bare = (file) => /(\.(?:onnx|pb))(?: ?\(\d{1,3}\)|\.(?:bin|txt|download))*$/i.exec(file.name);
const isBare = (file) => bare(file) !== null;
const isMetadata = (file) => /\.json(?: ?\(\d{1,3}\)|\.(?:bin|txt|download))*$/i.test(file.name);

at("file").addEventListener("change", () => {
  for (const file of at("file").files) {
    if (isMetadata(file)) brought.metadata = file;
    else brought.model = file;
  }
  const models = [...at("file").files].filter((file) => !isMetadata(file));
  if (models.length > 1) brought.model = null;
  put("models_said", "");
  put("file_said", models.length > 1 ? "Choose one model at a time." : wanting() || ready());
});

// What is still missing, as a sentence; "" when all is there.
export function wanting() {
  if (!brought.model) return brought.metadata ? `Now choose the .onnx or .pb that ${brought.metadata.name} belongs to.` : "Choose a model first.";
  if (isBare(brought.model) && !brought.metadata) return `Now choose the model_metadata.json of ${brought.model.name}.`;
  return "";
}

function ready() {
  return isBare(brought.model) ? `Ready: ${brought.model.name} with ${brought.metadata.name}.` : `Ready: ${brought.model.name}.`;
}

// A bare model and its metadata go as one tar, which is what the car takes anyway (POSIX ustar: a header, the bytes, zeros).

const padding = (size) => new Uint8Array((BLOCK - (size % BLOCK)) % BLOCK);

function tarHeader(name, size) {
  const header = new Uint8Array(BLOCK);
  const write = (place, text) => header.set(new TextEncoder().encode(text), place);
  const octal = (number, digits) => number.toString(8).padStart(digits, "0");
  write(0, name);
  write(100, "0000644\0" + "0000000\0".repeat(2) + `${octal(size, 11)}\0${octal(0, 11)}\0        0`);
  write(257, "ustar\x0000");
  write(148, `${octal(header.reduce((sum, byte) => sum + byte, 0), 6)}\0 `);
  return header;
}

export function forget() {
  brought = { model: null, metadata: null };
}

export function packed() {
  const { model, metadata } = brought;
  if (!isBare(model)) return { name: model.name, title: model.name, body: model };
  const { index: place, 1: ending } = bare(model);
  const files = [["model" + ending.toLowerCase(), model], ["model_metadata.json", metadata]];
  const parts = files.flatMap(([name, file]) => [tarHeader(name, file.size), file, padding(file.size)]);
  const body = new Blob([...parts, new Uint8Array(2 * BLOCK)]);
  return { name: `${model.name.slice(0, place) || "model"}.tar`, title: `${model.name} and ${metadata.name}`, body };
}
