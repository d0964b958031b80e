"""The one style sheet of everything on paper: static edition and brief."""

from __future__ import annotations

from dashboard.theme import DARK, LIGHT, Palette


def _tokens(colours: Palette) -> str:
    return (
        f"--ground:{colours.background};--ink:{colours.ink};--quiet:{colours.quiet};--mark:{colours.mark};--line:{colours.outline};"
        f"--faint:{colours.faint};--link:{colours.link};--panel:{colours.panel}"
    )


def stylesheet() -> str:
    """One calm style for both settings of light, for phones first, and for print."""
    return f""":root{{color-scheme:light dark;{_tokens(LIGHT)}}}
@media(prefers-color-scheme:dark){{:root{{{_tokens(DARK)}}}}}
*{{box-sizing:border-box}}
body{{margin:0 auto;padding:0 1rem 3rem;max-width:46rem;background:var(--ground);color:var(--ink);font:1rem/1.55 system-ui,-apple-system,"Segoe UI",Arial,sans-serif;overflow-wrap:anywhere}}
h1{{font-size:1.75rem;line-height:1.2;margin:1.2rem 0 .6rem}}h2{{font-size:1.3rem;line-height:1.3;margin:2.2rem 0 .5rem}}h3{{font-size:1.08rem;margin:1.6rem 0 .4rem}}
a{{color:var(--link)}}a:focus-visible,summary:focus-visible,button:focus-visible,.scroll:focus-visible{{outline:3px solid var(--mark);outline-offset:2px}}
.skip{{position:absolute;left:-99rem}}.skip:focus{{left:1rem;top:.5rem;background:var(--ground);padding:.5rem;z-index:1}}
.languages{{text-align:right;margin:.6rem 0}}.menu{{border:1px solid var(--line);border-radius:.4rem;padding:.5rem .8rem}}.menu p{{margin:.8rem 0 .2rem;color:var(--quiet)}}.menu ul{{margin:0;padding-left:1.1rem}}
.menu li,.filter li{{min-height:1.75rem}}
summary{{cursor:pointer;font-weight:600;padding:.15rem 0}}
.quiet{{color:var(--quiet);font-size:.9rem}}.quiet p{{margin:.3rem 0}}.notice{{background:var(--panel);border-left:4px solid var(--mark);padding:.1rem .9rem;margin:1rem 0}}p.notice{{padding:.7rem .9rem}}
.cards{{display:grid;gap:.8rem;grid-template-columns:repeat(auto-fit,minmax(12rem,1fr))}}.card{{border:1px solid var(--line);border-radius:.4rem;padding:.2rem .9rem}}
.filter{{border:1px solid var(--faint);border-radius:.4rem;padding:.4rem .9rem;margin:1rem 0;max-height:11rem;overflow:auto}}.filter p{{margin:.2rem 0;font-weight:600}}.filter ul{{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;list-style:none;margin:.3rem 0;padding:0}}
picture img,.figure svg{{display:block;max-width:100%;height:auto}}
.scroll{{overflow:auto;max-height:30rem;margin:.8rem 0}}table{{border-collapse:collapse;width:100%;font-size:.92rem}}caption{{text-align:left;color:var(--quiet);padding:.2rem 0}}
th,td{{text-align:left;vertical-align:top;padding:.4rem .6rem;border-bottom:1px solid var(--faint);overflow-wrap:normal}}th{{font-weight:600}}tbody th{{font-weight:400}}thead th{{border-bottom-color:var(--line)}}
.files{{font-size:.92rem}}.file{{display:inline-block;padding:.3rem 0}}button{{font:inherit;color:var(--link);background:none;border:1px solid var(--line);border-radius:.4rem;padding:.2rem .7rem;cursor:pointer}}
hr{{border:0;border-top:1px solid var(--line);margin:2.5rem 0 1rem}}footer{{color:var(--quiet);font-size:.9rem}}
@media print{{.menu,.filter,.files,.skip,.languages{{display:none}}.scroll{{max-height:none;overflow:visible}}body{{max-width:none}}.figure{{break-inside:avoid}}}}
"""
