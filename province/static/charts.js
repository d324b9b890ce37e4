// Draws each figure.chart from the table inside it; without this script the table stays, and all values with it.
// A figure says `data-kind` (line or bar); the table's first column is the axis, each further column a series: `data-value`
// of its cells, `data-role="goal"` of its heading for a target line.
"use strict";

const charts = new Map();

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function seriesOf(table, kind) {
  const headings = [...table.tHead.rows[0].cells].slice(1);
  return headings.map((heading, index) => {
    const goal = heading.dataset.role === "goal";
    const cells = [...table.tBodies[0].rows].map((row) => row.cells[index + 1]);
    return {
      type: goal ? "line" : kind,
      label: heading.textContent.trim(),
      data: cells.map((cell) => (cell.dataset.value === "" ? null : Number(cell.dataset.value))),
      words: cells.map((cell) => cell.textContent.trim()),
      goal,
      borderWidth: goal ? 1.5 : kind === "line" ? 2.5 : 0,
      borderDash: goal ? [6, 4] : [],
      pointRadius: goal || kind === "bar" ? 0 : 2.5,
      pointHitRadius: 12,
      pointStyle: goal ? "line" : kind === "line" ? "circle" : "rect",
      stepped: goal ? "middle" : false,
      order: goal ? 0 : 1,
      maxBarThickness: 48,
      spanGaps: false,
    };
  });
}

function colourSeries(datasets) {
  for (const series of datasets) {
    const own = colour(series.goal ? "--goal" : "--series");
    series.borderColor = own;
    series.pointBackgroundColor = own;
    series.pointBorderColor = own;
    series.backgroundColor = own;
  }
}

function paint(chart) {
  const ink = colour("--soft");
  colourSeries(chart.data.datasets);
  for (const scale of Object.values(chart.options.scales)) {
    scale.ticks.color = ink;
    scale.grid.color = colour("--line");
  }
  chart.options.plugins.legend.labels.color = ink;
  chart.update();
}

function draw(figure) {
  const table = figure.querySelector("table");
  const kind = figure.dataset.kind;
  const locale = document.documentElement.lang;
  const datasets = seriesOf(table, kind);
  const values = datasets.flatMap((series) => series.data).filter((value) => value !== null);
  colourSeries(datasets);
  figure.classList.add("drawn");
  const chart = new Chart(figure.querySelector("canvas"), {
    data: { labels: [...table.tBodies[0].rows].map((row) => row.cells[0].textContent.trim()), datasets },
    options: {
      animation: false,
      maintainAspectRatio: false,
      locale,
      interaction: { mode: "index", intersect: false },
      scales: {
        x: { grid: { display: false }, ticks: { maxRotation: 0, autoSkipPadding: 12 } },
        y: {
          beginAtZero: kind === "bar",
          suggestedMin: Math.max(0, Math.floor(Math.min(...values) / 10) * 10 - 10),
          suggestedMax: 100,
          grid: {},
          ticks: { maxTicksLimit: 6, callback: (value) => `${value.toLocaleString(locale)} %` },
        },
      },
      plugins: {
        colors: { enabled: false },
        legend: { position: "bottom", labels: { usePointStyle: true, boxHeight: 8 } },
        tooltip: { callbacks: { label: (item) => `${item.dataset.label}: ${item.dataset.words[item.dataIndex]}` } },
      },
    },
  });
  charts.set(figure, chart);
  paint(chart);
}

Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
document.querySelectorAll("figure.chart").forEach(draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.forEach(paint));

// On paper the page is light and as wide as the sheet.
matchMedia("print").addEventListener("change", () => {
  charts.forEach((chart) => {
    chart.resize();
    paint(chart);
  });
});
