// Draws numbers on a canvas, in the colours of the editor's theme. The one module that knows the
// chart library; it is loaded when the first chart is wanted.

import uPlot from "uplot";

export interface Plot {
  kind: "bars" | "line" | "scatter";
  /** Ascending. */
  x: number[];
  y: number[];
  /** What x is shown of; otherwise as much as it has. */
  range?: [number, number];
  xLabel: string;
  yLabel: string;
}

export interface Drawn {
  destroy(): void;
}

const HEIGHT = 300;
const POINT_SIZE = 4;
const BAR_SHARE = 0.9;
const BAR_WIDTH_MAX = 60;

/** Draws into an element, and again when its width or the theme changes. */
export function draw(element: HTMLElement, plot: Plot): Drawn {
  let chart = create(element, plot);
  const again = () => {
    chart.destroy();
    chart = create(element, plot);
  };
  const themes = new MutationObserver(again);
  themes.observe(document.body, { attributes: true, attributeFilter: ["class"] });
  themes.observe(document.documentElement, { attributes: true, attributeFilter: ["style"] });
  let width = element.clientWidth;
  const sizes = new ResizeObserver(() => {
    if (element.clientWidth === width || element.clientWidth === 0) return;
    width = element.clientWidth;
    chart.setSize({ width, height: HEIGHT });
  });
  sizes.observe(element);
  return {
    destroy: () => {
      themes.disconnect();
      sizes.disconnect();
      chart.destroy();
    },
  };
}

function create(element: HTMLElement, plot: Plot): uPlot {
  const { fontSize, fontFamily } = getComputedStyle(document.body);
  const text = color("--vscode-editor-foreground", "gray");
  const line = color("--vscode-editorWidget-border", "rgb(128 128 128 / 35%)");
  const ink = color("--vscode-charts-blue", text);
  const axis: uPlot.Axis = {
    stroke: text,
    grid: { stroke: line, width: 1 },
    ticks: { stroke: line, width: 1 },
    font: `${fontSize} ${fontFamily}`,
    labelFont: `${fontSize} ${fontFamily}`,
  };
  return new uPlot(
    {
      width: Math.max(element.clientWidth, 100),
      height: HEIGHT,
      scales: {
        x: { time: false, ...(plot.range ? { range: plot.range } : {}) },
        y: plot.kind === "bars" ? { range: fromZero } : {},
      },
      axes: [
        { ...axis, label: plot.xLabel },
        { ...axis, label: plot.yLabel, size: 64 },
      ],
      series: [{ label: plot.xLabel }, { label: plot.yLabel, ...shape(plot.kind, ink) }],
      cursor: { drag: { x: true, y: plot.kind === "scatter" } },
    },
    [plot.x, plot.y],
    element,
  );
}

function shape(kind: Plot["kind"], ink: string): Partial<uPlot.Series> {
  if (kind === "line") return { stroke: ink, width: 1.5, points: { show: false } };
  if (kind === "scatter") {
    return { stroke: ink, paths: () => null, points: { show: true, size: POINT_SIZE, fill: ink } };
  }
  const paths = uPlot.paths.bars?.({ size: [BAR_SHARE, BAR_WIDTH_MAX] });
  return { fill: ink, width: 0, points: { show: false }, ...(paths ? { paths } : {}) };
}

function fromZero(_: uPlot, low: number, high: number): [number, number] {
  return [Math.min(low, 0), high * 1.05];
}

function color(name: string, otherwise: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim() || otherwise;
}
