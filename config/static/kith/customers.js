// The pages of customers: dialogs, sensitive values for two minutes, entries of forms, suggestions.

// --- Dialogs: a button opens the one that it names ------------------------------------------------

for (const button of document.querySelectorAll("[data-opens]")) {
  const dialog = document.getElementById(button.dataset.opens);
  button.addEventListener("click", () => dialog.showModal());
}
for (const button of document.querySelectorAll("[data-closes]")) {
  button.addEventListener("click", () => button.closest("dialog").close());
}
document.querySelector("dialog[data-open]")?.showModal();

// --- A form is sent once, and a search without what was left empty --------------------------------

for (const form of document.querySelectorAll("form[data-submits-once]")) {
  form.addEventListener("submit", (event) => {
    if (form.method === "get") {
      const isAlone = event.submitter?.hasAttribute("data-alone");
      for (const control of form.elements) {
        control.disabled ||= Boolean(control.name) && (isAlone || !control.value);
      }
    } else if (form.dataset.sent) {
      event.preventDefault();
    } else {
      form.dataset.sent = "yes";
    }
  });
}
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-submits-once]")) {
    delete form.dataset.sent;
    for (const control of form.elements) {
      if (form.method === "get") control.disabled = false;
    }
  }
});

// --- Sensitive values: shown while the look lasts, which the server decides -----------------------

const shown = document.querySelector("[data-reveal-status]");
let timer;

function conceal(message) {
  clearInterval(timer);
  for (const place of document.querySelectorAll(".is-shown")) {
    place.textContent = place.dataset.mask;
    place.classList.remove("is-shown");
  }
  if (shown) shown.textContent = message;
}

function reveal({ values, seconds }) {
  conceal("");
  for (const place of document.querySelectorAll("[data-sealed]")) {
    const value = values[place.dataset.sealed];
    if (value === undefined) continue;
    place.dataset.mask = place.textContent;
    place.textContent = value;
    place.classList.add("is-shown");
  }
  const end = performance.now() + seconds * 1000;
  const span = document.createElement("span");
  span.setAttribute("aria-hidden", "true");
  shown.append("Sensitive values are shown for two minutes. ", span);
  const tick = () => {
    const left = Math.ceil((end - performance.now()) / 1000);
    if (left <= 0) conceal("Sensitive values are hidden again.");
    else span.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")} left`;
  };
  timer = setInterval(tick, 500);
  tick();
}

const revealForm = document.querySelector("form[data-reveal]");
revealForm?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const error = revealForm.querySelector(".kc-error");
  const button = revealForm.querySelector("[type=submit]");
  button.disabled = true;
  error.textContent = "";
  try {
    const response = await fetch(revealForm.action, {
      method: "POST",
      body: new FormData(revealForm),
      cache: "no-store",
    });
    const isAnswer = response.headers.get("Content-Type")?.startsWith("application/json");
    const answer = isAnswer ? await response.json() : {};
    if (response.ok && answer.values) {
      revealForm.reset();
      revealForm.closest("dialog").close();
      reveal(answer);
    } else {
      error.textContent = answer.error ?? "This did not work. Reload the page and try again.";
    }
  } catch {
    error.textContent = "The server cannot be reached. Try again.";
  }
  button.disabled = false;
});

if (Number(shown?.dataset.revealSeconds) > 0) {
  fetch(shown.dataset.revealUrl, { cache: "no-store" })
    .then((response) => (response.ok ? response.json().then(reveal) : undefined))
    .catch(() => conceal(""));
}
window.addEventListener("pagehide", () => conceal(""));

// --- Forms: entries are copied from a template, and dropped ---------------------------------------

document.addEventListener("click", (event) => {
  const adds = event.target.closest("[data-adds]");
  if (adds) {
    const list = adds.closest("[data-entries]");
    const template = list.querySelector(":scope > template");
    const html = template.innerHTML.replaceAll(list.dataset.entries, list.dataset.next);
    list.dataset.next = Number(list.dataset.next) + 1;
    template.insertAdjacentHTML("beforebegin", html);
    template.previousElementSibling.querySelector("input:not([type=hidden], [type=radio]), select").focus();
  }
  const drops = event.target.closest("[data-drops]");
  if (drops) {
    const list = drops.closest("[data-entries]");
    drops.closest("[data-entry]").remove();
    list.querySelector(":scope > [data-adds]").focus();
  }
});

// What is wrong is the first thing to be corrected.
document.querySelector(".kc-form [aria-invalid]")?.focus();

// --- Suggestions: names with the typed text in them -----------------------------------------------

for (const input of document.querySelectorAll("[data-suggest]")) {
  let waiting;
  const suggest = async () => {
    const url = `${input.dataset.suggest}&term=${encodeURIComponent(input.value)}`;
    const response = await fetch(url).catch(() => undefined);
    if (!response?.ok) return;
    const { names } = await response.json();
    input.list.replaceChildren(...names.map((name) => new Option("", name)));
  };
  input.addEventListener("focus", suggest, { once: true });
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(suggest, 200);
  });
}
