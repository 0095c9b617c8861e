"""Officers' pages (工作人员页面): one file per subject, each with its views and, at its end, its routes.

To add a subject (cards, say):
1. `cards.py`: views marked by `@requires("card.read")` that load rows by `seen` and change them by `act`
   (`zhengka.web.access` shows both), and `urls = [path("cards/", index, name="cards"), …]` at its end.
2. One line in `urls.py`: `*cards.urls`. One line in `navigation.SUBJECTS`, if it is reached from the top of the page.
3. Templates in `templates/staff/`, `{% extends "ui/staff.html" %}{% load i18n ui %}`: the parts of a page are in
   `ui.templatetags.ui`. The context names `title`, perhaps `caption` and `breadcrumbs` (`navigation.trail`).
   Rows for tables, tiles, histories: `zhengka.web.ui.parts`. Long lists: `paging.page_of`, a keyset.
4. Words in English in `gettext`, Chinese in `locale/zh_Hans`: `bin/messages` collects and compiles them.
5. Tests find the routes by themselves: access, isolation and every page in a real browser. `tests/world.py` builds the
   rows they visit: give a new kind of row its line in `World.ids`.
Personal data is never in an address: a search travels by POST and waits, sealed, in the session.
"""
