// Officers' pages. Everything here is a convenience: each page works without it.
import { Button, Checkboxes, ErrorSummary, Radios, ServiceNavigation, SkipLink, createAll } from "govuk-frontend"
import "htmx.org/dist/htmx.esm.js"
import { announceChanges } from "./announce.js"
import { bindCameras } from "./camera.js"
import { bindKeys } from "./keys.js"
import { bindMenus } from "./menu.js"
import { bindPrint } from "./print.js"
import { bindReaders } from "./reader.js"
import { bindSelections } from "./select.js"
import { bindSignatures } from "./signature.js"
import { bindSuggestions } from "./suggest.js"

document.body.classList.add("js-enabled", "govuk-frontend-supported")
createAll(Button)
createAll(Checkboxes)
createAll(ErrorSummary)
createAll(Radios)
createAll(ServiceNavigation)
createAll(SkipLink)
bindCameras()
bindKeys()
bindMenus()
bindPrint()
bindReaders()
bindSelections(document)
bindSignatures()
bindSuggestions()
announceChanges()
document.addEventListener("htmx:load", (event) => bindSelections(event.target))
