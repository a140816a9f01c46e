extension ReleaseReport {
    /// Light, dark by the reader's preference, and light again on paper.
    static let style = """
        :root{color-scheme:light dark;--bg:#fff;--fg:#1b1f26;--soft:#5a6473;--line:#d9dee6;--panel:#f5f7fa;--new:#1f5fd6;\
        --own:#2b8a4b;--old:#b5651d;--pos:31,95,214;--neg:200,60,30}
        @media (prefers-color-scheme:dark){:root{--bg:#14171c;--fg:#e5e9ef;--soft:#9aa5b4;--line:#343b46;--panel:#1c2128;\
        --new:#6ea3ff;--own:#5cc481;--old:#e09a52;--pos:110,163,255;--neg:255,122,89}}
        @media print{:root{color-scheme:light;--bg:#fff;--fg:#000;--soft:#444;--line:#bbb;--panel:#f5f7fa;--new:#1f5fd6;\
        --own:#2b8a4b;--old:#b5651d;--pos:31,95,214;--neg:200,60,30}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--bg);color:var(--fg);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;\
        -webkit-print-color-adjust:exact;print-color-adjust:exact}
        main{max-width:62rem;margin:0 auto;padding:2rem 1.25rem 4rem}
        h1{font-size:2rem;line-height:1.2;margin:0 0 .5rem}
        h2{font-size:1.3rem;margin:2.5rem 0 .5rem;padding-top:1rem;border-top:1px solid var(--line)}
        h3{font-size:1.05rem;margin:1.5rem 0 .25rem}
        p{margin:.25rem 0 .75rem;max-width:46rem}
        code{font:.85em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
        .tiles{display:flex;flex-wrap:wrap;gap:.75rem;margin:1rem 0}
        .tiles div{background:var(--panel);border:1px solid var(--line);border-radius:.5rem;padding:.5rem .9rem}
        .tiles dt{font-size:.8rem;color:var(--soft)}
        .tiles dd{margin:0;font-size:1.25rem;font-variant-numeric:tabular-nums}
        .notes{border-left:3px solid var(--old);background:var(--panel);margin:1rem 0;padding:.6rem 1rem .6rem 2rem}
        .wide{overflow-x:auto;margin:.5rem 0 1rem}
        table{border-collapse:collapse;font-size:.875rem;min-width:24rem}
        caption{caption-side:top;text-align:left;color:var(--soft);padding:.25rem 0}
        th,td{text-align:left;vertical-align:top;padding:.28rem .55rem;border-bottom:1px solid var(--line);overflow-wrap:break-word}
        thead th{color:var(--soft);font-weight:600;vertical-align:bottom;overflow-wrap:normal}
        tbody th{font-weight:500;max-width:24rem;min-width:9rem;overflow-wrap:anywhere}
        .n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
        thead .n{white-space:normal}
        .matrix td{border:1px solid var(--bg)}.none{color:var(--soft)}
        details{margin:.5rem 0}summary{cursor:pointer;color:var(--new)}
        figure{margin:1rem 0}
        figure>svg{display:block;width:100%;height:auto;background:var(--panel);border:1px solid var(--line);border-radius:.5rem}
        figcaption{font-size:.875rem;color:var(--soft);margin-top:.4rem}
        .key{white-space:nowrap;margin-right:.8rem}.key svg{height:1em;vertical-align:-.15em}
        .key .ramp{width:14rem;height:.8em;border:1px solid var(--line);background:var(--panel);vertical-align:-.05em}
        svg text{fill:var(--fg);font-size:12px;font-family:inherit}svg .tick{fill:var(--soft);font-size:11px}
        .grid,.axis,.frame,.span{stroke:var(--line);fill:none}.axis,.frame{stroke:var(--soft)}.span{stroke-width:2}
        .m-base{stroke:var(--soft);stroke-width:2;fill:none}.m-own{stroke:var(--own);stroke-width:2;fill:none}
        .m-old{stroke:var(--old);stroke-width:2;fill:none}.m-new{fill:var(--new)}
        .l-fit{stroke:var(--soft);stroke-width:1.5;fill:none}.l-held{stroke:var(--new);stroke-width:2.5;fill:none}
        .best{stroke:var(--own);stroke-width:2.5;fill:none}
        .c{stroke-width:1;fill:none}.pos{stroke:rgb(var(--pos))}.neg{stroke:rgb(var(--neg))}
        footer{margin-top:3rem;border-top:1px solid var(--line);padding-top:1rem;font-size:.875rem;color:var(--soft)}
        @media print{main{max-width:none;padding:0}body{font-size:10pt}.wide{overflow:visible}summary{display:none}\
        details::details-content{content-visibility:visible;height:auto}figure,tr,.tiles{break-inside:avoid}h2,h3{break-after:avoid}\
        table{font-size:8pt;min-width:0}th,td{padding:.15rem .4rem}}
        """
}
