// How this device is to look and sound; kept on it alone.
const KEPT = "zhengka-gate-settings"
const CLASSES = { left: "zk-gate-left", night: "zk-gate-night", care: "zk-gate-care" }

export const settings = JSON.parse(localStorage.getItem(KEPT) ?? "{}")

const keep = () => localStorage.setItem(KEPT, JSON.stringify(settings))

export function look() {
  for (const [name, mark] of Object.entries(CLASSES)) document.documentElement.classList.toggle(mark, Boolean(settings[name]))
}

export function bindSettings() {
  const form = document.querySelector("[data-settings]")
  for (const box of form.querySelectorAll("[type=checkbox]")) {
    box.checked = Boolean(settings[box.name])
    box.addEventListener("change", () => { settings[box.name] = box.checked; keep(); look() })
  }
  for (const link of document.querySelectorAll("[data-language]")) {
    link.addEventListener("click", () => { settings.language = link.dataset.language; keep() })
  }
}
