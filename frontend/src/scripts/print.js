// Print buttons appear only where a script can answer them.
export function bindPrint() {
  for (const button of document.querySelectorAll("[data-print]")) {
    button.hidden = false
    button.addEventListener("click", () => window.print())
  }
}
