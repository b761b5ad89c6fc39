/* MathJax 3 from npm, for the text of a lesson at once and for outputs as they come.
   Voilà typesets outputs through MathJax 2's queue: the calls it makes are answered here. Voilà loads this file a second
   time: nothing is done twice. One typesetting at a time, and TeX only: MathML input would find its own output again. */
"use strict";

if (!window.MathJax) {
  let isReady;
  let ready = new Promise((resolve) => { isReady = resolve; });
  const version2 = {
    Ajax: {},
    Hub: {
      config: {},
      Config() {},
      Configured() {},
      Register: { StartupHook() {} },
      Queue(...calls) {
        for (const call of calls) {
          if (Array.isArray(call) && call[0] === "Typeset") ready = ready.then(() => window.MathJax.typesetPromise([call[2]]));
        }
      },
    },
    InputJax: { TeX: { resetEquationNumbers() {} } },
  };
  window.MathJax = {
    ...version2,
    tex: { inlineMath: [["$", "$"], ["\\(", "\\)"]], processEscapes: true, processEnvironments: true },
    options: { enableMenu: false },
    startup: {
      // MathJax puts its own object in place of this one: the queue moves with it.
      ready() {
        Object.assign(window.MathJax, version2);
        window.MathJax.startup.defaultReady();
        window.MathJax.startup.promise.then(isReady);
      },
    },
  };
  const script = document.createElement("script");
  script.src = new URL("../mathjax/tex-chtml.js", document.currentScript.src);
  script.async = true;
  document.head.append(script);
}
