// A live part that is swapped out cannot be a live region itself: its words go to the page's one region, once.
export function announceChanges() {
  const region = document.getElementById("zk-live")
  if (!region) return
  document.addEventListener("htmx:afterSettle", () => {
    const words = [...document.querySelectorAll("[data-announce]")].map((part) => part.dataset.announce).filter(Boolean).join(" ")
    if (words && region.textContent !== words) region.textContent = words
  })
}
