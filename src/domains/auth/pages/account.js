// Sends the token of a mailed link to the API. It stands in the fragment of the address, which browsers send to nobody.
"use strict";

const pages = {
  "reset-password": {
    title: "Set a new password",
    button: "Set the password",
    operation: "/api/v1/auth/password/reset",
    done: "The password is set. Sign in with it.",
    asksForPassword: true,
    needsPassword: true,
  },
  "accept": {
    title: "Accept the invitation",
    button: "Accept",
    hint: "If you have an account here already, leave both fields empty.",
    operation: "/api/v1/invitations/accept",
    done: "You are a member now. Sign in with your address and password.",
    asksForName: true,
    asksForPassword: true,
  },
  "verify-email": {
    title: "Verify your address",
    button: "This is my address",
    operation: "/api/v1/auth/email/verify",
    done: "The address is verified. You can sign in now.",
  },
};

const page = pages[location.pathname.split("/").pop()];
const token = new URLSearchParams(location.hash.slice(1)).get("token");
const form = document.querySelector("form");
const status = document.querySelector("[role=status]");

document.title = page.title;
document.querySelector("h1").textContent = page.title;
form.querySelector("button").textContent = page.button;
document.querySelector("#hint").textContent = page.hint || "";
document.querySelector("#hint").hidden = !page.hint;
document.querySelector("#name-field").hidden = !page.asksForName;
document.querySelector("#password-field").hidden = !page.asksForPassword;
form.elements.password.required = Boolean(page.needsPassword);
// The token must not stay in the history.
history.replaceState(null, "", location.pathname);

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = { token };
  for (const name of ["name", "password"]) {
    if (form.elements[name].value) body[name] = form.elements[name].value;
  }
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
    status.textContent = reasons.length > 0 ? `The ${page.asksForName ? "name or password" : "password"} ${reasons.join(", ")}.` : `${problem.detail || problem.title}.`;
  } catch {
    status.textContent = "The server does not answer. Try again.";
  }
});
