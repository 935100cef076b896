// The racers' page: a list of racers from a file. The station reads it and shows what each line would change.
"use strict";

(() => {
  const file = document.getElementById("roster-file");
  const preview = document.getElementById("roster-preview");
  const enter = document.getElementById("roster-import");
  let csv = "";

  // Base 64, because only the station knows which letters the bytes of a file stand for.
  function encoded(chosen) {
    return new Promise((resolve, reject) => {
      const reader = new FileReader();
      reader.onload = () => resolve(String(reader.result).split(",")[1] ?? "");
      reader.onerror = reject;
      reader.readAsDataURL(chosen);
    });
  }

  async function read() {
    enter.disabled = true;
    preview.textContent = "";
    if (!file.files.length) return;
    try {
      csv = await encoded(file.files[0]);
    } catch {
      preview.textContent = preview.dataset.unread;
      return;
    }
    const reply = await eventForms.post("/racers/preview", { csv });
    if (!reply) return;
    eventForms.done("");
    preview.innerHTML = reply.html;
    enter.disabled = reply.racers === 0;
  }

  if (!file) return; // the form is not open
  file.addEventListener("change", read);
  enter.addEventListener("click", async () => {
    enter.disabled = true;
    if (await eventForms.post("/racers/import", { csv })) eventForms.done(enter.dataset.done, "/racers");
    else enter.disabled = false;
  });
})();
