"""Writing rows into mapping files: what a hand has written stays as it is, comments and layout too."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ..engine.core.documents import Mistakes, read_text
from ..engine.core.moving import move
from ..engine.core.table import TABLE, Table
from .loader import parse_mapping

_NEW = "# Made by `clavilux learn`.\nversion: 1\nname: {name}\nbindings:\n"


def add_row(path: Path, row: Mapping[str, Any], table: Table = TABLE) -> int:
    """Add a row after the last one of the file, in the layout of its neighbours; a file that is not there is made.

    Returns the row's line. Raises Mistakes when the file has some already or the row is wrong, OSError when the file
    cannot be written; the file is then as it was.
    """
    if path.exists():
        text = path.read_bytes().decode("utf-8") if _is_mapping(path, table) else ""
    else:
        text = _NEW.format(name=_scalar(path.stem))
    end = "\r\n" if "\r\n" in text else "\n"
    lines = text.replace("\r\n", "\n")
    new, line = insert_row(lines, row)
    parse_mapping(new, str(path), table)
    waiting = path.with_name(f".{path.name}.new")
    waiting.write_bytes(new.replace("\n", end).encode())
    move(waiting, path)
    return line


def _is_mapping(path: Path, table: Table) -> bool:
    """True; raises Mistakes where the file has some. One without any row yet is made whole by the new row."""
    try:
        parse_mapping(read_text(path, str(path)), str(path), table)
    except Mistakes as e:
        only_empty = len(e.mistakes) == 1 and e.mistakes[0].key == "bindings"
        if not only_empty:
            raise
    return True


def insert_row(text: str, row: Mapping[str, Any]) -> tuple[str, int]:
    """The text with a row more, and its line; `text` is a mapping file's."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    key, rows = next(((k, v) for k, v in pairs if k.value == "bindings"), (None, None))
    if key is None or rows is None:
        whole = text if text.endswith("\n") or not text else text + "\n"
        return f"{whole}bindings:\n  - {_flow(row)}\n", whole.count("\n") + 2
    if isinstance(rows, yaml.SequenceNode) and rows.flow_style:
        return _into_brackets(text, rows, row)
    lines = text.split("\n")
    if not isinstance(rows, yaml.SequenceNode) or not rows.value:
        at, indent, flow = key.end_mark.line + 1, " " * (key.start_mark.column + 2), True
    else:
        last = rows.value[-1]
        at, indent = _last_line(last) + 1, " " * rows.start_mark.column
        flow = bool(getattr(last, "flow_style", True))
    body = [f"- {_flow(row)}"] if flow else _block(row)
    lines[at:at] = [indent + part for part in body]
    if at == len(lines) - len(body) or lines[-1]:
        lines.append("")
    return "\n".join(lines), at + 1


def _into_brackets(text: str, rows: yaml.SequenceNode, row: Mapping[str, Any]) -> tuple[str, int]:
    """`bindings: [...]`: before the closing bracket."""
    close = rows.end_mark.index - 1
    if not rows.value:
        return f"{text[:close]}{_flow(row)}{text[close:]}", rows.end_mark.line + 1
    at = rows.value[-1].end_mark.index
    lead = re.search(r"\n[ \t]*$", text[: rows.value[-1].start_mark.index])
    gap = lead[0] if lead else " "
    new = f"{text[:at]},{gap}{_flow(row)}{text[at:]}"
    return new, new.count("\n", 0, at + 1 + len(gap)) + 1


def _last_line(node: yaml.Node) -> int:
    """The last line of a value, counted from 0; a block's own end mark stands past the comments behind it."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style and node.value:
        return max(_last_line(part) for pair in node.value for part in pair)
    if isinstance(node, yaml.SequenceNode) and not node.flow_style and node.value:
        return max(_last_line(part) for part in node.value)
    mark = node.end_mark
    # A block of text (| or >) ends at the beginning of the line behind it.
    return mark.line - 1 if mark.column == 0 and mark.line > node.start_mark.line else mark.line


def _flow(row: Mapping[str, Any]) -> str:
    return "{" + ", ".join(f"{key}: {_scalar(value)}" for key, value in row.items()) + "}"


def _block(row: Mapping[str, Any]) -> list[str]:
    return [f"{'- ' if n == 0 else '  '}{key}: {_scalar(value)}" for n, (key, value) in enumerate(row.items())]


def _scalar(value: Any) -> str:
    """One value as YAML on one line."""
    style = '"' if isinstance(value, str) and re.search(r"[^\w ./-]", value) else None
    shown = yaml.safe_dump(value, default_flow_style=True, default_style=style, width=10**6, allow_unicode=True)
    return shown.removesuffix("\n").removesuffix("\n...").strip()
