/** Texts that would act if they were not escaped, in an element, in an attribute, in SVG, in a style sheet or in Markdown. */
export const ATTACKS = [
  "<script>alert(1)</script>",
  `"><img src=x onerror=alert(1)>`,
  `' onfocus='alert(1)' autofocus tabindex='1`,
  "</title></style></svg></bdi></details><svg onload=alert(1)><style>*{display:none}</style>",
  "<!-- <base href=//attacker.example> --><meta http-equiv=refresh content=0;url=//attacker.example>",
  `<a href="javascript:alert(1)">open</a><iframe srcdoc="<script>parent.alert(1)</script>">`,
  "&lt;script&gt;&#60;b&#62;",
  "``` ` ``\n# heading\n| a | b |\n|---|---|\n[x](javascript:alert(1)) ![x](//attacker.example/x.png) @everyone #1 **bold**",
  "\\|<img src=x onerror=alert(1)>\\`",
  "\r\n| a |\r\u2028- b\u0085\u000B\u001B[31m\u2067\t`",
  "\u202Etxt.exe \uD800 \u0000\u0007",
] as const;
