const docs = document.getElementById("docs");
const contents = document.getElementById("contents");
const find = document.getElementById("find");
const menu = document.getElementById("menu");
const theme = document.getElementById("theme");
const root = document.documentElement;

// --- Theme and contents ----------------------------------------------------------------------

function nameTheme() {
  theme.textContent = root.classList.contains("dark-mode") ? "Light" : "Dark";
}

theme.addEventListener("click", () => {
  const isDark = root.classList.toggle("dark-mode");
  localStorage.setItem("kith-docs-theme", isDark ? "dark" : "light");
  nameTheme();
});
nameTheme();

function showMenu(isOpen) {
  menu.setAttribute("aria-expanded", String(isOpen));
  contents.classList.toggle("open", isOpen);
}

menu.addEventListener("click", () => showMenu(menu.getAttribute("aria-expanded") !== "true"));

find.addEventListener("input", () => {
  const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  let found = 0;
  for (const section of contents.querySelectorAll("section")) {
    let here = 0;
    for (const item of section.querySelectorAll("li")) {
      const text = item.dataset.words ?? item.textContent.toLowerCase();
      item.hidden = !words.every((word) => text.includes(word));
      here += item.hidden ? 0 : 1;
    }
    section.hidden = here === 0;
    found += here;
  }
  document.getElementById("nothing").hidden = found > 0;
});

find.addEventListener("keydown", (event) => {
  const first = contents.querySelector("section:not([hidden]) li:not([hidden]) a");
  if (event.key === "Enter" && first) first.click();
});

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input, textarea, select");
  if (event.key === "/" && !isTyping) {
    event.preventDefault();
    showMenu(true);
    find.focus();
  }
  if (event.key === "Escape") showMenu(false);
});

contents.addEventListener("click", (event) => {
  if (event.target.closest("a")) showMenu(false);
});

// --- The page --------------------------------------------------------------------------------

function addChapters() {
  const list = document.getElementById("chapters");
  const headings = docs.querySelectorAll(".info .markdown h1, .info .renderedMarkdown h1");
  for (const heading of headings) {
    heading.id = heading.textContent.toLowerCase().replace(/\W+/g, "-");
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = `#${heading.id}`;
    link.textContent = heading.textContent;
    item.append(link);
    list.append(item);
  }
  for (const block of docs.querySelectorAll(".info pre, .info table")) block.tabIndex = 0;
}

function goTo(ui) {
  const hash = decodeURIComponent(location.hash.slice(1));
  for (const link of contents.querySelectorAll("a")) {
    const isHere = decodeURIComponent(link.hash.slice(1)) === hash;
    link.toggleAttribute("aria-current", isHere);
  }
  if (!hash.startsWith("/")) {
    document.getElementById(hash)?.scrollIntoView();
    return;
  }
  // Swagger UI opens the call, and scrolls only to one that it has just drawn.
  ui.layoutActions.parseDeepLinkHash(location.hash);
  const id = ["operations", ...hash.slice(1).split("/")].join("-").replace(/\s/g, "_");
  requestAnimationFrame(() => document.getElementById(id)?.scrollIntoView());
}

// Requests go to where the page is from, whatever the installation calls itself.
function stayHere(spec) {
  spec.servers = [{ url: location.origin }];
  for (const flow of Object.values(spec.components.securitySchemes.oauth2.flows)) {
    for (const name of ["authorizationUrl", "tokenUrl", "refreshUrl"]) {
      if (name in flow) flow[name] = location.origin + new URL(flow[name]).pathname;
    }
  }
}

// Swagger UI tells when it has the document, not when the page shows it.
function drawn() {
  return new Promise((resolve) => {
    const look = () => {
      if (!docs.querySelector(".info h1") || !docs.querySelector(".opblock")) return;
      observer.disconnect();
      resolve();
    };
    const observer = new MutationObserver(look);
    observer.observe(docs, { childList: true, subtree: true });
    look();
  });
}

async function start() {
  // Swagger UI takes away what is no address of a call.
  const place = location.hash;
  const [spec, samples] = await Promise.all(
    [docs.dataset.schema, docs.dataset.samples].map((url) => fetch(url).then((got) => got.json())),
  );
  stayHere(spec);
  const ui = SwaggerUIBundle({
    spec,
    domNode: docs,
    deepLinking: true,
    defaultModelsExpandDepth: -1,
    defaultModelExpandDepth: 3,
    docExpansion: "list",
    displayRequestDuration: true,
    oauth2RedirectUrl: location.origin + docs.dataset.redirect,
    persistAuthorization: false,
    showMutatedRequest: false,
    syntaxHighlight: { activated: false },
    tryItOutEnabled: false,
    validatorUrl: null,
    presets: [SwaggerUIBundle.presets.apis],
    plugins: [withSamples(samples), forEverybody, () => quickly(spec)],
  });
  ui.initOAuth({ usePkceWithAuthorizationCodeGrant: true });
  await drawn();
  addChapters();
  if (location.hash !== place) history.replaceState(null, "", place);
  goTo(ui);
  window.addEventListener("hashchange", () => goTo(ui));
  docs.dataset.ready = "yes";
}

start();
