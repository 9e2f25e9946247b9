"""The look of every report: light and dark, from a phone to a desktop."""

from __future__ import annotations

STYLE = """
:root{color-scheme:light dark;--page:#f5f6f8;--card:#fff;--ink:#1b1f24;--soft:#57606a;--edge:#d8dde3;--link:#0072b2;
--wrong:#8f1d14;--wrong-bg:#ffdcd7;--space:#6b4700;--space-bg:#ffe7b3;--right:#0b6b45;--heat:#ff8a5c}
@media(prefers-color-scheme:dark){:root{--page:#12161b;--card:#1b2129;--ink:#e6e9ed;--soft:#a3adb8;--edge:#343c46;
--link:#62b8f0;--wrong:#ffb4a9;--wrong-bg:#5a211b;--space:#ffd98a;--space-bg:#523c0c;--right:#5fd3a3;--heat:#a33a12}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,"Segoe UI",sans-serif}
main{max-width:76rem;margin:0 auto;padding:2rem clamp(1rem,3vw,2.5rem) 4rem}
h1{font-size:1.75rem;line-height:1.2;margin:0 0 .75rem;overflow-wrap:anywhere}
h2{font-size:1.2rem;margin:2.5rem 0 .75rem}
nav{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;font-size:.9rem}
a{color:var(--link)}
.note,.soft{color:var(--soft);font-size:.875rem}
.note{margin:0 0 .75rem;max-width:70ch}
.card{background:var(--card);border:1px solid var(--edge);border-radius:.6rem;padding:1rem}
.grid{display:grid;gap:1rem;margin:0;padding:0;list-style:none}
.tiles{grid-template-columns:repeat(auto-fill,minmax(min(100%,10.5rem),1fr))}
.charts{grid-template-columns:repeat(auto-fit,minmax(min(100%,27rem),1fr))}
.lines{grid-template-columns:repeat(auto-fill,minmax(min(100%,21rem),1fr))}
.tiles dt{color:var(--soft);font-size:.875rem}
.tiles dd{margin:0}
.tiles .value{font-size:1.6rem;line-height:1.3;font-weight:600;overflow-wrap:anywhere}
.lines li{min-width:0}
.lines .long{grid-column:1/-1}
.lines img{display:block;width:auto;height:auto;max-height:7rem;min-height:1.75rem;border:1px solid var(--edge);
border-radius:.25rem;background:#fff}
.texts{display:grid;grid-template-columns:auto minmax(0,1fr);gap:.1rem .75rem;margin:.75rem 0 .5rem}
.texts dt{color:var(--soft);font-size:.875rem;line-height:1.7rem}
.texts dd{margin:0;line-height:1.7rem;white-space:pre-wrap;overflow-wrap:anywhere}
.texts dd,pre,.signs td{font-family:ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace}
.foot{display:flex;flex-wrap:wrap;gap:.1rem 1rem;overflow-wrap:anywhere}
.right{color:var(--right);font-weight:600}
mark{color:var(--wrong);background:var(--wrong-bg);border-radius:.15rem;padding:.05rem .08rem;
text-decoration:underline;text-underline-offset:.2em}
mark.space{color:var(--space);background:var(--space-bg)}
.gap{display:inline-block;min-width:1ch;height:1.15em;margin:0 .08em;vertical-align:text-bottom;
border:1px dashed var(--wrong);border-radius:.15rem}
.wide{overflow-x:auto}.wide>img{max-width:100%;height:auto}
.fit{width:fit-content;max-width:100%}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.35rem 1.5rem .35rem 0;text-align:right;border-bottom:1px solid var(--edge);white-space:nowrap}
th{color:var(--soft);font-weight:600;font-size:.875rem}
th:first-child,td:first-child{text-align:left}
th:last-child,td:last-child{padding-right:0}
tbody tr:last-child td{border-bottom:0}
.charts .card,.beside .card{min-width:0}
.beside{grid-template-columns:repeat(auto-fit,minmax(min(100%,25rem),1fr));align-items:start}
.beside .fit{width:auto}
.beside table{font-size:.85rem;width:100%}
.beside th,.beside td{padding-right:.75rem}
summary{cursor:pointer;margin:.75rem 0}
table.matrix{border-collapse:separate;border-spacing:2px;font-size:.8rem}
.matrix td,.matrix th{padding:.2rem .3rem;border:0;text-align:center;min-width:1.8rem}
.matrix th{font-size:.8rem}
.matrix th{color:var(--ink);font-family:ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace}
.matrix th[scope=row],.matrix th:first-child{position:sticky;left:0;background:var(--card);text-align:right}
.matrix td{background:color-mix(in srgb,var(--edge) 30%,transparent);border-radius:.2rem}
.matrix td:first-child{text-align:center}
.matrix td.hit{color:var(--right);font-weight:600}
.matrix td.miss{background:color-mix(in srgb,var(--heat) var(--shade),var(--card))}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
pre{margin:0;overflow-x:auto;font-size:.875rem;line-height:1.45}
@media(max-width:40rem){th,td{padding-right:.75rem}td:first-child,th:first-child{white-space:normal;min-width:5rem}
.matrix th:first-child{min-width:2rem}}
@media print{body{background:none}.card{break-inside:avoid}}
"""

__all__ = ["STYLE"]
