"""Shows an explanation as one self-contained page."""

import html
import math
import sys

from .explain import measure

STYLE = """
:root { --bg: #fff; --fg: #1c2733; --dim: #7a8794; --rule: #dde3e8; --kind: #0b7285; --op: #1c5fb4; --reg: #2b7a3d;
  --name: #8a3ab9; --hot: 255, 140, 0; --mark: #ffe9a8; --head: #f4f6f8; }
@media (prefers-color-scheme: dark) { :root { --bg: #14191f; --fg: #d8dee6; --dim: #7d8894; --rule: #2b343e; --kind: #5cc3d6;
  --op: #7fb0f5; --reg: #7fcf90; --name: #cf9df0; --hot: 255, 140, 0; --mark: #6b5310; --head: #1b222a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--fg); font: 13px/1.5 system-ui, sans-serif; }
header { padding: 14px 18px; background: var(--head); border-bottom: 1px solid var(--rule); }
h1 { font-size: 17px; margin: 0 0 4px; }
header p { margin: 2px 0; color: var(--dim); }
header label { margin-right: 14px; }
table { border-collapse: collapse; table-layout: fixed; width: 100%; min-width: 1500px; }
col.number { width: 46px; } col.source { width: 17%; } col.count { width: 84px; } col.tokens { width: 14%; }
col.tree { width: 18%; }
th { position: sticky; top: 0; z-index: 1; background: var(--head); text-align: left; padding: 5px 8px; font-weight: 600;
  border-bottom: 1px solid var(--rule); }
td { vertical-align: top; padding: 4px 8px; border-top: 1px solid var(--rule); border-left: 1px solid var(--rule); }
td, .mono { font: 12px/1.5 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
td.number { text-align: right; color: var(--dim); border-left: 0; }
td.count { text-align: right; white-space: nowrap; }
td.source { white-space: pre; overflow: hidden; text-overflow: ellipsis; }
td.source:hover { overflow: visible; }
td.source span.mark { background: var(--mark); border-radius: 2px; }
.tokens .item { display: inline-block; margin: 0 3px 2px 0; border: 1px solid var(--rule); }
.tokens .item { max-width: 100%; vertical-align: top; }
.item { white-space: pre; overflow: hidden; text-overflow: ellipsis; border-radius: 2px; padding: 0 2px; }
.item:hover { background: var(--mark); }
.kind { color: var(--kind); } .op { color: var(--op); } .reg { color: var(--reg); } .dim { color: var(--dim); }
.name { color: var(--name); font-weight: 600; }
.pair { display: grid; grid-template-columns: 2fr 3fr; column-gap: 14px; }
.pair > * { min-width: 0; }
.pair .register { white-space: pre-wrap; overflow-wrap: anywhere; }
.cache { color: var(--dim); white-space: pre; } .cache b { font-weight: 600; color: var(--reg); }
.cache i { font-style: normal; color: #c2410c; }
.no-tokens .tokens, .no-tree .tree, .no-code .code { display: none; }
.no-tree col.tokens, .no-tokens col.tree { width: 26%; }
"""

SCRIPT = """
document.querySelectorAll('header input').forEach(box => box.addEventListener('change', () =>
  document.body.classList.toggle('no-' + box.value, !box.checked)));
const sources = {};
document.querySelectorAll('td.source').forEach(cell => { sources[cell.dataset.line] = cell; });
let marked = [];
function unmark() { marked.forEach(cell => { cell.textContent = cell.dataset.text; }); marked = []; }
document.querySelectorAll('td.source').forEach(cell => { cell.dataset.text = cell.textContent; });
document.querySelector('table').addEventListener('mouseover', event => {
  unmark();
  const item = event.target.closest('[data-place]');
  if (!item) return;
  const [line, column, lastLine, end] = item.dataset.place.split(' ').map(Number);
  for (let number = line; number <= lastLine; number++) {
    const cell = sources[number];
    if (!cell) continue;
    // Columns count code points.
    const text = Array.from(cell.dataset.text);
    const from = number === line ? column : 0, to = number === lastLine ? end : text.length;
    const mark = document.createElement('span');
    mark.className = 'mark';
    mark.textContent = text.slice(from, to).join('');
    cell.replaceChildren(text.slice(0, from).join(''), mark, text.slice(to).join(''));
    marked.push(cell);
  }
});
"""

COLUMNS = [("tokens", "Tokens"), ("tree", "Syntax tree"), ("code", "Bytecode and register code")]


def page(explanation):
    """The page as a text."""
    title = html.escape(f"{explanation.filename}, explained")
    boxes = "".join(
        f'<label><input type="checkbox" checked value="{key}"> {name}</label>' for key, name in COLUMNS
    )
    most = max((line.executed or 0 for line in explanation.lines), default=0)
    rows = "\n".join(row(line, most, explanation.ran) for line in explanation.lines)
    counted = ", how often it ran, inline caches" if explanation.ran else ""
    code_head = f'<div class="pair"><span>Bytecode</span><span>Register code{counted}</span></div>'
    columns = "".join(f'<col class="{name}">' for name in ("number", "source", "count", "tokens", "tree", "code"))
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>{STYLE}</style></head>
<body><header><h1>{title}</h1>{facts(explanation)}<p>{boxes}</p></header>
<table><colgroup>{columns}</colgroup><thead><tr><th>Line</th><th>Source</th><th>Executed</th><th class="tokens">Tokens</th><th class="tree">Syntax tree</th>
<th class="code">{code_head}</th></tr></thead><tbody>
{rows}
</tbody></table><script>{SCRIPT}</script></body></html>
"""


def facts(explanation):
    tokens = sum(len(line.tokens) for line in explanation.lines)
    nodes = sum(len(line.nodes) for line in explanation.lines)
    rows = [row for line in explanation.lines for group in line.groups for row in group.rows]
    registers = sum(len(row.registers) for row in rows)
    text = (
        f"{len(explanation.lines):,} lines, {tokens:,} tokens, {nodes:,} nodes of the tree, {len(rows):,} bytecode "
        f"instructions, {registers:,} register instructions. "
    )
    if explanation.ran:
        text += f"{explanation.executed:,} register instructions were executed. "
        text += f"The program {html.escape(explanation.ending)}. " if explanation.ending else ""
    else:
        text += "The program was not run. "
    version = f"{sys.implementation.name} {sys.version.split()[0]}"
    return f"<p>{text}</p><p>{html.escape(version)}. Point at a token, node or instruction to see its source.</p>"


def row(line, most, ran):
    heat = 0 if not line.executed or most < 2 else math.log(line.executed + 1) / math.log(most + 1)
    executed = "" if line.executed is None or not ran else f"{line.executed:,}"
    tokens = "".join(
        item(token.place, f'<span class="kind">{token.kind}</span> {html.escape(token.text)}')
        for token in line.tokens
        if token.kind != "NL"
    )
    least = min((node.depth for node in line.nodes), default=0)
    nodes = "".join(item(node.place, node_text(node, least)) for node in line.nodes)
    code = "".join(group(each, ran) for each in line.groups)
    return (
        f'<tr><td class="number">{line.number}</td>'
        f'<td class="source" data-line="{line.number}">{html.escape(line.text)}</td>'
        f'<td class="count" style="background: rgba(var(--hot), {heat * 0.6:.2f})">{executed}</td>'
        f'<td class="tokens">{tokens}</td><td class="tree">{nodes}</td><td class="code">{code}</td></tr>'
    )


def item(place, content, kind="item"):
    where = "" if place is None else f' data-place="{" ".join(map(str, place))}"'
    return f'<div class="{kind}"{where}>{content}</div>'


def node_text(node, least):
    name, _, rest = node.text.partition(": ")
    return f'{"  " * (node.depth - least)}<span class="dim">{html.escape(name)}</span> {html.escape(rest)}'


def group(group, ran):
    out = [f'<div class="name">{html.escape(group.name)}</div>']
    for each in group.rows:
        left = (
            f'<span class="dim">{each.offset:>4}</span> <span class="op">{each.text}</span> {html.escape(each.argument)}'
        )
        right = "".join(register(each.place, instruction, ran) for instruction in each.registers)
        out.append(f'<div class="pair">{item(each.place, left)}<div>{right}</div></div>')
    return "".join(out)


def register(place, instruction, ran):
    counted = f'<span class="dim">{instruction.executed:>9,}×</span> ' if ran else ""
    text = f'<span class="dim">{instruction.pc:>4}</span> {counted}<span class="reg">{instruction.opname}</span> {html.escape(instruction.operands)}'
    if measured := measure(instruction):
        # The first misses fill the cache.
        slow = instruction.misses + instruction.others
        kind = "i" if slow * 20 > instruction.executed else "b"
        text += f'  <span class="cache"><{kind}>●</{kind}> {html.escape(measured)}</span>'
    return item(place, text, "item register")
