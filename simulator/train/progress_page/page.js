// The page of a training, opened as a file: it takes the reader to their language, and renews itself while it runs.
// Which language is wanted is asked once: an address with a fragment was chosen by hand.
"use strict";
(() => {
  const root = document.documentElement;
  const wanted = navigator.languages.map((tag) => tag.toLowerCase().split("-")[0]);
  const placeOf = (language) => (wanted.includes(language) ? wanted.indexOf(language) : Infinity);

  const betterPage = () => {
    const others = [...document.querySelectorAll("link[rel=alternate]")];
    const better = others.filter(({ hreflang }) => placeOf(hreflang) < placeOf(root.lang));
    return better.sort((a, b) => placeOf(a.hreflang) - placeOf(b.hreflang))[0];
  };

  const renewing = (everyMs) => {
    const hold = document.getElementById("hold");
    const reload = () => {
      // What has the focus has it again afterwards.
      history.replaceState({ focus: document.activeElement?.id ?? "" }, "");
      location.reload();
    };
    const later = () =>
      setTimeout(() => {
        if (hold.getAttribute("aria-pressed") === "true") return;
        if (getSelection().isCollapsed) reload();
        else later(); // somebody is copying
      }, everyMs);
    hold.parentElement.hidden = false;
    hold.addEventListener("click", () => {
      const held = hold.getAttribute("aria-pressed") !== "true";
      hold.setAttribute("aria-pressed", String(held));
      if (!held) reload();
    });
    document.getElementById("silent").hidden = Date.now() - root.dataset.writtenMs < root.dataset.silentMs;
    later();
  };

  addEventListener("DOMContentLoaded", () => {
    const better = "first" in root.dataset && !location.hash ? betterPage() : undefined;
    if (better) {
      location.replace(better.href);
      return;
    }
    if (root.dataset.renewMs) renewing(Number(root.dataset.renewMs));
    if (history.state?.focus) document.getElementById(history.state.focus)?.focus({ preventScroll: true });
  });
})();
