// Makes an element of the page like one that the station drew anew, and touches only what differs: what is unchanged
// costs no style, no layout and no paint, and keeps its focus and its animations.
"use strict";

const patch = (() => {
  const FIELDS = new Set(["INPUT", "SELECT", "TEXTAREA"]); // what somebody typed stays unless the station has news
  const PRESSED = new Set(["A", "BUTTON", "FORM"]);
  const DOES = new Set(["href", "name", "type", "value", "action", "method"]);

  const does = ({ attributes }) =>
    [...attributes].filter(({ name }) => DOES.has(name) || name.startsWith("data-")).map(({ name, value }) => `${name}=${value}`).join("\n");

  // Nothing turns into something else under a finger or the focus: what does something else is a new element.
  function isSame(live, drawn) {
    if (live.nodeType !== drawn.nodeType || live.nodeName !== drawn.nodeName) return false;
    if (drawn.nodeType !== Node.ELEMENT_NODE) return true;
    if (live.id !== drawn.id) return false;
    if (FIELDS.has(drawn.nodeName)) return live.isEqualNode(drawn);
    return !PRESSED.has(drawn.nodeName) || does(live) === does(drawn);
  }

  function patchAttributes(live, drawn) {
    for (const { name, value } of drawn.attributes) if (live.getAttribute(name) !== value) live.setAttribute(name, value);
    if (live.attributes.length === drawn.attributes.length) return;
    const opened = drawn.nodeName === "DETAILS" || drawn.nodeName === "DIALOG"; // by the reader
    for (const { name } of [...live.attributes]) {
      if (!drawn.hasAttribute(name) && !(opened && name === "open")) live.removeAttribute(name);
    }
  }

  function patchChildren(live, drawn) {
    const [have, want] = [[...live.childNodes], [...drawn.childNodes]];
    if (have.length !== want.length) return live.replaceChildren(...want);
    return have.forEach((each, place) => {
      if (!isSame(each, want[place])) each.replaceWith(want[place]);
      else if (each.nodeType === Node.ELEMENT_NODE) patchElement(each, want[place]);
      else if (each.data !== want[place].data) each.data = want[place].data;
    });
  }

  function patchElement(live, drawn) {
    patchAttributes(live, drawn);
    if (!("own" in drawn.dataset)) patchChildren(live, drawn); // else a script of the page draws what is in it
  }

  return { element: patchElement, children: patchChildren };
})();
