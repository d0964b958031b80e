// Charts by keyboard, of the app and of the static edition: each chart has one stop behind it, from which arrow keys go into its table.
// Down or Enter: from the summary to the series and on to the points. Left, right, Home, End: along. Up or Escape: back. What is read and shown is the table's own text.
(() => {
  const text = (cell) => cell.textContent.trim();
  const ended = (words) => /[.?!]$/.test(words) ? words : `${words}.`;
  // The table of a chart is the next one with the chart's title.
  const tableOf = (stop) => [...document.querySelectorAll('table')].find((table) =>
    stop.compareDocumentPosition(table) & Node.DOCUMENT_POSITION_FOLLOWING && table.caption && text(table.caption) === stop.dataset.title);
  const said = (names, cells, from) => cells.slice(from).map((value, i) => `${names[from + i]}: ${value}`).join('; ');
  // [{name, points: [text]}]; a chart of one series has no name for it.
  const seriesOf = (stop) => {
    const table = tableOf(stop);
    if (!table) return [];
    const names = [...table.tHead.rows[0].cells].map(text), rows = [...table.tBodies[0].rows].map((row) => [...row.cells].map(text));
    const by = stop.dataset.series;
    if (by === 'columns')
      return names.slice(1).map((name, i) => ({name, points: rows.map((row) => `${ended(row[0])} ${row[i + 1]}`)}));
    if (by === '') return [{name: '', points: rows.map((row) => `${ended(row[0])} ${said(names, row, 1)}`)}];
    const column = Number(by), found = new Map();
    for (const row of rows) {
      if (!found.has(row[column])) found.set(row[column], []);
      found.get(row[column]).push(`${ended(row[1 - column])} ${said(names, row, 2)}`);
    }
    return [...found].map(([name, points]) => ({name: `${names[column]}: ${name}`, points}));
  };
  const place = (stop) => stop.__place ??= {series: -1, point: -1};
  const tell = (stop) => {
    const here = place(stop), all = seriesOf(stop), line = stop.querySelector('.said');
    const at = (i, listed) => stop.dataset.of.replace('{number}', i + 1).replace('{all}', listed.length);
    if (here.series < 0) line.textContent = stop.dataset.summary;
    else if (here.point < 0) line.textContent = `${ended(all[here.series].name)} ${at(here.series, all)}`;
    else line.textContent = `${ended(all[here.series].points[here.point])} ${at(here.point, all[here.series].points)}`;
  };
  const along = (i, listed, key) => ({ArrowRight: Math.min(i + 1, listed.length - 1), ArrowLeft: Math.max(i - 1, 0), Home: 0, End: listed.length - 1})[key];
  // Is the key one that moves here? All others are left to the page.
  const move = (stop, key) => {
    const here = place(stop), all = seriesOf(stop), one = all.length === 1;
    if (!all.length) return false;
    if (key === 'ArrowDown' || key === 'Enter') {
      if (here.series < 0) Object.assign(here, {series: 0, point: one ? 0 : -1});
      else if (here.point < 0) here.point = 0;
      else if (key === 'Enter') return false;
    } else if (key === 'ArrowUp' || key === 'Escape') {
      if (here.series < 0) return false;
      if (here.point < 0 || one) Object.assign(here, {series: -1, point: -1});
      else here.point = -1;
    } else if (key in {ArrowRight: 0, ArrowLeft: 0, Home: 0, End: 0}) {
      if (here.series < 0) return false;
      if (here.point < 0) here.series = along(here.series, all, key);
      else here.point = along(here.point, all[here.series].points, key);
    } else return false;
    return true;
  };
  const show = (root) => { for (const stop of root.querySelectorAll('.walk[hidden]')) stop.hidden = false; };
  show(document);
  if (window.__walking) return;
  window.__walking = true;
  const at = (event) => event.target.closest?.('.walk');
  document.addEventListener('keydown', (event) => {
    const stop = at(event);
    if (!stop || event.ctrlKey || event.altKey || event.metaKey || !move(stop, event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    tell(stop);
  });
  document.addEventListener('focusin', (event) => { if (at(event)) tell(at(event)); });
  document.addEventListener('focusout', (event) => {
    const stop = at(event);
    if (!stop) return;
    stop.__place = undefined;
    stop.querySelector('.said').textContent = '';
  });
})();
