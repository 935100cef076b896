// Copies the link and its text, and fills in the time zone of the reader's machine. Without it both are done by hand.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  const words = button.textContent;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copy);
    source.select();
    try {
      await navigator.clipboard.writeText(source.value);
    } catch {
      // Over plain HTTP browsers have no clipboard of that kind; the selected text can still be copied.
      if (!document.execCommand("copy")) return;
    }
    button.textContent = button.dataset.copied;
    const status = document.querySelector("[data-copy-status]");
    if (status) status.textContent = button.dataset.copied;
    setTimeout(() => {
      button.textContent = words;
      if (status) status.textContent = "";
    }, 3000);
  });
}
const zone = document.querySelector("[data-zone]");
const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && here) zone.value = here;
