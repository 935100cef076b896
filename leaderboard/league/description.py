"""Descriptions: a small part of Markdown to HTML that is safe to show. Called by pages/ and feeds.

Paragraphs, headings, emphasis, lists, quotes, code and links. HTML in the text stays text; pictures stay their words.
"""

from collections.abc import Sequence
from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.token import Token

_RULES = [
    "heading",
    "emphasis",
    "list",
    "link",
    "image",
    "autolink",
    "newline",
    "escape",
    "entity",
    "backticks",
    "blockquote",
]
_TAGS = {"p", "h2", "h3", "h4", "em", "strong", "ul", "ol", "li", "a", "br", "code", "blockquote"}
_DEEPER = {"h1": "h2", "h2": "h3", "h3": "h4", "h5": "h4", "h6": "h4"}  # below the page's own heading


def _renderer() -> MarkdownIt:
    markdown = MarkdownIt("zero", {"html": False, "linkify": False, "breaks": True})
    markdown.enable(_RULES)
    markdown.add_render_rule("image", _words_of_picture)
    return markdown


def _words_of_picture(_renderer: object, tokens: Sequence[Token], at: int, *_rest: object) -> str:
    return escapeHtml(tokens[at].content)


_MARKDOWN = _renderer()


@lru_cache(256)
def html_of(description: str) -> str:
    """The description as HTML; empty for an empty one."""
    tokens = _MARKDOWN.parse(description)
    for token in tokens:
        token.tag = _DEEPER.get(token.tag, token.tag)
    made = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    return nh3.clean(
        made,
        tags=_TAGS,
        attributes={"a": {"href"}, "*": set()},
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener noreferrer ugc",
        strip_comments=True,
    )
