// Dialogs that ask before something ends, and buttons that copy a secret that is shown once.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-opens], [data-closes], [data-copies]");
  if (!button) return;
  if (button.dataset.opens) document.getElementById(button.dataset.opens).showModal();
  if (button.hasAttribute("data-closes")) button.closest("dialog").close();
  if (button.dataset.copies) {
    const source = document.getElementById(button.dataset.copies);
    const text = source.value ?? source.textContent;
    const status = document.getElementById(button.getAttribute("aria-describedby"));
    status.textContent = (await copy(text, source)) ? "Copied." : "Press Ctrl+C to copy it.";
  }
});

// Without https browsers have no clipboard for scripts, but still the old command.
async function copy(text, source) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    if (source.select) source.select();
    else window.getSelection().selectAllChildren(source);
    return document.execCommand("copy");
  }
}

// To load the page that shows a secret again is to go where it came from, not to make another one.
const shown = document.querySelector("[data-returns]");
if (shown) history.replaceState(null, "", shown.dataset.returns);
