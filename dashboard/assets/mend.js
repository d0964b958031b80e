// What Streamlit's own markup lacks for readers who do not see the page. Runs once for each page; watches for what comes later.
((language, words) => {
  document.documentElement.lang = language;
  const headingBefore = (element) => {
    let last = null;
    for (const heading of document.querySelectorAll('h1,h2,h3')) {
      if (heading.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING) last = heading;
    }
    return last ? last.innerText.trim() : '';
  };
  const mend = () => {
    document.documentElement.lang = window.__pageLanguage;
    const menu = document.querySelector('.st-key-menu');
    if (menu) {
      menu.setAttribute('role', 'navigation');
      menu.setAttribute('aria-label', window.__pageWords.menu);
    }
    // A table that has become wider than the screen can be scrolled with keys.
    for (const box of document.querySelectorAll('[data-testid=stTable] div:has(> table)')) {
      if (box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1) {
        box.setAttribute('role', 'region');
        box.setAttribute('tabindex', '0');
      }
    }
    // Every scrolling table is announced by its heading, not as one more "Scrollable table".
    const seen = new Map();
    for (const region of document.querySelectorAll('[data-testid=stTable] [role=region]')) {
      const name = headingBefore(region) || window.__pageWords.table;
      seen.set(name, (seen.get(name) || 0) + 1);
      const label = seen.get(name) > 1 ? `${name} (${seen.get(name)})` : name;
      if (region.getAttribute('aria-label') !== label) region.setAttribute('aria-label', label);
    }
    // Names of icons are read aloud otherwise ("expand more").
    for (const icon of document.querySelectorAll('[data-testid=stIconMaterial]:not([aria-hidden])')) icon.setAttribute('aria-hidden', 'true');
    const own = window.__pageWords.framework;
    // A chart is one image with one text. Its buttons say what they do, not the whole text again.
    for (const chart of document.querySelectorAll('[data-testid=stVegaLiteChart][aria-label]')) {
      chart.setAttribute('role', 'img');
      chart.removeAttribute('aria-roledescription');
    }
    for (const button of document.querySelectorAll('[data-testid=stElementToolbar] button[aria-label*=": "]')) {
      const does = button.getAttribute('aria-label').split(': ')[0];
      button.setAttribute('aria-label', own[does] || does);
    }
    for (const element of document.querySelectorAll('[aria-label]')) {
      const word = own[element.getAttribute('aria-label')];
      if (word) element.setAttribute('aria-label', word);
    }
    // The box that says a page is not there.
    for (const element of document.querySelectorAll('[role=dialog] h2, [role=dialog] div:not(:has(*))')) {
      const word = own[element.textContent];
      if (word && word !== element.textContent) element.textContent = word;
    }
    const skip = document.querySelector('[data-testid=stSkipToContent]');
    if (skip && own[skip.textContent]) skip.textContent = own[skip.textContent];
    for (const link of document.querySelectorAll('.st-key-menu a, [data-testid=stPageLink] a')) {
      if (new URL(link.href).pathname === location.pathname) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
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
  window.__pageLanguage = language;
  window.__pageWords = words;
  mend();
  if (!window.__mending) {
    let waiting = 0;
    window.__mending = new MutationObserver(() => {
      clearTimeout(waiting);
      waiting = setTimeout(mend, 60);
    });
    window.addEventListener('resize', () => setTimeout(mend, 60));
    window.__mending.observe(document.body, {childList: true, subtree: true});
  }
})
