// Finds a racer on a long board, and shows only the lines around one.
(() => {
  "use strict";

  const AROUND = 4; // lines above and below
  const form = document.querySelector("[data-find]");
  if (!form) return;
  const body = document.querySelector("table[data-version], table").tBodies[0];
  const around = form.querySelector("[data-around]");
  const found = form.querySelector(".found");
  const plain = (name) => name.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().trim();
  let key = "";
  let only = false;

  // After each change too: lines are replaced and moved.
  function show() {
    const rows = [...body.rows];
    const at = rows.findIndex((row) => row.dataset.key === key);
    rows.forEach((row, index) => {
      row.classList.toggle("found", index === at);
      row.classList.toggle("far", only && at >= 0 && Math.abs(index - at) > AROUND);
    });
    around.disabled = at < 0;
    around.setAttribute("aria-pressed", String(only && at >= 0));
    return rows[at];
  }

  form.addEventListener("submit", (submit) => {
    submit.preventDefault();
    const wanted = plain(new FormData(form).get("racer"));
    const names = [...body.rows].map((row) => [row, plain(row.dataset.name)]);
    const [row] = names.find(([, name]) => name === wanted) ?? names.find(([, name]) => wanted && name.includes(wanted)) ?? [];
    key = row ? row.dataset.key : "";
    found.textContent = row ? t("{name}: place {place}", { name: row.dataset.name, place: row.dataset.rank }) : t("No racer of that name is on this board.");
    show()?.scrollIntoView({ block: "center" });
  });
  around.addEventListener("click", () => {
    only = !only;
    show()?.scrollIntoView({ block: "center" });
  });
  new MutationObserver(show).observe(body, { childList: true });
  form.hidden = false;
  show();
})();
