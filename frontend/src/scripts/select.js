// Tables with ticks: select all, count, and an action bar that is off while nothing is chosen.
function bind(form) {
  if (form.dataset.bound) return
  form.dataset.bound = "yes"
  const all = form.querySelector("[data-select-all]")
  const count = form.querySelector("[data-select-count]")
  const ticks = () => [...form.querySelectorAll("[data-select-row]")]

  const show = () => {
    const rows = ticks()
    const chosen = rows.filter((tick) => tick.checked)
    for (const tick of rows) tick.closest("tr").classList.toggle("zk-chosen", tick.checked)
    if (all) {
      all.checked = rows.length > 0 && chosen.length === rows.length
      all.indeterminate = chosen.length > 0 && chosen.length < rows.length
    }
    if (count) count.textContent = count.dataset.selectCount.replace("{n}", chosen.length)
    for (const button of form.querySelectorAll("[data-needs-selection]")) button.disabled = chosen.length === 0
  }

  if (all) {
    all.closest("[data-select-all-cell]")?.removeAttribute("hidden")
    all.addEventListener("change", () => {
      for (const tick of ticks()) tick.checked = all.checked
      show()
    })
  }
  form.addEventListener("change", show)
  form.addEventListener("reset", () => setTimeout(show))
  window.addEventListener("pageshow", show)
  show()
}

export function bindSelections(root) {
  if (root.matches?.("[data-select]")) bind(root)
  for (const form of root.querySelectorAll?.("[data-select]") ?? []) bind(form)
}
