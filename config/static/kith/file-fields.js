// The skin would look for a field of its own beside each file, for the name; browsers show it.
document.addEventListener("DOMContentLoaded", () => {
  for (const field of document.querySelectorAll("input[type=file]")) {
    field.hasChangeListener = true;
  }
});
