// Pages that are read and printed: the print button works where scripts run; elsewhere the browser's own menu prints.
"use strict";

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
// Paper shows what is folded away on the screen.
addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll("details:not([open])")) {
    folded.open = true;
    folded.dataset.openedForPaper = "";
  }
});
addEventListener("afterprint", () => {
  for (const folded of document.querySelectorAll("details[data-opened-for-paper]")) {
    folded.open = false;
    delete folded.dataset.openedForPaper;
  }
});
