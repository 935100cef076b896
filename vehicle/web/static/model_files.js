// The files that a racer chose to upload, perhaps one at a time: an archive, or a model and its metadata.

import { byId, setText } from "/static/car.js";

const BLOCK = 512;

let chosenFiles = { model: null, metadata: null };
// A download may append to a name: "net.onnx (1)", "model_metadata.json.txt". Archives are recognised by content, on
// the car.
const matchModel = (file) => /(\.(?:onnx|pb))(?: ?\(\d{1,3}\)|\.(?:bin|txt|download))*$/i.exec(file.name);
const isModelFile = (file) => matchModel(file) !== null;
const isMetadata = (file) => /\.json(?: ?\(\d{1,3}\)|\.(?:bin|txt|download))*$/i.test(file.name);

byId("file").addEventListener("change", () => {
  for (const file of byId("file").files) {
    if (isMetadata(file)) chosenFiles.metadata = file;
    else chosenFiles.model = file;
  }
  const models = [...byId("file").files].filter((file) => !isMetadata(file));
  if (models.length > 1) chosenFiles.model = null;
  setText("models_message", "");
  setText("file_message", models.length > 1 ? t("Choose one model at a time.") : missingFile() || readyText());
});

// What is still missing, as a sentence; "" if nothing is.
export function missingFile() {
  if (!chosenFiles.model) return chosenFiles.metadata ? t("Now choose the .onnx or .pb file that goes with {file}.", { file: chosenFiles.metadata.name }) : t("Choose a model first.");
  if (isModelFile(chosenFiles.model) && !chosenFiles.metadata) return t("Now choose the model_metadata.json for {file}.", { file: chosenFiles.model.name });
  return "";
}

function readyText() {
  return isModelFile(chosenFiles.model) 
    ? t("Ready: {model} with {metadata}.", { model: chosenFiles.model.name, metadata: chosenFiles.metadata.name })
    : t("Ready: {model}.", { model: chosenFiles.model.name });
}

// A model and its metadata are sent as one tar, which the car accepts like any other (POSIX ustar: header, bytes, zeros).

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

export function clearFiles() {
  chosenFiles = { model: null, metadata: null };
}

export function packFiles() {
  const { model, metadata } = chosenFiles;
  if (!isModelFile(model)) return { name: model.name, title: model.name, body: model };
  const { index: place, 1: ending } = matchModel(model);
  const files = [["model" + ending.toLowerCase(), model], ["model_metadata.json", metadata]];
  const parts = files.flatMap(([name, file]) => [tarHeader(name, file.size), file, padding(file.size)]);
  const body = new Blob([...parts, new Uint8Array(2 * BLOCK)]);
  return { name: `${model.name.slice(0, place) || "model"}.tar`, title: t("{model} and {metadata}", { model: model.name, metadata: metadata.name }), body };
}
