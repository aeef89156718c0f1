// Sends the chosen file as it is, whatever its size, and goes on to the page where it is looked at.
(() => {
  const start = (form) => {
    const file = form.elements.file.files[0];
    const bar = form.querySelector("progress");
    const status = form.querySelector('[role="status"]');
    const alert = form.querySelector('[role="alert"]');
    const button = form.querySelector('button[type="submit"]');

    const fail = (message) => {
      alert.textContent = message;
      alert.hidden = false;
      bar.hidden = true;
      status.textContent = "";
      button.disabled = false;
    };

    alert.hidden = true;
    if (!file) return fail("Choose a file first.");
    const query = new URLSearchParams({ name: file.name });
    if (form.elements.account) query.set("account", form.elements.account.value);

    const request = new XMLHttpRequest();
    request.open("POST", `${form.action}?${query}`);
    request.responseType = "json";
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("X-CSRFToken", form.elements.csrfmiddlewaretoken.value);
    request.upload.addEventListener("progress", (event) => {
      bar.value = event.lengthComputable ? (event.loaded / event.total) * 100 : 0;
    });
    request.upload.addEventListener("load", () => {
      status.textContent = "Reading the file …";
    });
    request.addEventListener("load", () => {
      const answer = request.response || {};
      if (answer.location) location.assign(answer.location);
      else fail(answer.message || "The file could not be read. Reload the page and try again.");
    });
    request.addEventListener("error", () => fail("The connection broke off. Try again."));
    button.disabled = true;
    bar.hidden = false;
    status.textContent = `Sending ${file.name} …`;
    request.send(file);
  };

  document.addEventListener("DOMContentLoaded", () => {
    for (const form of document.querySelectorAll("form[data-upload]")) {
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        start(form);
      });
    }
  });
})();
