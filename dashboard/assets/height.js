// A figure in a frame on someone else's page says how high it is, so that the page can give the frame that height (docs/how-to/embed-a-figure.md).
(() => {
  if (window.parent === window || !new URLSearchParams(location.search).get('figure') || window.__tellsHeight) return;
  window.__tellsHeight = true;
  let last = 0, watched = null;
  const tell = () => {
    const height = Math.ceil(watched.getBoundingClientRect().height) + 2;  // the frame's own border, where it counts
    if (height > 2 && height !== last) window.parent.postMessage({'co-response-height': last = height}, '*');
  };
  const sizes = new ResizeObserver(tell);
  const find = () => {
    const found = document.querySelector('[data-testid=stMainBlockContainer]');
    if (!found || found === watched) return;
    sizes.disconnect();
    sizes.observe(watched = found);
  };
  new MutationObserver(find).observe(document.body, {childList: true, subtree: true});
  find();
})();
