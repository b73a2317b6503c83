"""The codebook: data/datapackage.json as Markdown that a person can read."""

from __future__ import annotations

from pathlib import Path

from headache_evidence.tables.schema import Field, Link, Schema, Table, read_schema

CODEBOOK_FILE = "README.md"
_WORDS_IN_CELL = 3


def codebook(data_dir: str | Path = "data") -> str:
    """The codebook of the tables in ``data_dir`` as Markdown.

    Raises
    ------
    EvidenceError
        when ``datapackage.json`` cannot be read.
    """
    schema = read_schema(data_dir)
    shared = _shared_lists(schema)
    parts = [
        f"# {schema.title}",
        "This page is made from `datapackage.json` by `headache-evidence codebook`; edit that file, not this one.",
        schema.description,
        "Files are CSV in UTF-8 with a comma and a point as decimal mark. An empty field means that the value was not "
        "seen. Columns named `..._reported` keep the wording of the source or of the first extraction beside the "
        "recoded value. `headache-evidence check` lists every fault with file, row, column and what is allowed.",
        _contents(schema),
        *(_table(table, shared) for table in schema.tables),
        *(_word_list(name, field) for name, field in shared.items()),
        "## Rules over two tables\n\n"
        + "\n".join(f"- {rule.allowed} ({rule.severity})" for rule in schema.cross_table_rules),
    ]
    return "\n\n".join(parts) + "\n"


def _contents(schema: Schema) -> str:
    lines = ["| table | a row is | key |", "|---|---|---|"]
    for table in schema.tables:
        key = ", ".join(table.primary_key)
        what = table.description.removeprefix("A row is ").split(".")[0].split(";")[0]
        lines.append(f"| [{table.path}](#{_anchor(table.title)}) | {_cell(what)} | {key} |")
    return "\n".join(lines)


def _table(table: Table, shared: dict[str, Field]) -> str:
    lines = [f"## {table.title}", "", f"`{table.path}`. {table.description}", ""]
    lines += ["| column | type | meaning | allowed |", "|---|---|---|---|"]
    lines += [f"| {f.name} | {f.type} | {_cell(_meaning(f))} | {_cell(_allowed(f, shared))} |" for f in table.fields]
    if table.links:
        lines += ["", *(f"- {_link(link)}" for link in table.links)]
    if table.rules:
        lines += ["", *(f"- {rule.allowed} ({rule.severity})" for rule in table.rules)]
    return "\n".join(lines)


def _meaning(field: Field) -> str:
    return f"{field.description}; unit: {field.unit}" if field.unit else field.description


def _allowed(field: Field, shared: dict[str, Field]) -> str:
    parts = ["required"] if field.required else []
    if field.unique:
        parts.append("unique")
    if field.enum:
        parts.append(_words(field, shared))
    if field.list_enum:
        parts.append(f"words joined by `{field.list_separator}`: {', '.join(field.list_enum)}")
    if field.minimum is not None:
        parts.append(f"at least {field.minimum:g}")
    if field.maximum is not None:
        parts.append(f"at most {field.maximum:g}")
    if field.pattern:
        parts.append(f"pattern `{field.pattern}`")
    if field.true_values:
        parts.append(f"{'/'.join(field.true_values)} or {'/'.join(field.false_values)}")
    return "; ".join(parts)


def _words(field: Field, shared: dict[str, Field]) -> str:
    for name, other in shared.items():
        if other.enum == field.enum:
            return f"[words of {name}](#{_anchor(_list_title(name))})"
    return ", ".join(field.enum)


def _shared_lists(schema: Schema) -> dict[str, Field]:
    """Lists that need a meaning beside each word, shown once, by the first column that uses them."""
    lists: dict[str, Field] = {}
    for table in schema.tables:
        for field in table.fields:
            explained = any(label != word.replace("_", " ") for word, label in field.meanings.items())
            if len(field.enum) >= _WORDS_IN_CELL and explained and all(f.enum != field.enum for f in lists.values()):
                name = field.name if field.name not in lists else f"{table.name} {field.name}"
                lists[name] = field
    return lists


def _word_list(name: str, field: Field) -> str:
    lines = [f"## {_list_title(name)}", "", "| word | meaning |", "|---|---|"]
    return "\n".join([*lines, *(f"| {word} | {_cell(field.meanings.get(word, ''))} |" for word in field.enum)])


def _link(link: Link) -> str:
    fields, target = " + ".join(link.fields), f"{link.table}.csv ({' + '.join(link.table_fields)})"
    several = f", several joined by `{link.separator}`" if link.separator else ""
    return f"{fields} must be found in {target}{several}{', where filled' if link.optional else ''}"


def _list_title(name: str) -> str:
    return f"Words of {name}"


def _anchor(title: str) -> str:
    return "".join(c for c in title.lower().replace(" ", "-") if c.isalnum() or c in "-_")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
