"""The look of every page: shells, parts, form fields, error pages. Knows no room but `core`."""

from zhengka.web.ui import plain as plain
