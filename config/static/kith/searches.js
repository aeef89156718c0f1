// Shows how far queued jobs are, until none is open any more, and announces how each ended.
const PAUSES = [500, 1000, 1000, 2000, 3000, 5000];

const openJobs = () => [...document.querySelectorAll("[data-job][data-open]")];

async function look(round) {
  const jobs = openJobs();
  if (jobs.length === 0) {
    return;
  }
  if (!document.hidden) {
    const url = new URL(document.querySelector("[data-jobs]").dataset.jobs, location.href);
    jobs.forEach((job) => url.searchParams.append("id", job.dataset.job));
    const answer = await fetch(url, { headers: { Accept: "application/json" } }).catch(() => null);
    if (answer?.redirected || answer?.status === 403) {
      return; // signed out
    }
    if (answer?.ok) {
      const found = (await answer.json()).jobs;
      found.forEach(show);
      const ended = found.filter((job) => !job.isOpen);
      if (ended.length > 0) {
        await refreshPage();
        const words = ended.map((job) => `${job.name}: ${job.words}. ${job.detail}`);
        document.getElementById("announcement").textContent = words.join(" ");
      }
    }
  }
  setTimeout(look, PAUSES[Math.min(round, PAUSES.length - 1)], round + 1);
}

function show(job) {
  const shown = document.querySelector(`[data-job="${job.id}"]`);
  shown.className = `kith-job is-${job.state}`;
  shown.toggleAttribute("data-open", job.isOpen);
  shown.querySelector("[data-part=words]").textContent = job.words;
  shown.querySelector("[data-part=detail]").textContent = job.detail;
  const bar = shown.querySelector("[role=progressbar]");
  if (bar && job.isOpen) {
    bar.setAttribute("aria-valuenow", job.percent);
    bar.firstElementChild.style.width = `${job.percent}%`;
  } else {
    bar?.remove();
  }
}

// The page of one job has more to show at its end, such as a link to its file.
async function refreshPage() {
  const shown = document.querySelector("[data-page]");
  if (!shown) {
    return;
  }
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById(shown.id);
  if (answer.ok && fresh) {
    const hadFocus = shown.contains(document.activeElement);
    shown.replaceWith(fresh);
    if (hadFocus) {
      fresh.focus();
    }
  }
}

look(0);
