// Optional: the page is whole without it. Loads Vega from this site when a reader asks for the numbers of a chart.
(() => {
  const me = document.currentScript, words = me.dataset.words;
  // A promised day has passed once it is over everywhere on earth: twelve hours after it is over at Greenwich.
  for (const line of document.querySelectorAll('[data-after]'))
    line.hidden = Date.now() < Date.parse(line.dataset.after + 'T00:00:00Z') + 36 * 3600e3;
  let vega;
  const load = () => vega ??= new Promise((done, failed) =>
    document.head.append(Object.assign(document.createElement('script'), {src: me.dataset.vega, onload: done, onerror: failed})));
  for (const link of document.querySelectorAll('a[href$=".vl.json"]')) {
    const picture = link.closest('.figure').querySelector('picture');
    const button = Object.assign(document.createElement('button'), {type: 'button', textContent: words});
    button.addEventListener('click', async () => {
      button.disabled = true;
      await load();
      const specification = await (await fetch(link.href)).json(), place = document.createElement('div');
      place.setAttribute('role', 'img');
      place.setAttribute('aria-label', picture.querySelector('img').alt);
      specification.width = Math.max(240, Math.min(660, picture.parentElement.clientWidth - 16));
      picture.replaceWith(place);
      await window.vegaEmbed(place, specification, {actions: false, renderer: 'svg', tooltip: {theme: 'dark'}});
      button.remove();
    });
    link.closest('.files').append(' ', button);
  }
})();
