// What Streamlit's own markup lacks: a menu and tables that open, names for readers who do not see the page, what the server must know of the window.
// Runs once for each page; watches for what comes later.
((language, direction, words, narrowest) => {
  document.documentElement.lang = language;
  document.documentElement.dir = direction;
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const headingBefore = (element) => {
    let last = null;
    for (const heading of all('h1,h2,h3')) {
      if (heading.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING) last = heading;
    }
    return last ? last.innerText.trim() : '';
  };
  const set = (element, name, value) => { if (element.getAttribute(name) !== value) element.setAttribute(name, value); };

  // The menu: a button opens what follows it; Escape, a click elsewhere or focus elsewhere closes it.
  const opened = (button) => document.querySelector('.' + CSS.escape(button.dataset.opens));
  const open = (button, yes) => {
    button.setAttribute('aria-expanded', String(yes));
    opened(button)?.classList.toggle('open', yes);
  };
  const closeOthers = (inside) => {
    for (const button of all('.menu-button[aria-expanded=true]')) {
      if (!button.contains(inside) && !opened(button)?.contains(inside)) open(button, false);
    }
  };
  const onClick = (event) => {
    const button = event.target.closest?.('[data-opens]'), rows = event.target.closest?.('[data-rows]'), link = event.target.closest?.('.contents a');
    if (button) open(button, button.getAttribute('aria-expanded') !== 'true');
    closeOthers(event.target);
    if (event.target.closest?.('.st-key-menu a')) for (const one of all('.menu-button')) open(one, false);
    if (rows) {
      const table = document.getElementById(rows.dataset.rows), yes = rows.getAttribute('aria-expanded') !== 'true';
      rows.setAttribute('aria-expanded', String(yes));
      table?.classList.toggle('open', yes);
      mend();
    }
    if (link) {
      event.preventDefault();
      goTo(document.getElementById(link.hash.slice(1)));
    }
    if (event.target.closest?.('[data-testid=stSkipToContent]')) {
      event.preventDefault();
      event.stopPropagation();  // Streamlit would go to the beginning of the page, before bar and menu
      goTo(document.querySelector('h1'));
    }
  };
  const goTo = (heading) => {
    if (!heading) return;
    heading.setAttribute('tabindex', '-1');
    heading.scrollIntoView();
    heading.focus({preventScroll: true});
  };
  // An address can name a figure of its page: the page goes to it as soon as it is there, and stays while charts above it come in, until the reader moves.
  const goToNamed = () => {
    const asked = new URLSearchParams(location.search).get('at'), named = location.pathname + ' ' + asked;
    const heading = asked && document.getElementById(asked);
    if (!asked) window.__gone = '';
    if (heading && window.__gone !== named) {
      window.__gone = named;
      window.__stayUntil = Date.now() + 5000;
      goTo(heading);
      for (const later of [300, 800, 1500, 3000]) setTimeout(goToNamed, later);
    } else if (heading && Date.now() < window.__stayUntil) {
      heading.scrollIntoView();
    }
  };
  const leaveNamed = () => { window.__stayUntil = 0; };
  const onKey = (event) => {
    if (event.key !== 'Escape') return;
    const button = all('.menu-button[aria-expanded=true]').pop();
    if (button) {
      const inside = opened(button)?.contains(document.activeElement);
      open(button, false);
      if (inside) button.focus();
    }
    for (const tooltip of all('.deck-tooltip')) tooltip.style.display = 'none';
  };

  // Two things that the server must know to draw: how wide the window is, and when the device changes over to dark or light.
  const tell = (signal) => document.querySelector(`.st-key-signal-${signal} button`)?.click();
  const measure = () => {
    const known = document.querySelector('[data-narrow]');
    if (!known) return;
    const narrow = window.innerWidth / parseFloat(getComputedStyle(document.documentElement).fontSize) < narrowest;
    // A press may come before the server listens, so it is told again until it knows.
    if (String(narrow) !== known.dataset.narrow && Date.now() - (window.__told || 0) > 1500) {
      window.__told = Date.now();
      tell(narrow ? 'narrow' : 'wide');
      setTimeout(measure, 1600);
    }
  };

  const mend = () => {
    document.documentElement.lang = window.__pageLanguage;
    const menu = document.querySelector('.st-key-menu');
    if (menu) {
      set(menu, 'role', 'navigation');
      set(menu, 'aria-label', window.__pageWords.menu);
    }
    // A table that is larger than its place can be scrolled with keys; two of one name are told apart.
    const seen = new Map();
    for (const box of all('.rows')) {
      const closed = box.classList.contains('closed') && !box.classList.contains('open');
      const name = box.dataset.name || headingBefore(box) || window.__pageWords.table;
      if (closed || (box.scrollWidth <= box.clientWidth + 1 && box.scrollHeight <= box.clientHeight + 1)) {
        for (const attribute of ['role', 'tabindex', 'aria-label']) box.removeAttribute(attribute);
        continue;
      }
      seen.set(name, (seen.get(name) || 0) + 1);
      set(box, 'role', 'region');
      set(box, 'tabindex', '0');
      set(box, 'aria-label', seen.get(name) > 1 ? `${name} (${seen.get(name)})` : name);
    }
    for (const button of all('[class*=st-key-links-] button')) set(button, 'aria-label', `${button.innerText.trim()}: ${headingBefore(button)}`);
    for (const button of all('[class*=st-key-language-] button')) set(button, 'lang', button.closest('[class*=st-key-language-]').className.match(/st-key-language-(\w+)/)[1]);
    // Names of icons are read aloud otherwise ("expand more").
    for (const icon of all('[data-testid=stIconMaterial]:not([aria-hidden])')) icon.setAttribute('aria-hidden', 'true');
    const own = window.__pageWords.framework;
    // A chart is one image with one text.
    for (const chart of all('[data-testid=stVegaLiteChart][aria-label]')) {
      set(chart, 'role', 'img');
      chart.removeAttribute('aria-roledescription');
    }
    // The map takes keys itself, so it says what it is and how it is moved.
    for (const map of all('[data-testid=stDeckGlJsonChart] [tabindex="0"]')) {
      set(map, 'role', 'application');
      set(map, 'aria-label', window.__pageWords.map);
    }
    for (const element of all('[aria-label]')) {
      const word = own[element.getAttribute('aria-label')];
      if (word) element.setAttribute('aria-label', word);
    }
    // The box that says a page is not there.
    for (const element of all('[role=dialog] h2, [role=dialog] div:not(:has(*))')) {
      const word = own[element.textContent];
      if (word && word !== element.textContent) element.textContent = word;
    }
    const skip = document.querySelector('[data-testid=stSkipToContent]');
    if (skip && own[skip.textContent]) skip.textContent = own[skip.textContent];
    const here = location.pathname.replace(/\/$/, '');
    for (const link of all('[data-testid=stPageLink] a')) {
      // The first page's link is empty, which a browser takes for the page that it is on.
      const to = link.getAttribute('href') ? new URL(link.href).pathname.replace(/\/$/, '') : window.__home;
      if (to === here) set(link, 'aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    goToNamed();
    measure();
  };
  // Says once what a changed filter shows; nothing on the first sight of a page.
  if (!window.__announce) {
    const status = Object.assign(document.createElement('div'), {id: 'announcement'});
    status.setAttribute('role', 'status');
    document.body.append(status);
    const said = {};
    window.__announce = (text) => {
      if (said[location.pathname] !== undefined && said[location.pathname] !== text) status.textContent = text;
      said[location.pathname] = text;
    };
  }
  window.__home ??= new URL('.', document.baseURI).pathname.replace(/\/$/, '');
  window.__pageLanguage = language;
  window.__pageWords = words;
  mend();
  if (!window.__mending) {
    let waiting = 0;
    const soon = () => {
      clearTimeout(waiting);
      waiting = setTimeout(mend, 60);
    };
    window.__mending = new MutationObserver(soon);
    window.addEventListener('resize', soon);
    document.addEventListener('click', onClick, true);
    document.addEventListener('keydown', onKey);
    // The wheel scrolls the page, over a map too; with Ctrl it changes the map's size.
    const overMap = (event) => { if (!event.ctrlKey && event.target.closest?.('[data-testid=stDeckGlJsonChart]')) event.stopPropagation(); };
    document.addEventListener('wheel', overMap, {capture: true, passive: true});
    for (const moved of ['wheel', 'touchstart', 'pointerdown', 'keydown']) document.addEventListener(moved, leaveNamed, {capture: true, passive: true});
    document.addEventListener('focusin', (event) => closeOthers(event.target));
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => setTimeout(() => tell('redraw'), 200));
    window.__mending.observe(document.body, {childList: true, subtree: true});
  }
})
