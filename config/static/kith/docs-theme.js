// Before the first paint: the theme that was chosen, or else that of the system.
{
  const chosen = localStorage.getItem("kith-docs-theme");
  const isDark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.classList.toggle("dark-mode", isDark);
}
