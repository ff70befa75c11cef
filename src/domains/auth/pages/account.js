// Sends the token of a mailed link to the API. It stands in the fragment of the address, which browsers send to nobody.
"use strict";

const pages = {
  "reset-password": {
    title: "Set a new password",
    button: "Set the password",
    operation: "/api/v1/auth/password/reset",
    done: "The password is set. Sign in with it.",
    asksForPassword: true,
  },
  "verify-email": {
    title: "Verify your address",
    button: "This is my address",
    operation: "/api/v1/auth/email/verify",
    done: "The address is verified. You can sign in now.",
    asksForPassword: false,
  },
};

const page = pages[location.pathname.split("/").pop()];
const token = new URLSearchParams(location.hash.slice(1)).get("token");
const form = document.querySelector("form");
const status = document.querySelector("[role=status]");

document.title = page.title;
document.querySelector("h1").textContent = page.title;
form.querySelector("button").textContent = page.button;
document.querySelector("#password-field").hidden = !page.asksForPassword;
form.elements.password.required = page.asksForPassword;
// The token must not stay in the history.
history.replaceState(null, "", location.pathname);

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = page.asksForPassword ? { token, password: form.elements.password.value } : { token };
  const options = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  try {
    const response = await fetch(page.operation, options);
    if (response.ok) {
      form.hidden = true;
      status.textContent = page.done;
      return;
    }
    const problem = await response.json();
    const reasons = problem.errors.map((error) => error.message);
    status.textContent = reasons.length > 0 ? `The password ${reasons.join(", ")}.` : `${problem.detail || problem.title}.`;
  } catch {
    status.textContent = "The server does not answer. Try again.";
  }
});
