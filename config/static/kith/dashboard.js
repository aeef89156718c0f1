// Brings the figures up to date as long as somebody looks: often while a worker still counts them.
const PENDING = 2000;
const COUNTED = 30000;

async function refresh() {
  const shown = document.getElementById("dashboard");
  const isBusy = document.hidden || shown.querySelector("details[open]") || shown.contains(document.activeElement);
  if (!isBusy) {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
    if (answer?.ok && !answer.redirected) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("dashboard");
      if (fresh) {
        shown.replaceWith(fresh);
      }
    }
  }
  next();
}

function next() {
  const isPending = "pending" in document.getElementById("dashboard").dataset;
  setTimeout(refresh, isPending ? PENDING : COUNTED);
}

next();
