// Lays services out on pages without scrolling: departments keep their order, a long one goes on overleaf, and two
// neighbours with a single service each share a row.

const HEADING_ROWS = 0.5;

// -> [[{department, services: [...]}, ...], ...]; `columns` tiles stand in a row, `rows` rows fit a page.
export function layOut(services, columns, rows) {
  const pages = [[]];
  let free = rows;
  let beside = 0; // places left in a row of single services
  for (const [department, members] of byDepartment(services)) {
    let rest = members;
    while (rest.length) {
      if (members.length === 1 && beside > 0) {
        beside -= 1;
        pages.at(-1).push({ department, services: rest });
        break;
      }
      if (free < HEADING_ROWS + 1) {
        pages.push([]);
        free = rows;
      }
      const fit = Math.max(1, Math.floor(free - HEADING_ROWS)) * columns;
      const here = rest.slice(0, fit);
      pages.at(-1).push({ department, services: here });
      free -= HEADING_ROWS + Math.ceil(here.length / columns);
      rest = rest.slice(fit);
      beside = members.length === 1 ? columns - 1 : 0;
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
