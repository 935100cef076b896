// Finds a racer on a board, and shows only the lines around one; of a board that is here in part, the server does.
(() => {
  "use strict";

  const AROUND = 4; // lines above and below
  const form = document.querySelector("[data-find]");
  if (!form) return;
  const body = document.querySelector("table[data-version], table").tBodies[0];
  const around = form.querySelector("[data-around]");
  const found = form.querySelector(".found");
  const plain = (name) => name.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().trim();
  let key = form.dataset.middle ?? "";
  let only = false;

  // After each change too: lines are replaced and moved.
  function show() {
    const rows = [...body.rows];
    const at = rows.findIndex((row) => row.dataset.key === key);
    rows.forEach((row, index) => {
      row.classList.toggle("found", index === at);
      row.classList.toggle("far", only && at >= 0 && Math.abs(index - at) > AROUND);
    });
    around.setAttribute("aria-pressed", String(only && at >= 0));
    return rows[at];
  }

  function rowOf(wanted) {
    const names = [...body.rows].map((row) => [row, plain(row.dataset.name)]);
    const [row] = names.find(([, name]) => name === wanted) ?? names.find(([, name]) => wanted && name.includes(wanted)) ?? [];
    return row;
  }

  form.addEventListener("submit", (submit) => {
    const isAround = submit.submitter === around;
    const row = rowOf(plain(new FormData(form).get("racer")));
    if (!row && "partOnly" in form.dataset) return; // the server looks through the whole board
    submit.preventDefault();
    only = isAround && !(only && row && row.dataset.key === key);
    key = row ? row.dataset.key : "";
    found.textContent = row ? t("{name}: place {place}", { name: row.dataset.name, place: row.dataset.rank }) : t("No racer of that name is on this board.");
    show()?.scrollIntoView({ block: "center" });
  });
  new MutationObserver(show).observe(body, { childList: true });
  show();
})();
