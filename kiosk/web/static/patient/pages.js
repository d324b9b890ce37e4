// Lays services out on pages without scrolling: departments keep their order, a long one goes on overleaf.

const HEADING_ROWS = 0.5;

// -> [[{department, services: [...]}, ...], ...]; `columns` tiles stand in a row, `rows` rows fit a page.
export function layOut(services, columns, rows) {
  const pages = [[]];
  let free = rows;
  for (const [department, members] of byDepartment(services)) {
    let rest = members;
    while (rest.length) {
      if (free < HEADING_ROWS + 1) {
        pages.push([]);
        free = rows;
      }
      const fit = Math.max(1, Math.floor(free - HEADING_ROWS)) * columns;
      const here = rest.slice(0, fit);
      pages.at(-1).push({ department, services: here });
      free -= HEADING_ROWS + Math.ceil(here.length / columns);
      rest = rest.slice(fit);
    }
  }
  return pages;
}

function byDepartment(services) {
  const groups = new Map();
  for (const service of services) {
    const key = service.department ?? "";
    groups.set(key, [...(groups.get(key) ?? []), service]);
  }
  return groups;
}
