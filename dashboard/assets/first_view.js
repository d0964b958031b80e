// Shows the beginning of the page until the app is whole, then puts the app in its place: what is read stays where it is, and so does the focus.
(() => {
  const STEADY = 4;  // looks, a tenth of a second apart, at which nothing has moved
  const LATE = 20000;  // milliseconds until a reader is told that the app has not come
  const root = document.documentElement, first = document.getElementById('first-view');
  root.classList.add('first-view');
  const top = (element) => element.getBoundingClientRect().top;
  const words = (element) => element.textContent.replace(/\s+/g, ' ').trim();
  let asked = '', whole = 0, places = '', steady = 0;
  first.addEventListener('click', (event) => {
    const link = event.target.closest('a[href^="#"]');
    if (link && link.hash !== '#first-main') { event.preventDefault(); asked = link.hash.slice(1); }
  });
  const charted = (app) => [...app.querySelectorAll('[data-testid=stVegaLiteChart],[data-testid=stDeckGlJsonChart]')].every((chart) => chart.querySelector('canvas,svg') || top(chart) > 2 * innerHeight);
  const isThere = () => {
    const app = document.querySelector('#root [data-testid=stApp]');
    if (!app || app.dataset.testScriptState === 'initial' || !app.querySelector('h1,[data-testid=stAlert]')) return false;
    whole ||= Date.now();
    // Streamlit fetches the code of links and tables when the first one is drawn.
    const parts = app.querySelector('.st-key-menu a') && !app.querySelector('[data-testid=stSkeleton]');
    const now = [...app.querySelectorAll('h1,h2')].map((heading) => Math.round(top(heading))).join();
    steady = app.dataset.testScriptState === 'notRunning' && parts && charted(app) && now === places ? steady + 1 : 0;
    places = now;
    return steady >= STEADY || Date.now() - whole > 15000;
  };
  const takeOver = () => {
    const main = document.querySelector('[data-testid=stMain]'), held = document.activeElement;
    // The heading that is nearest to the top of the window stays where it is.
    const heading = [...first.querySelectorAll('h1,h2')].sort((a, b) => Math.abs(top(a)) - Math.abs(top(b)))[0];
    const before = heading ? top(heading) : 0, scrolled = scrollY;
    const focus = first.contains(held) && held !== document.body ? {to: held.href, words: words(held)} : null;
    const open = [...first.querySelectorAll('.first-menu details[open]>summary')].map(words);
    root.classList.remove('first-view');
    const same = heading && [...document.querySelectorAll('#root h1,#root h2')].find((one) => words(one) === words(heading));
    first.remove();
    if (main && scrolled) main.scrollTop = same ? main.scrollTop + top(same) - before : scrolled;
    for (const button of document.querySelectorAll('#root .menu-button')) if (open.includes(words(button))) button.click();
    if (asked) document.getElementById(asked)?.scrollIntoView();
    if (focus) {
      const stops = [...document.querySelectorAll('#root a[href],#root button,#root summary')];
      const found = stops.find((stop) => focus.to && stop.href === focus.to && words(stop) === focus.words) || stops.find((stop) => words(stop) === focus.words) || document.querySelector('#root h1');
      found?.focus({preventScroll: true});
    }
  };
  // Said politely, in the place of the words before: nothing stands under it that could move.
  setTimeout(() => {
    const late = document.getElementById('first-late');
    if (first.isConnected && late) first.querySelector('.coming').replaceChildren(late.content.cloneNode(true));
  }, LATE);
  const watch = setInterval(() => { if (isThere()) { clearInterval(watch); takeOver(); } }, 100);
})();
