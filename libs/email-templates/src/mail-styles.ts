/**
 * The style sheet of the mail. Rules sit in classes rather than on every element, which keeps a hundred items under the
 * size where Gmail cuts a mail; a program that drops style sheets still shows headings, paragraphs and lists in order.
 *
 * Word's engine in Outlook knows no max-width, so the width is fixed and made fluid again by a media query, which it
 * does not read. Gmail drops a whole style element over one rule it does not know: hence the second sheet for dark mode.
 */
export const mailStyles = compact(`
body{margin:0;padding:0;background:#f4f5f7;-webkit-text-size-adjust:100%}
.page{background:#f4f5f7;color:#1b1f24;font-size:16px;line-height:1.5}
.wrap{width:600px;table-layout:fixed;margin:0 auto}
.wrap table{table-layout:fixed;width:100%;border-collapse:separate;border-spacing:0}
.pad{padding:28px 20px 36px}
h1,h2,h3,p,ul{margin:0;padding:0;overflow-wrap:anywhere;word-break:break-word}
h1{font-size:22px;line-height:1.3;font-weight:700;letter-spacing:-.01em}
h1.l{font-size:18px;line-height:1.4;letter-spacing:0}
h2{font-size:14px;line-height:1.4;font-weight:600;color:#59626d;margin:28px 0 10px}
h3{font-size:17px;line-height:1.35;font-weight:600;margin-top:3px}
a{color:#1a5fb4;text-decoration:underline}
.m,.f .l{color:#59626d}
.s{font-size:14px;margin-top:6px}
.n{font-size:15px;margin-top:16px;padding:10px 14px;background:#fff4d6;color:#5c4300;border-radius:6px}
.k{margin-bottom:12px}
.i{background:#fff;padding:14px 16px 16px;border-left:4px solid #5b7083;border-radius:4px 8px 8px 4px}
.critical{border-left-color:#a01040}
.error{border-left-color:#d03a20}
.warning{border-left-color:#d98a00}
.info{border-left-color:#2f6fb5}
.good{border-left-color:#2a8a4f}
.t{font-size:13px;font-weight:600}
.critical .t{color:#a01040}
.error .t{color:#b5301a}
.warning .t{color:#8a5600}
.info .t{color:#235a97}
.good .t{color:#1d6e3d}
.t .m{font-weight:400}
.j,.x,.c{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;font-size:12.5px;line-height:1.5;overflow-wrap:anywhere;word-break:break-word;unicode-bidi:isolate}
.j{color:#59626d;margin-top:2px}
.y{font-size:15px;margin-top:8px}
.x{margin-top:10px;padding:9px 12px;background:#f4f5f7;border-radius:6px;white-space:pre-wrap}
.q{font-size:14px;font-weight:600;margin-top:14px}
.f{margin-top:10px;font-size:14px}
.f td{padding:1px 0;vertical-align:top;overflow-wrap:anywhere}
.f .l{width:104px}
.f .r{width:56px;padding-right:12px;text-align:right;font-weight:600}
.o{margin-top:8px;padding-left:20px;font-size:14px}
.a{font-size:14px;margin-top:8px}
.a a{display:inline-block;padding:5px 0;margin-right:18px;font-weight:600}
.c{font-size:12.5px}
.b{color:#1b1f24}
.w{font-size:15px;margin-top:22px}
.z{font-size:13px;margin-top:28px}
@media (max-width:640px){.wrap{width:100%!important}.pad{padding:20px 12px 32px!important}}
`);

/** Stands on the elements themselves, for programs that drop style sheets. */
export const mailFont = '-apple-system,BlinkMacSystemFont,Segoe UI,Roboto,Helvetica,Arial,sans-serif';

/** Colours for dark mode. */
export const darkStyles = compact(`
:root{color-scheme:light dark;supported-color-schemes:light dark}
@media (prefers-color-scheme:dark){
body,.page{background:#111418!important}
.page{color:#e6e8eb}
h2,.m,.f .l,.j{color:#9aa4b0}
.b{color:#e6e8eb}
a{color:#8ab8ff}
.n{background:#3a2f10;color:#ffdf94}
.i{background:#1b2026}
.x{background:#12161a}
.critical{border-left-color:#f0557c}
.error{border-left-color:#f2694f}
.warning{border-left-color:#e6a832}
.info{border-left-color:#5a9be6}
.good{border-left-color:#4cb376}
.critical .t{color:#ff85a3}
.error .t{color:#ff937d}
.warning .t{color:#f5bd55}
.info .t{color:#8ab8ff}
.good .t{color:#7bd69e}
}`);

function compact(sheet: string): string {
  return sheet.replaceAll('\n', '');
}
