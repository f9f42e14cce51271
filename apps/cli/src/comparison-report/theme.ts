/**
 * The page's only style sheet. Colours are named once, for light and for dark; better is blue and worse is orange, which people who cannot tell red from
 * green can tell apart. Every text colour has a contrast of at least 4.5 on the ground it stands on: the test in the browser computes it.
 */
const LIGHT = `color-scheme:light;--paper:#fbfaf8;--card:#ffffff;--ink:#1b2126;--muted:#59636d;--rule:#e3e1dc;--grid:#ebe9e4;
--baseline:#6b7785;--candidate:#0b6478;--better:#2563a8;--worse:#b4501a;--go:#1c6e46;--go-soft:#e6f1ea;--no-go:#a92b1f;--no-go-soft:#fae9e6;--open:#7d5a00;--open-soft:#f8efd9;
--outside:#f4e6dc;--stamp-ink:#ffffff;--focus:#0b6478`;
const DARK = `color-scheme:dark;--paper:#14181b;--card:#1b2024;--ink:#e8e6e1;--muted:#a3acb4;--rule:#31383e;--grid:#282f34;
--baseline:#98a4b1;--candidate:#5cc0d4;--better:#7fb2ee;--worse:#eb9a63;--go:#7fd0a2;--go-soft:#1b2f25;--no-go:#f29b8f;--no-go-soft:#382120;--open:#e2bd64;--open-soft:#332b18;
--outside:#33271f;--stamp-ink:#14181b;--focus:#5cc0d4`;

export const STYLE = `
:root{${LIGHT}}
@media screen and (prefers-color-scheme:dark){:root{${DARK}}}
*{box-sizing:border-box}
html{font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Noto Sans",sans-serif;background:var(--paper);color:var(--ink);-webkit-text-size-adjust:100%}
body{margin:0;font-variant-numeric:tabular-nums}
main,.top{max-width:1080px;margin:0 auto;padding:0 24px}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
:focus-visible{outline:3px solid var(--focus);outline-offset:2px;border-radius:3px}
a{color:var(--candidate);text-underline-offset:3px}
bdi{overflow-wrap:anywhere}
h1,h2,h3,h4,p,figure,ol,ul,dl,dd{margin:0;padding:0}
h2+.plots{margin-top:20px}
h2{font-size:1.4rem;line-height:1.25;letter-spacing:-.015em;font-weight:650}
h3{font-size:1rem;line-height:1.4;font-weight:650}
main>section{margin-top:56px;padding-top:20px;border-top:1px solid var(--rule)}
.lead{color:var(--muted);margin:4px 0 20px;max-width:68ch}
.note{color:var(--muted);margin-top:12px}
nav.top{display:flex;flex-wrap:wrap;gap:4px 20px;align-items:baseline;padding-top:18px;padding-bottom:14px;font-size:.875rem}
nav.top b{font-weight:700;margin-right:auto}
nav.top a{color:var(--muted);text-decoration:none;padding:4px 0}
nav.top a:hover{color:var(--ink);text-decoration:underline}

.verdict{overflow-wrap:anywhere;border-radius:14px;padding:28px 32px 26px;background:var(--soft);border-left:6px solid var(--tone)}
.verdict.go{--tone:var(--go);--soft:var(--go-soft)}.verdict.no-go{--tone:var(--no-go);--soft:var(--no-go-soft)}.verdict.open{--tone:var(--open);--soft:var(--open-soft)}
.kicker,.counts{font-size:.875rem;color:var(--ink)}
.verdict h1{margin:12px 0 0;font-size:clamp(1.45rem,3.4vw,2.1rem);line-height:1.22;letter-spacing:-.02em;font-weight:650;display:flex;flex-wrap:wrap;gap:10px 16px;align-items:center}
.stamp{flex:none;background:var(--tone);color:var(--stamp-ink);border-radius:8px;padding:4px 14px 5px;font-weight:750;letter-spacing:.01em}
.sentence{flex:1 1 16em;min-width:0}
.next{margin-top:12px;font-weight:600}
.warning{margin-top:12px;border-left:3px solid var(--worse);padding-left:12px}
.headline{display:grid;grid-template-columns:minmax(150px,auto) 1fr;gap:12px 36px;align-items:center;margin:24px 0 18px;background:var(--card);border-radius:10px;padding:18px 22px}
.figure-number{display:flex;flex-direction:column}
.figure-number .label,.figure-number .from-to,.explain{font-size:.875rem;color:var(--muted)}
.big{font-size:2.3rem;line-height:1.2;font-weight:700;letter-spacing:-.03em}
.headline-interval{min-width:0}
.explain b{color:var(--ink);font-weight:650}
.reasons{list-style:none;margin-top:14px;display:grid;gap:8px;font-size:.9375rem}
.reasons li{display:grid;grid-template-columns:14px 1fr;gap:10px;align-items:baseline}
.reasons .mark{width:11px;height:11px;border-radius:50%;border:2.5px solid var(--open);position:relative;top:1px}
.reasons .held .mark{background:var(--go);border-color:var(--go)}
.reasons .broken .mark{background:var(--no-go);border-color:var(--no-go);border-radius:2px;rotate:45deg}

svg{display:block;overflow:visible}
svg text{font-size:12px;fill:var(--muted)}
.halo{paint-order:stroke;stroke:var(--card);stroke-width:4px;stroke-linejoin:round}
.interval .outside{fill:var(--outside)}.interval .zero,.chart .zero{stroke:var(--muted);stroke-width:1}
.interval .margin{stroke:var(--worse);stroke-width:1.5;stroke-dasharray:4 3}
.interval .bar{fill-opacity:.38}.interval .dot{stroke:var(--card);stroke-width:2}
.interval .clear{fill:var(--go)}.interval .below{fill:var(--no-go)}.interval .open{fill:var(--open)}
.axis .margin-label{fill:var(--worse);font-weight:650}

.scroll{position:relative;overflow-x:auto;border-radius:10px}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{padding:8px 12px;text-align:right;white-space:nowrap;border-bottom:1px solid var(--rule);font-weight:400}
thead th{color:var(--muted);font-size:.8125rem;vertical-align:bottom;font-weight:500}
th:first-child,td:first-child{text-align:left;padding-left:4px}
tbody tr:last-child>*{border-bottom:0}
th.wide,td.wide{width:26%;min-width:150px}.metrics thead th:last-child{white-space:normal;min-width:9em}
td.bounds,span.bounds{color:var(--muted)}
.decides>*{font-weight:650;background:var(--card)}
.tag{display:inline-block;font-size:.75rem;line-height:1.4;font-weight:600;border:1px solid var(--rule);border-radius:99px;padding:1px 9px;color:var(--muted);background:var(--card);white-space:normal}
.tag.good{color:var(--go);border-color:var(--go)}
abbr{text-decoration:none}

.forest{margin-top:8px}
.forest-row,.forest-axis{display:grid;grid-template-columns:minmax(90px,1.1fr) 84px minmax(180px,3fr) minmax(190px,auto) 96px 92px;gap:4px 14px;align-items:center;padding:5px 4px;font-size:.9rem}
.forest-row{border-bottom:1px solid var(--rule)}
.forest-row .name{font-weight:600}.forest-row.overall{background:var(--card);border-radius:8px 8px 0 0}
.forest-row .queries,.forest-row .p{color:var(--muted);font-size:.8125rem}
.forest-row .value{font-weight:600;text-align:right}.forest-row .bounds{font-weight:400}
.forest-row .says{font-weight:650;font-size:.8125rem}
.forest-row.go .says{color:var(--go)}.forest-row.no-go .says{color:var(--no-go)}.forest-row.inconclusive .says{color:var(--open)}
.forest-row.few .interval .bar,.forest-row.few .interval .dot{fill:var(--muted)}.forest-row.few .says{color:var(--muted);font-weight:500}
.forest-axis .axis{grid-column:3}

.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));gap:24px}
.plots .full{grid-column:1/-1}.stack{display:grid;gap:24px;align-content:start;min-width:0}
.plot{background:var(--card);border:1px solid var(--rule);border-radius:12px;padding:20px 22px 16px;min-width:0;display:flex;flex-direction:column}
.plot h3{margin-bottom:16px}
.plot figcaption{margin-top:12px;font-size:.875rem;color:var(--muted)}
.numbers{margin-top:10px;font-size:.875rem}
.numbers summary{color:var(--muted);cursor:pointer;width:max-content}
.numbers .scroll{max-height:320px;overflow:auto;margin-top:6px}
.grid{stroke:var(--grid);stroke-width:1}
.area.better,.rank.better{fill:var(--better)}.area.worse,.rank.worse{fill:var(--worse)}.rank.same{fill:var(--muted);fill-opacity:.45}.rank{fill-opacity:.82}
.count{font-weight:650;font-size:13px}.count.better{fill:var(--better)}.count.worse{fill:var(--worse)}
.square{width:100%;max-width:460px;margin:0 auto}
.square text{font-size:13px}.diagonal{stroke:var(--muted);stroke-width:1;stroke-dasharray:3 4}
.bin.baseline{fill:var(--baseline);fill-opacity:.75}.bin.candidate{fill:var(--candidate);fill-opacity:.85}
.median{stroke:var(--ink);stroke-width:1.5}.cut{stroke:var(--worse);stroke-width:1.5;stroke-dasharray:4 3}
.series{font-size:.875rem;display:flex;flex-wrap:wrap;gap:2px 18px;margin:6px 0 2px}
.series>span{display:inline-flex;align-items:baseline;gap:7px}.series.baseline,.series.candidate{gap:7px;align-items:baseline}
.key{display:inline-block;flex:none;width:11px;height:11px;border-radius:3px;background:var(--baseline)}.candidate>.key{background:var(--candidate)}
.curve{fill:none;stroke-width:2.25;vector-effect:non-scaling-stroke;stroke-linejoin:round}
.curve.baseline{stroke:var(--baseline)}.curve.candidate{stroke:var(--candidate)}
.point{stroke:var(--card);stroke-width:2}.point.baseline{fill:var(--baseline)}.point.candidate{fill:var(--candidate)}

.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(180px,1fr));gap:14px;margin-top:24px}
.cards>div{background:var(--card);border:1px solid var(--rule);border-radius:12px;padding:14px 18px}
.cards dt{font-size:.875rem;color:var(--muted)}.card-value{display:block;font-size:1.5rem;font-weight:650;letter-spacing:-.02em}.card-what{font-size:.8125rem;color:var(--muted)}
.calibration{margin-top:18px;max-width:72ch}

.query-list+.query-list{margin-top:32px}
.query{border-top:1px solid var(--rule);margin-top:10px;padding-top:10px}
.query summary{cursor:pointer;display:grid;grid-template-columns:76px 1fr auto;gap:12px;align-items:baseline;list-style:none;border-radius:6px}
.query summary::-webkit-details-marker{display:none}
.query summary .text{font-weight:600;overflow-wrap:anywhere}.query summary .text::after{content:" ▸";color:var(--muted);font-weight:400}.query[open] summary .text::after{content:" ▾"}
.delta{font-weight:700}.delta.worse{color:var(--worse)}.delta.better{color:var(--better)}
.sides{display:grid;grid-template-columns:1fr 1fr;gap:14px;margin:14px 0 8px}
.side{background:var(--card);border:1px solid var(--rule);border-radius:12px;padding:14px 16px;min-width:0}
.side h4{font-size:.9rem;display:flex;gap:8px;align-items:baseline;margin-bottom:8px}.side h4 .value{margin-left:auto;color:var(--muted);font-weight:500}
.side ol{padding-left:1.9em;font-size:.875rem}.side li{padding:6px 8px;border-radius:7px}.side li::marker{color:var(--muted)}
.side li.relevant{background:var(--go-soft)}
.document{display:flex;flex-wrap:wrap;gap:2px 8px;align-items:baseline}.document .id{font-weight:600;overflow-wrap:anywhere;min-width:0}.document .score{margin-left:auto;color:var(--muted)}
li.relevant .score,li.relevant .excerpt{color:var(--ink)}
.excerpt{color:var(--muted);font-size:.8125rem;line-height:1.5;overflow-wrap:anywhere}.excerpt b{color:var(--ink);font-weight:600}

.settings{display:grid;grid-template-columns:repeat(auto-fit,minmax(280px,1fr));gap:10px 32px;margin-bottom:28px}
.settings dt{font-size:.8125rem;color:var(--muted)}.settings dd{overflow-wrap:anywhere}
.hashes{grid-template-columns:1fr;margin:10px 0 0}code{font:.8125rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
.odd{padding-left:1.2em}.odd li{margin:4px 0}
footer{margin:56px 0 40px;padding-top:16px;border-top:1px solid var(--rule);font-size:.875rem;color:var(--muted)}

@media (max-width:720px){
main,.top{padding-left:16px;padding-right:16px}
nav.top b{width:100%}nav.top{gap:2px 16px}
.verdict{padding:20px 18px 18px;border-radius:12px}
.headline{grid-template-columns:1fr;padding:14px 16px}.big{font-size:2rem}
main>section{margin-top:40px}
.plot{padding:16px 14px 12px;border-radius:10px}
.square text{font-size:15px}
.sides{grid-template-columns:1fr}
.query summary{grid-template-columns:1fr auto;gap:2px 12px}.query summary .text{grid-column:1/-1;grid-row:2}
.side ol{padding-left:1.6em}
.forest-row{grid-template-columns:1fr auto;gap:2px 12px;padding:10px 4px}.forest-row .drawn{grid-column:1/-1}
.forest-row .value{text-align:left;grid-column:1/-1}.forest-axis{display:block}
.forest-row .p,.forest-row .queries{text-align:right}
}
@media print{
html{font-size:10.5pt;background:#fff}:root{--paper:#fff}
nav.top,.numbers,summary .text::after{display:none!important}
main{max-width:none;padding:0}
.verdict,.plot,.side,.bin,.area,.interval *,.stamp,.rank,.key,.mark{-webkit-print-color-adjust:exact;print-color-adjust:exact}
.verdict,.plot,.query,.cards>div,tr{break-inside:avoid}
.query:not(:first-of-type){break-inside:auto}
h2,h3,summary{break-after:avoid}
main>section{margin-top:24pt}
.scroll{overflow:visible}th,td{padding:4pt 3pt;font-size:8pt;white-space:normal}th.wide,td.wide{min-width:70pt;width:auto}.metrics thead th:last-child{min-width:0}
.plots{grid-template-columns:1fr 1fr;gap:10pt}
.query::details-content{content-visibility:visible;block-size:auto}
}
`;
