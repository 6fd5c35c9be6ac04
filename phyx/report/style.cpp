// SPDX-License-Identifier: MIT
// The style sheet and the script.
#include "phyx/report/style.hpp"

namespace gaze::phyx::report {

const char* const style_sheet = R"css(
:root{color-scheme:light dark;--bg:#fdfdfb;--ink:#1d1f21;--soft:#5c6166;--rule:#dcdcd6;
--panel:#f5f5f0;--grid:#e6e6e0;--good:#0072b2;--bad:#b84a00;--warn:#fff6df;
--c0:#6b6f73;--c1:#56b4e9;--c2:#8a7a3b;--c3:#e69f00;--c4:#0072b2;--c5:#009e73;--c6:#d55e00;
--c7:#cc79a7;--c8:#a8372b;--c9:#7b4fa3;--c10:#3f7f7f;--c11:#b59a00;--c12:#4d5fbf;--c13:#7a5c3e;
--cx:#444}
@media (prefers-color-scheme:dark){:root{--bg:#17191b;--ink:#e6e5e1;--soft:#a2a6aa;--rule:#34383b;
--panel:#1f2224;--grid:#2c3033;--good:#6bbcf0;--bad:#ff9a5c;--warn:#3a3220;--c0:#a3a7ab;
--c1:#7cc8f2;--c2:#bfae66;--c3:#f0b429;--c4:#4aa3df;--c5:#2fc79a;--c6:#f07f3c;--c7:#e09cc4;
--c8:#e0766b;--c9:#b794dd;--c10:#72b8b8;--c11:#e0c84a;--c12:#93a2f0;--c13:#c9a27d;--cx:#bbb}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);
font:17px/1.6 Charter,"Bitstream Charter","Iowan Old Style",Georgia,"DejaVu Serif",serif}
main,header,nav{max-width:1120px;margin:0 auto;padding:0 28px}
header{padding-top:52px}
h1{font-size:2.1rem;line-height:1.2;margin:0 0 .3em;font-weight:600;letter-spacing:-.01em}
h2{font-size:1.4rem;margin:2.6em 0 .5em;padding-top:.5em;border-top:1px solid var(--rule);
font-weight:600}
h3{font-size:1.06rem;margin:1.8em 0 .4em;font-weight:600}
p,li,dd{max-width:44em}
p{margin:.6em 0}
.lead{font-size:1.14rem;color:var(--soft);max-width:42em}
nav,table,figure,.legend,.tabs>.buttons,.facts,.example,summary,pre,.missing,.note{
font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","DejaVu Sans",sans-serif}
nav{font-size:.86rem;margin-top:1.4em}
nav a{margin-right:1.1em;white-space:nowrap}
a{color:var(--good);text-decoration:none;border-bottom:1px solid transparent}
a:hover{border-color:currentColor}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:0 1.4em;
margin:1.6em 0;padding:0}
.facts div{border-top:1px solid var(--rule);padding:.6em 0 .7em}
.facts dt{font-size:.74rem;color:var(--soft);letter-spacing:.02em}
.facts dd{margin:.1em 0 0;font-size:.98rem;overflow-wrap:anywhere}
.missing{background:var(--warn);padding:.6em .9em;border-radius:3px;font-size:.88rem}
.note{color:var(--soft);font-size:.84rem;line-height:1.5}
.scroll{overflow-x:auto;margin:.8em 0}
table{border-collapse:collapse;font-size:.84rem;line-height:1.35;width:100%;
font-variant-numeric:tabular-nums}
th,td{padding:.42em .6em;text-align:right;vertical-align:baseline;
border-bottom:1px solid var(--grid)}
th{font-weight:600;color:var(--soft);vertical-align:bottom;border-bottom-color:var(--rule)}
th:first-child,td:first-child{text-align:left;padding-left:0}
tbody th{color:var(--ink);white-space:nowrap;vertical-align:baseline;
border-bottom-color:var(--grid)}
td small{display:block;color:var(--soft);font-size:.78rem;white-space:nowrap}
td.best{font-weight:700}td.best small{font-weight:400}
table.words td,table.words th{text-align:left;vertical-align:top}
table.words td small{white-space:normal}
table.words td:first-child{width:36%}table.words td:last-child{width:9em}
table.plain td:last-child{width:auto}
table.differing td:first-child{width:auto}table.differing td:last-child{width:60%}
.verdict{white-space:nowrap;font-weight:600}
.verdict.agree{color:var(--good)}.verdict.no{color:var(--bad)}
.verdict.undecided{color:var(--soft);font-weight:400;font-style:italic}
table.heat{max-width:860px}
table.heat td{text-align:center;white-space:nowrap;padding:.32em .3em;
border:1px solid var(--bg)}
table.heat th{text-align:center;font-size:.76rem;line-height:1.2;padding:.4em .25em}
table.heat tbody th,table.heat th:first-child{text-align:left;font-size:inherit}
table.heat tbody th{font-weight:400;padding:.32em .6em .32em 0}
table.heat thead i{display:block;margin:0 auto .2em;width:.6em;height:.6em;background:var(--c);
border-radius:2px}
table.heat tr.group th{color:var(--soft);padding-top:.9em;font-size:.78rem}
table.heat td{background:color-mix(in srgb,var(--change) var(--strength),transparent)}
.gain{--change:var(--c4)}.loss{--change:var(--c6)}.none{--change:var(--bg);--strength:0%}
.s0{--strength:0%}.s1{--strength:5%}.s2{--strength:10%}.s3{--strength:15%}.s4{--strength:20%}
.s5{--strength:25%}.s6{--strength:30%}.s7{--strength:35%}.s8{--strength:40%}.s9{--strength:45%}
.s10{--strength:50%}.s11{--strength:55%}.s12{--strength:60%}.s13{--strength:65%}
.s14{--strength:70%}
table.heat td.sure{font-weight:700}
table.heat td.unsure{color:var(--soft)}
figure{margin:0}
figcaption{font-size:.86rem;font-weight:600;margin-bottom:.3em}
.grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(300px,1fr));gap:1.6em 2em;
margin:1em 0}
.grid.wide{grid-template-columns:repeat(auto-fit,minmax(440px,1fr))}
svg{width:100%;height:auto;display:block;overflow:visible;
font:11px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
svg.w360{max-width:540px}svg.w460{max-width:690px}svg.w520{max-width:780px}
svg.w720{max-width:1000px}
svg text{fill:var(--ink)}svg .tick{fill:var(--soft);font-size:10px}
svg .value{font-size:10px;fill:var(--soft)}
svg .mid{text-anchor:middle}svg .end{text-anchor:end}
svg .gridline{stroke:var(--grid);stroke-width:1}
svg .band{fill:var(--grid);opacity:.6}
svg .axis{stroke:var(--soft);stroke-width:1}
svg .whisker{stroke:var(--ink);stroke-width:1.1;opacity:.75}
svg .whisker-c{stroke:var(--c);stroke-width:2;opacity:.55}
svg .bar{fill:var(--c);opacity:.82}svg .bar.open{opacity:.45}svg .bar.pale{opacity:.22}
svg .dot{fill:var(--c);stroke:var(--c);stroke-width:1.6}svg .dot.open{fill:var(--bg)}
svg .seed{fill:none;stroke:var(--ink);stroke-width:.8;opacity:.6}
svg .line{fill:none;stroke:var(--c);stroke-width:1.8;stroke-linejoin:round}
svg .line.faint{stroke-width:1;opacity:.28}
.c0{--c:var(--c0)}.c1{--c:var(--c1)}.c2{--c:var(--c2)}.c3{--c:var(--c3)}.c4{--c:var(--c4)}
.c5{--c:var(--c5)}.c6{--c:var(--c6)}.c7{--c:var(--c7)}.c8{--c:var(--c8)}.c9{--c:var(--c9)}
.c10{--c:var(--c10)}.c11{--c:var(--c11)}.c12{--c:var(--c12)}.c13{--c:var(--c13)}.cx{--c:var(--cx)}
.legend{font-size:.84rem;max-width:none}
.legend span{margin-right:1.1em;white-space:nowrap}
.legend i{display:inline-block;width:.8em;height:.8em;background:var(--c);border-radius:2px;
margin-right:.4em;vertical-align:-.05em}
tbody th i{display:inline-block;width:.6em;height:.6em;background:var(--c);border-radius:2px;
margin-right:.5em}
.tabs>.buttons button{font:inherit;font-size:.84rem;background:none;color:var(--soft);border:0;
border-bottom:2px solid transparent;padding:.3em .1em;margin-right:1.3em;cursor:pointer}
.tabs>.buttons button[aria-selected=true]{color:var(--ink);border-color:var(--good)}
.example{border:1px solid var(--rule);border-radius:4px;padding:1.1em 1.2em;margin:1.4em 0;
font-size:.86rem;line-height:1.5}
.example p{max-width:none;margin:.2em 0}
.example .question{white-space:pre-wrap;max-width:70em}
.answers{display:grid;grid-template-columns:repeat(auto-fill,minmax(280px,1fr));gap:1em;
margin-top:1em}
.answer{background:var(--panel);border-radius:3px;padding:.8em .9em}
.answer h4{margin:0 0 .5em;font-size:.86rem;display:flex;justify-content:space-between;gap:1em}
.answer .text{font-family:ui-monospace,"SF Mono",Menlo,"DejaVu Sans Mono",monospace;
font-size:.78rem;line-height:1.55;white-space:pre-wrap;overflow-wrap:anywhere;margin:.7em 0}
.answer .text span[data-map]{cursor:default;border-radius:2px}
.answer .text span[data-map]:hover{background:var(--c6);color:var(--bg)}
.right{color:var(--good)}.wrong{color:var(--bad)}
.task{display:flex;gap:1.6em;flex-wrap:wrap}.task>div{flex:1 1 320px}
.picture{display:block;max-width:300px;margin:.4em 0;border-radius:2px}
.task>svg.picture{width:220px;max-height:260px}
.answer .picture{max-width:100%}
.answer svg.picture{max-height:260px}
.scores{color:var(--soft);font-size:.78rem}
dl.glossary dt{font-weight:600;margin-top:.7em}dl.glossary dd{margin:0 0 0 1.2em}
details{margin:1em 0}summary{cursor:pointer;font-size:.9rem;color:var(--good)}
pre{font:.78rem/1.5 ui-monospace,"SF Mono",Menlo,"DejaVu Sans Mono",monospace;
background:var(--panel);padding:1em;overflow-x:auto;border-radius:3px}
footer{max-width:1120px;margin:4em auto 2em;padding:1em 28px;color:var(--soft);font-size:.8rem}
@media (max-width:560px){.grid.wide{grid-template-columns:1fr}main,header,nav{padding:0 16px}}
@media print{nav,.tabs>.buttons{display:none}}
)css";

const char* const svg_style = R"css(
.paper{fill:#fff}
text{fill:#1d1f21;font:11px "DejaVu Sans",Helvetica,Arial,sans-serif}
.heading{font-size:12px;font-weight:600}
.tick,.value{fill:#5c6166;font-size:10px}
.mid{text-anchor:middle}.end{text-anchor:end}
.gridline{stroke:#e6e6e0}.axis{stroke:#5c6166}.band{fill:#e6e6e0;opacity:.6}
.whisker{stroke:#1d1f21;stroke-width:1.1;opacity:.75}
.whisker-c{stroke:currentColor;stroke-width:2;opacity:.55}
.bar{fill:currentColor;opacity:.82}.bar.open{opacity:.45}.bar.pale{opacity:.22}
.dot{fill:currentColor;stroke:currentColor;stroke-width:1.6}.dot.open{fill:#fff}
.seed{fill:none;stroke:#1d1f21;stroke-width:.8;opacity:.6}
.line{fill:none;stroke:currentColor;stroke-width:1.8;stroke-linejoin:round}
.line.faint{stroke-width:1;opacity:.28}
.c0{color:#6b6f73}.c1{color:#56b4e9}.c2{color:#8a7a3b}.c3{color:#e69f00}.c4{color:#0072b2}
.c5{color:#009e73}.c6{color:#d55e00}.c7{color:#cc79a7}.c8{color:#a8372b}.c9{color:#7b4fa3}
.c10{color:#3f7f7f}.c11{color:#b59a00}.c12{color:#4d5fbf}.c13{color:#7a5c3e}.cx{color:#444}
)css";

const char* const page_script = R"js(
document.querySelectorAll('.tabs').forEach(function(tabs){
 var panels=[].slice.call(tabs.children),bar=document.createElement('div');
 if(!panels.length)return;
 bar.className='buttons';bar.setAttribute('role','tablist');
 panels.forEach(function(panel,i){
  var b=document.createElement('button');b.type='button';b.setAttribute('role','tab');
  b.textContent=panel.dataset.tab;var h=panel.querySelector('h3');if(h)h.hidden=true;
  b.onclick=function(){panels.forEach(function(p,j){p.hidden=i!==j;
   bar.children[j].setAttribute('aria-selected',String(i===j));});};
  bar.appendChild(b);});
 tabs.insertBefore(bar,panels[0]);bar.children[0].click();});
document.querySelectorAll('.text span[data-map]').forEach(function(token){
 var cells=token.closest('.answer').querySelectorAll('svg .cell'),
 values=token.dataset.map.split(' ').map(Number);
 token.onmouseenter=function(){cells.forEach(function(c,i){c.style.opacity=values[i]/100;});};
 token.onmouseleave=function(){cells.forEach(function(c){c.style.opacity='';});};});
)js";

}  // namespace gaze::phyx::report
