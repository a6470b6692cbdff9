// Search over codes and names of every level, and over stations.
const MOST_HITS = 12;

function plain(text) {
  return text.normalize('NFKC').toLowerCase().replace(/\s+/g, '');
}

function searchHits(data, asked) {
  const wanted = plain(asked);
  if (!wanted) return [];
  const found = [];
  for (const [index, level] of data.levels.entries()) {
    for (let row = 0; row < level.code.length; row += 1) {
      const code = plain(level.code[row]);
      const name = plain(level.cell[row]);
      if (!code.includes(wanted) && !name.includes(wanted)) continue;
      const rank = code === wanted || name === wanted ? 0 : code.startsWith(wanted) || name.startsWith(wanted) ? 1 : 2;
      found.push({ rank, index, row, text: level.cell[row], side: `${level.name} ${level.code[row]}` });
    }
  }
  for (const station of data.stations) {
    if (!plain(station.name).includes(wanted) && plain(station.id) !== wanted) continue;
    found.push({ rank: 1, index: data.levels.length, station, text: station.name, side: station.outside ? '服务站（范围外）' : '服务站' });
  }
  // Cells come first: a planner who types a name that both bear means the cell.
  const isStation = (hit) => Number('station' in hit);
  found.sort((a, b) => isStation(a) - isStation(b) || a.rank - b.rank || a.index - b.index);
  return found.slice(0, MOST_HITS);
}

function startSearch(data, goToCell, goToStation) {
  const input = byId('gg-search');
  const list = byId('gg-hits');
  const go = (hit) => {
    list.hidden = true;
    if (hit.station) goToStation(hit.station);
    else goToCell(hit.index, hit.row);
  };
  const show = () => {
    const hits = searchHits(data, input.value);
    const rows = hits.map((hit) => listButton(hit.text, hit.side, () => go(hit)));
    list.replaceChildren(...(rows.length ? rows : [element('li', 'gg-none', '没有找到')]));
    list.hidden = !plain(input.value);
    return hits;
  };
  input.addEventListener('input', show);
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') list.hidden = true;
    if (event.key !== 'Enter') return;
    const hits = show();
    if (hits.length) go(hits[0]);
  });
}
