extension Dashboard {
    /// Light, and dark by the reader's preference.
    static let style = """
        :root{color-scheme:light dark;--bg:#fff;--fg:#1b1f26;--soft:#566070;--line:#d9dee6;--panel:#f5f7fa;--new:#1f5fd6;
        --good:#22793f;--old:#9a5413;--bad:#bf2c1a;--shade:#e7ecf3}
        @media (prefers-color-scheme:dark){:root{--bg:#14171c;--fg:#e5e9ef;--soft:#a2adbc;--line:#343b46;--panel:#1c2128;
        --new:#78a9ff;--good:#5cc481;--old:#e09a52;--bad:#ff8a70;--shade:#2a313b}}
        *{box-sizing:border-box}
        html{scroll-behavior:smooth}
        @media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
        body{margin:0;background:var(--bg);color:var(--fg);
        font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;overflow-wrap:anywhere}
        header,main,footer{max-width:84rem;margin:0 auto;padding:0 1.25rem}
        header{padding-top:1.5rem}
        h1{font-size:1.9rem;line-height:1.2;margin:0 0 .35rem}
        h2{font-size:1.2rem;margin:0 0 .6rem}
        h3{font-size:1rem;margin:0}
        p{margin:.25rem 0 .6rem}
        a{color:var(--new)}
        code{font:.9em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
        section{margin:1.75rem 0;padding-top:1.1rem;border-top:1px solid var(--line)}
        section:focus{outline:none}
        :focus-visible{outline:3px solid var(--new);outline-offset:2px;border-radius:.2rem}
        .skip{position:absolute;left:-99rem;top:.5rem;background:var(--bg);padding:.5rem .9rem;z-index:2;
        border:2px solid var(--new);border-radius:.4rem}
        .skip:focus{left:.5rem}
        [hidden]{display:none}
        #state{display:flex;flex-wrap:wrap;gap:.35rem .75rem;align-items:center;margin:0}
        .badge{display:inline-flex;align-items:center;gap:.4rem;border:1px solid currentColor;border-radius:2rem;
        padding:.05rem .75rem;font-weight:600;font-size:.9rem;white-space:nowrap}
        .badge::before{content:"";width:.6rem;height:.6rem;border-radius:50%;background:currentColor}
        .good{color:var(--good)}.bad{color:var(--bad)}.busy{color:var(--new)}.warn{color:var(--old)}
        #connection{color:var(--bad);font-weight:600;margin:.4rem 0 0}
        .box,.list li{background:var(--panel);border:1px solid var(--line);border-radius:.5rem;padding:.6rem .9rem}
        .list{list-style:none;margin:0;padding:0;display:grid;gap:.5rem}
        .list li{border-left:4px solid var(--old)}.list li.error{border-left-color:var(--bad)}
        .tiles{display:flex;flex-wrap:wrap;gap:.7rem;margin:0 0 1rem}
        .tiles div{background:var(--panel);border:1px solid var(--line);border-radius:.5rem;padding:.45rem .9rem;min-width:6.5rem}
        .tiles dt{font-size:.8rem;color:var(--soft)}
        .tiles dd{margin:0;font-size:1.25rem;font-variant-numeric:tabular-nums;line-height:1.3}
        .wide{overflow-x:auto}.wide+.list{margin-top:.75rem}
        .columns>div{min-width:0}
        @media (min-width:64rem){.columns{display:grid;grid-template-columns:minmax(0,1fr) 23rem;gap:2.5rem}}
        table{border-collapse:collapse;width:100%;font-size:.9rem}
        caption{text-align:left;color:var(--soft);font-size:.85rem;padding:0 0 .35rem}
        th,td{text-align:left;vertical-align:top;padding:.36rem .6rem .36rem 0;border-bottom:1px solid var(--line);
        overflow-wrap:break-word}
        thead th{color:var(--soft);font-weight:600;font-size:.82rem;vertical-align:bottom;overflow-wrap:normal}
        tbody th{font-weight:600}
        .n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
        td.n,th.n{padding-right:1rem}
        .soft{color:var(--soft)}.small{font-size:.85rem}
        td:last-child:not(.n){min-width:9rem}td:has(.scale){min-width:6rem}thead th{white-space:nowrap}
        .scale{width:8rem;height:1.1rem;display:block;margin-top:.2rem}
        progress{width:100%;height:.8rem;accent-color:var(--new)}
        .two{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(22rem,100%),1fr));gap:1.25rem;align-items:start}
        figure{margin:0}figcaption{font-size:.85rem;color:var(--soft);margin-top:.3rem}
        svg{display:block;max-width:100%}
        .chart{width:100%;height:auto;background:var(--panel);border:1px solid var(--line);border-radius:.5rem}
        .chart text{fill:var(--soft);font-size:12px;font-family:inherit}
        .grid{stroke:var(--line)}.fit{stroke:var(--soft);fill:none;stroke-width:1.5;stroke-dasharray:5 4}
        .held{stroke:var(--new);fill:none;stroke-width:2.5}.dot{fill:var(--new)}.ring{fill:var(--bg);stroke:var(--new);stroke-width:2}
        .track{stroke:var(--shade);stroke-width:6;stroke-linecap:round}.rise{stroke:var(--new);stroke-width:6;stroke-linecap:round}
        .fall{stroke:var(--bad);stroke-width:6;stroke-linecap:round}.cross{stroke:var(--soft);stroke-width:2}
        .cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(15rem,100%),1fr));gap:.75rem;margin-bottom:.75rem}
        .card{background:var(--panel);border:1px solid var(--line);border-radius:.5rem;padding:.6rem .8rem}
        .card .head{display:flex;justify-content:space-between;gap:.6rem}
        .card .head span{font-variant-numeric:tabular-nums;white-space:nowrap}
        .card svg{width:100%;height:auto;margin-top:.3rem}
        details>summary{cursor:pointer;color:var(--new);margin-bottom:.5rem}
        .line{list-style:none;margin:0;padding:0 0 0 .45rem}
        .line li{position:relative;border-left:2px solid var(--line);padding:0 0 1rem 1.5rem}
        .line li:last-child{border-left-color:transparent}
        .line .mark{position:absolute;left:-.8rem;top:0;width:1.5rem;height:1.5rem;background:var(--bg);border-radius:50%}
        .line h3{display:flex;flex-wrap:wrap;gap:.1rem .7rem;align-items:baseline}
        .line time{font-weight:400;font-size:.85rem;color:var(--soft);white-space:nowrap}
        .line p{margin:.1rem 0 0}
        select,button{font:inherit;color:inherit;background:var(--panel);border:1px solid var(--soft);border-radius:.35rem;
        padding:.2rem .7rem;min-height:2rem}
        footer{padding-bottom:2.5rem;font-size:.875rem;color:var(--soft)}
        @media (max-width:40rem){h1{font-size:1.5rem}header,main,footer{padding-left:.9rem;padding-right:.9rem}
        .tiles div{flex:1 1 40%}section{margin:1.25rem 0}}
        """
}
