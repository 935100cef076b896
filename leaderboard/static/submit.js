// Sends a model in chunks: reads its hash, asks what is there already, submits, and goes on after every break. Without it
// the form sends a small file at once. It also brings the list of submissions up to date while one is in work.
"use strict";
(() => {
  const PIECE = 1024 * 1024;
  const LONGEST_WAIT_S = 30;
  const csrf = document.querySelector('meta[name="csrf-token"]')?.content ?? "";
  const form = document.getElementById("submit");

  class Stopped extends Error {}
  class Refusal extends Error {}

  async function call(method, path, body, headers, signal) {
    const sent = { "x-csrf-token": csrf, "content-type": "application/json", ...headers };
    const answer = await fetch(path, { method, headers: sent, body, signal });
    if (answer.status === 409 && answer.headers.has("upload-offset")) return answer;
    if (answer.ok) return answer;
    const told = (await answer.json().catch(() => ({}))).error ?? answer.statusText;
    // The disk is full, or the leaderboard restarts: the same again after a while. All else stays as it is.
    if (answer.status >= 500 || answer.status === 429 || answer.status === 408) throw new Error(told);
    throw new Refusal(told);
  }

  if (form) {
    const [file, sending, words] = [form.elements.file, form.querySelector("[data-sending]"), form.querySelector("[data-words]")];
    const [bar, status] = [form.querySelector("progress"), form.querySelector("[data-status]")];
    let stop = null;

    const show = (share, sentence) => {
      bar.value = share;
      words.textContent = sentence;
    };
    const mb = (bytes) => (bytes / 1e6).toFixed(1);

    async function hashOf(chosen, signal) {
      const hash = new Sha256();
      for (let at = 0; at < chosen.size; at += PIECE) {
        if (signal.aborted) throw new Stopped();
        hash.update(new Uint8Array(await chosen.slice(at, at + PIECE).arrayBuffer()));
        show((at + PIECE) / chosen.size, t("Reading the file: {percent} %", { percent: Math.min(100, Math.round((100 * (at + PIECE)) / chosen.size)) }));
      }
      return hash.hex();
    }

    const waits = (seconds, signal) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(resolve, seconds * 1000);
        signal.addEventListener("abort", () => {
          clearTimeout(timer);
          reject(new Stopped());
        });
      });

    async function upload(path, chosen, begun, signal) {
      let [offset, broken] = [begun.offset_bytes, 0];
      const chunk = Number(sending.dataset.chunk);
      for (;;) {
        show(offset / chosen.size, t("Sending: {done} of {all} MB", { done: mb(offset), all: mb(chosen.size) }));
        try {
          const answer = await call("PATCH", path, chosen.slice(offset, offset + chunk), { "content-type": "application/octet-stream", "upload-offset": String(offset) }, signal);
          const before = offset;
          offset = Number(answer.headers.get("upload-offset"));
          if (answer.ok && (await answer.json()).model) return;
          if (!answer.ok && offset <= before && ++broken > 3) throw new Refusal(t("The file has changed while it was sent: choose it again."));
          if (offset > before) broken = 0;
        } catch (error) {
          if (signal.aborted) throw new Stopped();
          if (error instanceof Refusal) throw error;
          broken += 1;
          show(offset / chosen.size, t("The connection is gone; trying again. What was sent is kept."));
          await waits(Math.min(LONGEST_WAIT_S, 2 ** (broken - 1)), signal);
          offset = await call("HEAD", path, undefined, {}, signal).then((head) => Number(head.headers.get("upload-offset")), () => offset);
        }
      }
    }

    async function submit(chosen, signal) {
      const sha256 = await hashOf(chosen, signal);
      const name = form.elements.name.value.trim() || chosen.name.replace(/(\.(tar|gz|tgz|zip|onnx))+$/i, "").slice(0, 100) || "model";
      const begun = await call("POST", "/api/v1/models", JSON.stringify({ sha256, size_bytes: chosen.size, name }), {}, signal);
      const [found, path] = [await begun.json(), begun.headers.get("location")];
      if (begun.status === 409) throw new Refusal(found.error);
      const api = document.getElementById("submissions").dataset.api;
      // One that waits for the rest of this very file is the one that was begun, perhaps on another day.
      const own = (await (await call("GET", api, undefined, {}, signal)).json()).submissions;
      const waiting = !found.model && own.some((one) => one.state === "uploading" && one.model_sha256 === sha256);
      const wanted = { model_sha256: sha256, checkpoint: form.elements.checkpoint.value.trim() };
      // Submitted before it is sent: whoever has no attempt left learns it now, and not after 300 MB. Sent again after a
      // break, the same request submits nothing twice.
      const headers = { "idempotency-key": sending.dataset.request };
      if (!waiting) await call("POST", api, JSON.stringify(wanted), headers, signal);
      if (!found.model) await upload(path, chosen, found, signal);
    }

    function refuse(sentence) {
      form.querySelector(".refusal")?.remove();
      const told = Object.assign(document.createElement("p"), { className: "refusal", tabIndex: -1, id: "refusal", textContent: sentence });
      told.setAttribute("role", "alert");
      form.prepend(told);
      told.focus();
    }

    form.addEventListener("submit", async (submitted) => {
      const chosen = file.files[0];
      if (!chosen || stop) {
        if (stop) submitted.preventDefault();
        return;
      }
      submitted.preventDefault();
      stop = new AbortController();
      form.querySelector(".refusal")?.remove();
      form.querySelector('button[type="submit"]').disabled = true;
      sending.hidden = false;
      // The same file in the same form is the same request, also after "Stop".
      const request = `${chosen.name}/${chosen.size}/${chosen.lastModified}`;
      if (sending.dataset.of !== request) Object.assign(sending.dataset, { of: request, request: `page-${Date.now()}-${Math.random().toString(36).slice(2)}` });
      status.textContent = t("The model is being sent.");
      try {
        await submit(chosen, stop.signal);
        location.assign(location.pathname);
        return;
      } catch (error) {
        refuse(error instanceof Stopped || error.name === "AbortError" ? t("Stopped. Choose the same file again, and it goes on where it was.") : error instanceof Refusal ? error.message : t("The leaderboard cannot be reached: try again."));
      }
      status.textContent = "";
      sending.hidden = true;
      stop = null;
      form.querySelector('button[type="submit"]').disabled = false;
      refresh();
    });

    form.querySelector("[data-stop]").addEventListener("click", () => stop?.abort());
    for (const kind of ["dragenter", "dragover"]) {
      form.addEventListener(kind, (drag) => {
        if (![...drag.dataTransfer.items].some((item) => item.kind === "file")) return;
        drag.preventDefault();
        form.classList.add("dropping");
      });
    }
    form.addEventListener("dragleave", (drag) => {
      if (!form.contains(drag.relatedTarget)) form.classList.remove("dropping");
    });
    form.addEventListener("drop", (drop) => {
      if (!drop.dataTransfer.files.length) return;
      drop.preventDefault();
      form.classList.remove("dropping");
      file.files = drop.dataTransfer.files;
      file.dispatchEvent(new Event("change", { bubbles: true }));
    });
    file.addEventListener("change", () => {
      if (form.elements.model) form.elements.model.value = "";
    });
    form.elements.model?.addEventListener("change", () => {
      if (form.elements.model.value) file.value = "";
    });
  }

  // The list as the server draws it now; what is open, and where the reader is, stays.
  async function refresh() {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } }).catch(() => null);
    if (!answer?.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!form && page.getElementById("submit")) return location.reload();
    for (const selector of ["#submissions", "[data-left]"]) {
      const [shown, now] = [document.querySelector(selector), page.querySelector(selector)];
      if (!shown || !now || shown.textContent === now.textContent || shown.querySelector("[open]") || shown.contains(document.activeElement)) continue;
      shown.replaceWith(now);
    }
  }
  setInterval(() => {
    if (document.visibilityState === "visible" && document.querySelector("#submissions[data-in-work]")) refresh();
  }, 3000);
})();
