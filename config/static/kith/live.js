// Keeps what is marked `data-live` up to date while any of it says `data-live="running"`: the page
// is fetched again, and those of its parts that changed are put in the place of the old ones. A part
// with an open dialog waits until that is closed.
(() => {
  const PAUSE = 1500;
  const LONGEST = 15000;

  const refresh = async () => {
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (!answer.ok || answer.redirected) throw new Error(answer.statusText);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    let isBehind = false;
    for (const old of document.querySelectorAll("[data-live]")) {
      const now = fresh.getElementById(old.id);
      if (!now || now.outerHTML === old.outerHTML) continue;
      if (old.querySelector("dialog[open]")) isBehind = true;
      else old.replaceWith(document.adoptNode(now));
    }
    return isBehind;
  };

  const watch = (pause, isBehind) => {
    if (!isBehind && !document.querySelector('[data-live="running"]')) return;
    setTimeout(async () => {
      let next = PAUSE;
      try {
        if (!document.hidden) isBehind = await refresh();
      } catch {
        next = Math.min(LONGEST, pause * 2);
      }
      watch(next, isBehind);
    }, pause);
  };

  document.addEventListener("DOMContentLoaded", () => watch(PAUSE, false));
})();
