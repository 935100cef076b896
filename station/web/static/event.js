// The pages of the event, its racers and cars: forms and buttons become commands, and the answer is one sentence.
"use strict";

const eventForms = (() => {
  const answer = document.getElementById("answer");
  const confirmBox = document.getElementById("confirm");
  const DONE = "raceday-done"; // what the page before has done, shown on the next one

  function show(words, state) {
    answer.textContent = words;
    answer.dataset.state = state;
  }

  // Sends JSON and returns the station's reply; null (and the sentence is shown) if it was refused or did not arrive.
  async function post(address, values) {
    show("…", "waiting");
    try {
      const response = await fetch(address, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(values),
      });
      const reply = await response.json();
      if (response.ok) return reply;
      show(`✕ ${reply.error}`, "refused");
    } catch {
      show(`✕ ${answer.dataset.silent}`, "refused");
    }
    return null;
  }

  // A confirmed reason, "" without one; null: cancelled.
  function confirmed(question) {
    if (!question) return Promise.resolve("");
    document.getElementById("confirm-title").textContent = question;
    document.getElementById("confirm-reason").value = "";
    confirmBox.returnValue = "no";
    return new Promise((resolve) => {
      const close = () => resolve(confirmBox.returnValue === "yes" ? document.getElementById("confirm-reason").value.trim() : null);
      confirmBox.addEventListener("close", close, { once: true });
      confirmBox.showModal();
    });
  }

  function done(words, next) {
    if (!next) return show(words ? `✓ ${words}` : "", "done");
    try {
      sessionStorage.setItem(DONE, words);
    } catch {
      // storage may be switched off: the next page then says nothing
    }
    return location.assign(next);
  }

  async function press(button) {
    const reason = await confirmed(button.dataset.confirm);
    if (reason === null) return;
    const reply = await post("/api/v1/commands", { ...JSON.parse(button.dataset.send), ...(reason && { reason }) });
    if (reply) done(button.dataset.done, button.dataset.next);
  }

  function values(form) {
    const read = {};
    for (const field of form.elements) {
      if (!field.name || (field.type === "radio" && !field.checked)) continue;
      if (field.type === "checkbox") read[field.name] = field.checked;
      else if ("list" in field.dataset) read[field.name] = field.value.split(";").map((each) => each.trim()).filter(Boolean);
      else read[field.name] = field.value.trim();
    }
    return read;
  }

  async function submit(form) {
    const reason = await confirmed(form.dataset.confirm);
    if (reason === null) return;
    const given = { ...values(form), ...(reason && { reason }) };
    const command = form.dataset.command;
    const reply = await post(form.dataset.post ?? "/api/v1/commands", command ? { command, ...given } : given);
    if (!reply) return;
    done(form.dataset.done.replace("{racer}", given.racer ?? ""), form.dataset.next);
    if (!("again" in form.dataset)) return;
    form.reset();
    form.querySelector("input:not([type=hidden])").focus();
  }

  // The rules in one line and what they would do, a moment after the last key.
  let timer = 0;
  async function preview(form) {
    const response = await fetch(form.dataset.preview, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(values(form)),
    }).catch(() => null);
    const reply = response && (await response.json().catch(() => null));
    if (!reply) return;
    document.getElementById("rules-line").textContent = reply.line ?? `✕ ${reply.error}`;
    document.getElementById("rules-line").classList.toggle("tone-red", !response.ok);
    document.getElementById("rules-submission").textContent = reply.submission ?? "";
    document.getElementById("rules-effect").innerHTML = reply.html ?? "";
  }

  document.addEventListener("click", (click) => {
    const button = click.target.closest("button[data-send]");
    if (button) press(button);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.dataset.command && !form.dataset.post) return;
    event.preventDefault();
    submit(form);
  });
  for (const form of document.querySelectorAll("form[data-preview]")) {
    preview(form);
    form.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => preview(form), 250);
    });
  }

  const find = document.getElementById("find");
  function filter() {
    const wanted = find.value.trim().toLowerCase();
    for (const row of document.querySelectorAll("[data-find]")) row.hidden = !row.dataset.find.includes(wanted);
  }
  if (find) {
    find.addEventListener("input", filter);
    document.addEventListener("raceday", filter); // rows may be drawn anew
  }

  try {
    const before = sessionStorage.getItem(DONE);
    sessionStorage.removeItem(DONE);
    if (before) show(`✓ ${before}`, "done");
  } catch {
    // as above
  }
  if (location.search) document.querySelector("#form input:not([type=hidden])")?.focus(); // a form was asked for
  return { post, done };
})();
