// Claim, sign-in, pairing: the code from the address goes into its field, and digits can be pressed on a pad.
"use strict";

(() => {
  // What stands behind # is never sent to a server, and so stands in no log.
  const code = document.querySelector("[data-from-hash]");
  function fromAddress() {
    const shown = decodeURIComponent(location.hash.slice(1)).replace(/[^0-9A-Za-z-]/g, "").slice(0, 40);
    if (!code || !shown) return;
    code.value = shown;
    history.replaceState(null, "", location.pathname);
    const next = [...code.form.elements].find((field) => field !== code && !field.value && field.name);
    (next ?? code.form.querySelector("[type=submit]")).focus();
  }
  addEventListener("hashchange", fromAddress);
  fromAddress();

  const pad = document.getElementById("pad");
  const field = document.getElementById("pass-code");
  if (!pad || !field) return;
  const names = [...document.querySelectorAll("[name=name][data-code]")];

  // The pad is for PINs; who has a passphrase needs letters.
  function show() {
    const chosen = names.find((name) => name.checked);
    const digits = names.length > 0 && (!chosen || chosen.dataset.code === "pin");
    pad.hidden = !digits;
    field.inputMode = digits ? "none" : "text"; // the pad is there already: no second one slides over it
  }
  for (const name of names) {
    name.addEventListener("change", () => {
      field.value = "";
      show();
      if (matchMedia("(pointer: fine)").matches) field.focus();
    });
  }
  pad.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.digit) field.value += button.dataset.digit;
    else field.value = "clear" in button.dataset ? "" : field.value.slice(0, -1);
  });
  show();
})();
