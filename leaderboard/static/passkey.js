// Passkeys: asks the leaderboard for a challenge, the browser for its answer, and hands that in. Without this script, or
// where a browser has no passkeys (http, a bare address), the passphrase does all that a passkey does.
"use strict";
(() => {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
  const base64url = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const bare = /^(\d+\.\d+\.\d+\.\d+|\[.*\])$/.test(location.hostname);
  const possible = window.PublicKeyCredential && window.isSecureContext && !bare;
  for (const hint of document.querySelectorAll("[data-no-passkey]")) hint.hidden = Boolean(possible);
  if (!possible) return;

  async function call(path, document_) {
    const headers = { "content-type": "application/json" };
    const token = document.querySelector('meta[name="csrf-token"]');
    if (token) headers["x-csrf-token"] = token.content;
    const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(document_) });
    const found = answer.status === 204 ? {} : await answer.json();
    if (!answer.ok) throw new Error(found.error);
    return found;
  }

  async function made(options) {
    const asked = { ...options, challenge: bytes(options.challenge), user: { ...options.user, id: bytes(options.user.id) } };
    asked.excludeCredentials = (options.excludeCredentials || []).map((each) => ({ ...each, id: bytes(each.id) }));
    const credential = await navigator.credentials.create({ publicKey: asked });
    return { ...plain(credential), response: { clientDataJSON: base64url(credential.response.clientDataJSON), attestationObject: base64url(credential.response.attestationObject) } };
  }

  async function shown(options) {
    const asked = { ...options, challenge: bytes(options.challenge) };
    asked.allowCredentials = (options.allowCredentials || []).map((each) => ({ ...each, id: bytes(each.id) }));
    const credential = await navigator.credentials.get({ publicKey: asked });
    const { clientDataJSON, authenticatorData, signature, userHandle } = credential.response;
    const response = { clientDataJSON: base64url(clientDataJSON), authenticatorData: base64url(authenticatorData), signature: base64url(signature) };
    if (userHandle) response.userHandle = base64url(userHandle);
    return { ...plain(credential), response };
  }

  const REFUSALS = {
    NotAllowedError: t("No passkey was given. Try again, or use the passphrase."),
    InvalidStateError: t("This device has a passkey of this account already."),
  };
  const plain = (credential) => ({ id: credential.id, rawId: base64url(credential.rawId), type: credential.type, clientExtensionResults: credential.getClientExtensionResults() });

  function showCodes(codes) {
    const page = document.getElementById("codes-page").content.cloneNode(true);
    for (const code of codes) {
      const line = document.createElement("li");
      line.append(Object.assign(document.createElement("code"), { textContent: code }));
      page.querySelector("ol").append(line);
    }
    const main = document.getElementById("main");
    main.replaceChildren(page);
    main.querySelector("[tabindex]").focus();
  }

  for (const box of document.querySelectorAll("[data-passkey]")) {
    const [button, refusal] = [box.querySelector("button"), box.querySelector(".refusal")];
    const purpose = box.dataset.passkey;
    box.hidden = false;
    button.addEventListener("click", async () => {
      const question = { purpose };
      if (purpose === "sign_up") {
        const alias = document.getElementById("alias");
        if (!alias.reportValidity()) return;
        question.alias = alias.value;
        question.name = document.getElementById("name").value;
      }
      button.disabled = true;
      refusal.hidden = true;
      try {
        const { challenge_id, options } = await call("/api/v1/passkeys/options", question);
        const credential = await (purpose === "sign_in" ? shown(options) : made(options));
        const entered = await call("/api/v1/passkeys/verify", { purpose, challenge_id, credential });
        if (purpose === "sign_up") showCodes(entered.recovery_codes);
        else location.assign(box.dataset.next);
      } catch (error) {
        refusal.textContent = REFUSALS[error.name] || error.message;
        refusal.hidden = false;
      }
      button.disabled = false;
    });
  }
})();
