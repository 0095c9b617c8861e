// Lists by keyboard: j and k walk the rows of a page's tables, Enter opens the row's link, x ticks the row.
const handle = (row) => row.querySelector("a[href]") ?? row.querySelector("[data-select-row]")

export function rows() {
  return [...document.querySelectorAll("main .zk-table tbody tr")].filter((row) => handle(row) && row.getClientRects().length)
}

const current = () => document.activeElement?.closest?.("main .zk-table tbody tr")

// True where the key was for a list and has been answered.
export function useRowKey(key) {
  const all = rows()
  if (!all.length || !["j", "k", "x"].includes(key)) return false
  const at = all.indexOf(current())
  if (key === "x") {
    all[at]?.querySelector("[data-select-row]")?.click()
    return at >= 0
  }
  const next = at < 0 ? (key === "j" ? 0 : all.length - 1) : Math.min(Math.max(at + (key === "j" ? 1 : -1), 0), all.length - 1)
  handle(all[next]).focus()
  all[next].scrollIntoView({ block: "nearest" })
  return true
}
