"""`{% load ui %}`: the parts of a page. Shapes of the rows they take: `zhengka.web.ui.parts`.

Inline
    {% state_tag "card" card.state %}                a state's word in its tone (see `words`)
    {% tag "text" "good" %}                          any other word in a tone
    {% action_label step.action %}                   a workflow action's word
    {{ 125867|number }}                              125,867
    {{ cell|shown }}                                 a `Cell` of a table or a summary list
    {% button "Save" kind="secondary" href=… name=… value=… shortcut="s" id=… disabled=… needs_selection=… form=… %}
    {% post_button url "Approve" kind="primary" shortcut="a" %}   a form of one button, with csrf token and request id
    {% request_id %}                                 hidden input: a repeat of this form does nothing twice
    {% print_button %}                               {% asset "app.css" %} → address with the build's digest
    {% search_box url label value=… hint=… name="q" live="#results" %}
Parts
    {% data_table table %}  {% bulk_table table url %}…buttons…{% endbulk_table %}
    {% scroll_region label %}<table>…{% endscroll_region %}
    {% summary_list facts %}  {% tiles tiles %}  {% timeline events %}  {% steps stages %}  {% pager pager %}
    {% progress done total label poll=url note=… unit=… finished=… %}
    {% bar_chart title rows about=… unit=… head=… %}              rows: (label, count)
    {% stacked_bar title rows series about=… head=… share=… %}    rows: (label, [count, …])
    {% funnel_plot title points curves target about=… axes=… %}   points: (label, number, share, where)
    {% notice "warning" "Title" %}…{% endnotice %}  {% details "Summary" %}…{% enddetails %}
    {% empty_state title text href label %}
    {% error_summary form %}                         for forms whose fields are placed by hand
"""

import json
import uuid
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django import template
from django.forms import BaseForm
from django.template.context import Context
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from zhengka.web.ui import charts, words
from zhengka.web.ui.parts import Cell, Event, Fact, History, Pager, Row, Stage, Table, Text, Tile

register = template.Library()
BUILT = Path(__file__).resolve().parents[1] / "static/ui"
KINDS = {"primary": "", "secondary": " govuk-button--secondary", "warning": " govuk-button--warning",
         "quiet": " govuk-button--quiet", "warning-quiet": " govuk-button--warning-quiet"}
NOTICES = {"info": "i", "success": "✓", "warning": "!", "error": "!"}


@lru_cache
def _digests() -> dict[str, str]:
    outputs = json.loads((BUILT / "manifest.json").read_text(encoding="utf-8"))["outputs"]
    return {name.rpartition("/static/ui/")[2]: digest for name, digest in outputs.items()}


@register.simple_tag
def asset(name: str) -> str:
    """Address of a built file with its digest, so that a browser keeps it until it changes."""
    return f"{static('ui/' + name)}?v={_digests().get(name, '0')[:12]}"


@register.simple_tag(takes_context=True)
def root_class(context: Context, *names: str) -> str:
    """Classes of <html>: those named, and care mode where the visitor has switched it on."""
    return " ".join([*names, "zk-care"] if care_mode(context) else names)


@register.simple_tag(takes_context=True)
def care_mode(context: Context) -> bool:
    """True in care mode (关怀模式)."""
    request = context.get("request")
    return request is not None and request.COOKIES.get("care") == "1"


@register.simple_tag(takes_context=True)
def here(context: Context) -> str:
    """Path and query of this page; "/" where there is no request."""
    request = context.get("request")
    return request.get_full_path() if request is not None and request.method == "GET" else getattr(request, "path", "/")


@register.filter
def number(value: Any) -> Any:
    """A count with its thousands set apart; anything else as it is."""
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else value


@register.simple_tag
def tag(text: Text, tone: str = words.QUIET) -> SafeString:
    """A word in a tone: quiet, active, wait, good or bad (bad is kept for lost cards and faults)."""
    return format_html('<strong class="zk-tag zk-tag--{}">{}</strong>', tone, text)


@register.simple_tag
def state_tag(kind: str, state: str) -> SafeString:
    """The state of a row of `kind` (holder, certificate, import, row, case, card, batch, item, job) as a tag."""
    tone, word = words.look(kind, state)
    return tag(word, tone)


@register.simple_tag
def action_label(action: str, kind: str = "") -> Text:
    """The word for a workflow action."""
    return words.act(action, kind)


@register.simple_tag
def request_id() -> SafeString:
    """A hidden request id: sending the same form twice does the act once."""
    return format_html('<input type="hidden" name="request_id" value="{}">', uuid.uuid4())


@register.inclusion_tag("ui/parts/button.html")
def button(label: Text, kind: str = "primary", **options: Any) -> dict[str, Any]:
    """A button, or with `href` a link that looks like one. Options: href, name, value, id, form, shortcut, small,
    disabled, needs_selection, formaction.
    """
    return {"label": label, "modifier": KINDS[kind], **options}


@register.inclusion_tag("ui/parts/post_button.html", takes_context=True)
def post_button(context: Context, url: str, label: Text, kind: str = "primary", **options: Any) -> dict[str, Any]:
    """A form of one button, with csrf token and request id. Options as for `button`."""
    return {"url": url, "label": label, "kind": kind, "csrf_token": context.get("csrf_token"), **options}


@register.inclusion_tag("ui/parts/print_button.html")
def print_button(label: Text = "") -> dict[str, Any]:
    """Prints the page; hidden where no script runs."""
    return {"label": label or _("Print this page")}


@register.inclusion_tag("ui/parts/search_box.html")
def search_box(url: str, label: Text, value: str = "", **options: Any) -> dict[str, Any]:
    """A search form by GET. Options: hint, name ("q"), live (selector of the part to renew while one types)."""
    return {"url": url, "label": label, "value": value, "name": "q", **options}


def _cell(value: Cell | Text | int | None) -> Cell:
    return value if isinstance(value, Cell) else Cell("" if value is None else value)


@register.filter
def shown(cell: Cell) -> SafeString:
    """A cell: its words as a link, in a tone or plain, and its note."""
    text = number(cell.text)
    word = format_html('<a class="govuk-link" href="{}">{}</a>', cell.href, text) if cell.href else (
        tag(text, cell.tone) if cell.tone else text)
    note = format_html(' <span class="zk-note">{}</span>', cell.note) if cell.note else ""
    return format_html('<span class="zk-number">{}{}</span>' if cell.number else "<span>{}{}</span>", word, note)


def _cells(row: Row, heads: Sequence[Mapping[str, Any]]) -> SafeString:
    """The cells of a row. In code, not in the template: a page has hundreds, and they were most of its time."""
    made = [format_html('<td role="cell" data-label="{}" class="zk-numeric">{}</td>' if head["numeric"] else
                        '<td role="cell" data-label="{}">{}</td>', head["label"], shown(_cell(cell)))
            for cell, head in zip(row.cells[1:], heads[1:], strict=True)]
    return format_html('<th scope="row" role="rowheader" data-label="{}">{}</th>', heads[0]["label"],
                       shown(_cell(row.cells[0]))) + SafeString("".join(made))


def _laid_out(context: Context, table: Table) -> dict[str, Any]:
    request = context.get("request")
    query = {} if request is None else {k: v for k, v in request.GET.items() if k not in ("sort", "after", "before")}
    heads = [{
        "label": str(column.label), "numeric": column.numeric,
        "order": (
            {column.sort: "ascending", f"-{column.sort}": "descending"}.get(table.sort, "none") if column.sort else ""),
        "href": "?" + urlencode({**query, "sort": f"-{column.sort}" if table.sort == column.sort else column.sort}),
    } for column in table.columns]
    name = _("Select %(name)s")
    rows = [{"value": row.value, "cells": _cells(row, heads),
             "tick": name % {"name": _cell(row.cells[0]).text} if table.select else ""} for row in table.rows]
    return {"table": table, "heads": heads, "rows": rows, "pager": table.pager}


@register.inclusion_tag("ui/parts/table.html", takes_context=True)
def data_table(context: Context, table: Table) -> dict[str, Any]:
    """A table with caption, sort links, pager; rows become cards on a phone; its `empty` sentence when it has none."""
    return _laid_out(context, table)


@register.simple_block_tag(takes_context=True)
def bulk_table(context: Context, content: str, table: Table, url: str = "") -> SafeString:
    """A table with ticks (its `select` names them); the block holds the buttons of the action bar."""
    return render_to_string("ui/parts/bulk_table.html", {
        **_laid_out(context, table), "url": url, "buttons": content, "csrf_token": context.get("csrf_token")})


@register.simple_block_tag
def scroll_region(content: str, label: Text) -> SafeString:
    """A focusable, named region that scrolls sideways: for wide tables written by hand."""
    return format_html('<div class="zk-scroll" role="region" tabindex="0" aria-label="{}">{}</div>', label, content)


@register.inclusion_tag("ui/parts/pager.html")
def pager(pager: Pager) -> dict[str, Any]:
    """Links to the neighbouring pages of a long list, and how many it shows."""
    return {"pager": pager}


@register.inclusion_tag("ui/parts/summary_list.html")
def summary_list(facts: Sequence[Fact | tuple[Text, Text]]) -> dict[str, Any]:
    """Names and values, each perhaps with a link to change it."""
    lines = [fact if isinstance(fact, Fact) else Fact(*fact) for fact in facts]
    return {"lines": [(line, _cell(line.value)) for line in lines], "with_actions": any(line.href for line in lines)}


@register.inclusion_tag("ui/parts/tiles.html")
def tiles(tiles: Sequence[Tile]) -> dict[str, Any]:
    """Key figures."""
    return {"tiles": tiles}


@register.inclusion_tag("ui/parts/timeline.html")
def timeline(events: Sequence[Event] | History) -> dict[str, Any]:
    """A history, in the order given (newest first reads best), with a pager where it goes on."""
    found = events if isinstance(events, History) else History(events)
    return {"events": found.events, "pager": found.pager}


@register.inclusion_tag("ui/parts/steps.html")
def steps(stages: Sequence[Stage]) -> dict[str, Any]:
    """Where a case stands."""
    return {"stages": stages}


@register.inclusion_tag("ui/parts/progress.html")
def progress(done: int, total: int, label: Text, **options: Any) -> dict[str, Any]:
    """A progress bar. Options: id (when a page has several), poll (address of a view that answers with this same tag;
    asked each second until done), note, unit, finished (True when over), refresh (seconds between reloads without
    script). A total of 0 means that nobody can say how far it is: the bar shows that it goes on.
    The view of `poll` renders `ui/parts/progress.html` by `progress(…)` of this module.
    """
    total = max(total, 0)
    done = min(max(done, 0), total)
    finished = options.pop("finished", total > 0 and done == total)
    percent = 100 * done // total if total else (100 if finished else 0)
    return {"done": done, "total": total, "label": label, "percent": percent, "finished": finished,
            "quarter": percent // 25 * 25, "id": "zk-progress", **options}


@register.inclusion_tag("ui/parts/bar_chart.html")
def bar_chart(title: Text, rows: Sequence[tuple[Text, int]], **options: Any) -> dict[str, Any]:
    """Horizontal bars with a table beside them. Options: about (one sentence), unit, head (first column's name)."""
    chart = charts.layout([(str(label), (value,)) for label, value in rows])
    return {"title": title, "chart": chart, "series": [options.get("unit") or _("Count")], **options}


@register.inclusion_tag("ui/parts/bar_chart.html")
def stacked_bar(title: Text, rows: Sequence[tuple[Text, Sequence[int]]], series: Sequence[Text],
                **options: Any) -> dict[str, Any]:
    """Stacked bars, one piece for each of `series` (at most 6). Options: about, head, share (every bar full width)."""
    chart = charts.layout([(str(label), values) for label, values in rows], share=options.pop("share", False))
    return {"title": title, "chart": chart, "series": series, "stacked": True, **options}


@register.inclusion_tag("ui/parts/columns.html")
def column_chart(title: Text, rows: Sequence[tuple[Text, Sequence[int]]], series: Sequence[Text],
                 about: Text = "") -> dict[str, Any]:
    """Upright bars over time, a group for each row; the page has a table of the same figures."""
    return {"title": title, "chart": charts.columns([(str(label), values) for label, values in rows]),
            "series": series, "about": about}


@register.inclusion_tag("ui/parts/funnel.html")
def funnel_plot(title: Text, points: Sequence[tuple[str, int, float, str]],
                curves: Mapping[str, Sequence[tuple[int, float, float]]], target: float,
                about: Text = "", axes: tuple[Text, Text] | None = None) -> dict[str, Any]:
    """Shares over numbers, with the limits of chance; the page has the same figures as a table. `axes`: what is told
    across and upwards. See `charts.funnel`.
    """
    across, upwards = axes or (_("Number"), _("Share"))
    return {"title": title, "about": about, "across": across, "upwards": upwards, "target": f"{100 * target:.1f} %",
            "plot": charts.funnel(points, curves, target)}


@register.simple_block_tag
def notice(content: str, kind: str = "info", title: Text = "") -> SafeString:
    """A boxed remark: info, success, warning or error; its sign and title say so without colour."""
    return render_to_string("ui/parts/notice.html", {
        "content": content, "kind": kind, "title": title, "mark": NOTICES[kind]})


@register.simple_block_tag
def details(content: str, summary: Text) -> SafeString:
    """Something most readers do not need, folded away."""
    return render_to_string("ui/parts/details.html", {"content": content, "summary": summary})


@register.inclusion_tag("ui/parts/empty.html")
def empty_state(title: Text, text: Text = "", href: str = "", label: Text = "") -> dict[str, Any]:
    """What a list says when it has nothing: why, and what to do."""
    return {"title": title, "text": text, "href": href, "label": label}


@register.inclusion_tag("ui/forms/error_summary.html")
def error_summary(form: BaseForm) -> dict[str, Any]:
    """Everything wrong with a form, each line a link to its field, which it names."""
    faults = [(bound, error) for bound in form for error in bound.errors] if form.is_bound else []
    return {"form": form, "faults": [(_anchor(bound), bound.label, error) for bound, error in faults],
            "general": form.non_field_errors() if form.is_bound else []}


def _anchor(bound: Any) -> str:
    """Id of the control that a fault belongs to: of a group, its first one."""
    first = f"{bound.auto_id}_0" if bound.use_fieldset else bound.id_for_label
    return first or bound.auto_id


@register.simple_tag
def widget_attrs(widget: dict[str, Any], base: str = "", error: str = "") -> SafeString:
    """Attributes of a form control with `base` put before its own classes, and `error` added where it is invalid."""
    attributes = dict(widget["attrs"])
    invalid = attributes.get("aria-invalid") == "true"
    classes = " ".join(filter(None, [base, attributes.pop("class", ""), error if invalid else ""]))
    pairs = {"class": classes, **attributes} if classes else attributes
    parts = [format_html(" {}", name) if value is True else format_html(' {}="{}"', name, value)
             for name, value in pairs.items() if value is not False and value is not None]
    return SafeString("".join(parts))
