/** How the page of an audit looks, on a screen and on paper. */
export const AUDIT_STYLE = `
:root { color-scheme: light; font: 15px/1.5 system-ui, sans-serif; color: #1d2330; background: #fff; }
body { max-width: 62rem; margin: 2rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.6rem; margin: 0 0 .75rem; }
h2 { font-size: 1.15rem; margin: 2.25rem 0 .5rem; border-bottom: 1px solid #c9ced8; padding-bottom: .25rem; }
h3 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
small { color: #59627a; font-weight: normal; overflow-wrap: anywhere; }
.verdict { padding: .7rem 1rem; border-left: .35rem solid; font-size: 1.05rem; margin: 0; }
.clean { border-color: #2c7a4b; background: #eef7f1; }
.found { border-color: #b3261e; background: #fbeeed; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid #e3e6ec; overflow-wrap: anywhere; }
thead th { font-weight: 600; color: #59627a; font-size: .85rem; }
.facts th { width: 11rem; font-weight: 600; }
.number { text-align: right; padding-right: 1.5rem; font-variant-numeric: tabular-nums; }
.refused td { color: #59627a; }
.broken td { color: #b3261e; font-weight: 600; }
code, pre { font: 12.5px/1.45 ui-monospace, monospace; white-space: pre-wrap; margin: 0; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: .5rem 0; }
dt { font-weight: 600; } dd { margin: 0; }
article, tr { break-inside: avoid; }
@media print { body { margin: 0; max-width: none; font-size: 10.5pt; } thead { display: table-header-group; } .verdict { border: 1px solid; border-left-width: .35rem; } }
`;
