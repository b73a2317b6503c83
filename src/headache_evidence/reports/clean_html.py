"""Makes HTML and SVG that came out of a notebook safe to put into a page.

Data reach a page as text, as HTML tables and as figures. Everything passes one of the functions here; what they do
not know they drop, so a study titled ``<script>`` is shown and never run.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import nh3

TAGS = nh3.ALLOWED_TAGS | {"section", "figure", "figcaption", "details", "summary", "caption", "colgroup", "col"}
ATTRIBUTES: dict[str, set[str]] = {
    **{tag: set(names) for tag, names in nh3.ALLOWED_ATTRIBUTES.items()},
    "*": {"id", "class", "title", "lang", "role", "aria-label", "aria-describedby", "aria-labelledby"},
    "th": {"scope", "colspan", "rowspan", "headers"},
    "td": {"colspan", "rowspan", "headers"},
    "details": {"open"},
}
SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
SVG_TAGS = frozenset({"svg", "g", "defs", "title", "desc", "path", "rect", "circle", "ellipse", "line", "polyline"}) | {
    *("polygon", "text", "tspan", "use", "clipPath", "linearGradient", "radialGradient", "stop", "pattern", "marker"),
    *("mask", "style", "symbol", "image"),
}
_TERMINAL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_EVENT = re.compile(r"on", re.IGNORECASE)
_OUTSIDE = re.compile(r"url\(\s*['\"]?(?!#)|@import|expression\(|javascript:", re.IGNORECASE)
_ID_REFERENCE = re.compile(r"url\(\s*['\"]?#([^)'\"]+)['\"]?\s*\)")


def without_colours(text: str) -> str:
    """Text without the escape sequences that colour it on a terminal."""
    return _TERMINAL.sub("", text)


def clean_html(text: str) -> str:
    """HTML with known tags and attributes only; links may lead to web addresses and to places on the page."""
    return nh3.clean(
        text,
        tags=TAGS - {"img"},
        attributes=ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer",
    )


def clean_svg(text: str, number: int, alternative: str) -> str:
    """An SVG figure ready to stand inside a page: safe, ids unique by ``number``, with a text for those who can't see.

    Raises
    ------
    ValueError
        when ``text`` is not well-formed SVG or declares entities.
    """
    if "<!ENTITY" in text:
        raise ValueError("an SVG figure must not declare entities")
    try:
        root = ElementTree.fromstring(re.sub(r"<!DOCTYPE[^>]*>", "", text, count=1))
    except ElementTree.ParseError as error:
        raise ValueError(f"not well-formed SVG: {error}") from error
    if root.tag != f"{{{SVG}}}svg":
        raise ValueError("not an SVG figure")
    prefix = f"figure-{number}-"
    _clean_element(root, prefix)
    _describe(root, prefix, alternative)
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", XLINK)
    return ElementTree.tostring(root, encoding="unicode")


def _clean_element(element: ElementTree.Element, prefix: str) -> None:
    for child in list(element):
        name = child.tag.removeprefix(f"{{{SVG}}}") if isinstance(child.tag, str) else ""
        if (
            child.tag != f"{{{SVG}}}{name}"
            or name not in SVG_TAGS
            or (name == "style" and _OUTSIDE.search(child.text or ""))
        ):
            element.remove(child)
        else:
            _clean_element(child, prefix)
    for name, value in list(element.attrib.items()):
        bare = name.rpartition("}")[2]
        if _EVENT.match(bare) or _OUTSIDE.search(value):
            del element.attrib[name]
        elif bare == "href":
            _clean_reference(element, name, value, prefix)
        elif bare == "id":
            element.set(name, prefix + value)
        else:
            element.set(name, _ID_REFERENCE.sub(lambda found: f"url(#{prefix}{found[1]})", value))


def _clean_reference(element: ElementTree.Element, name: str, value: str, prefix: str) -> None:
    if value.startswith("#"):
        element.set(name, f"#{prefix}{value[1:]}")
    elif not value.startswith("data:image/png;base64,"):
        del element.attrib[name]


def _describe(root: ElementTree.Element, prefix: str, alternative: str) -> None:
    """Make sure that a title and a description stand first, and that the figure is read as one image."""
    texts = {}
    for kind in ("title", "desc"):
        found = root.find(f"{{{SVG}}}{kind}")
        if found is not None:
            texts[kind] = "".join(found.itertext()).strip()
            root.remove(found)
    title = texts.get("title") or alternative
    description = texts.get("desc") or ""
    parts = [("title", title)] + ([("desc", description)] if description else [])
    for position, (kind, content) in enumerate(parts):
        child = ElementTree.Element(f"{{{SVG}}}{kind}", {"id": prefix + kind})
        child.text = content
        root.insert(position, child)
    root.set("role", "img")
    root.set("aria-labelledby", " ".join(prefix + kind for kind, _ in parts))
    _scale_with_page(root)


def _scale_with_page(root: ElementTree.Element) -> None:
    """Let the figure shrink on narrow screens: the view box keeps its proportions."""
    if root.get("viewBox"):
        width = re.match(r"([\d.]+)pt", root.get("width", ""))
        root.attrib.pop("height", None)
        root.attrib.pop("width", None)
        if width:
            root.set("style", f"--natural: {round(float(width[1]) * 4 / 3)}px")
