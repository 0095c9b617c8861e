// The officer's menu is a <details>: close it by Escape or by pressing elsewhere.
export function bindMenus() {
  for (const menu of document.querySelectorAll("details.zk-menu")) {
    document.addEventListener("click", (event) => {
      if (!menu.contains(event.target)) menu.open = false
    })
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu.open) return
      menu.open = false
      menu.querySelector("summary").focus()
    })
  }
}
