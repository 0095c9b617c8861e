// Holders' and passers-by's pages: as little as a phone needs.
import { ErrorSummary, SkipLink, createAll } from "govuk-frontend"
import { bindPrint } from "./print.js"

document.body.classList.add("js-enabled", "govuk-frontend-supported")
createAll(ErrorSummary)
createAll(SkipLink)
bindPrint()
