import { type EChartsOption, init } from 'echarts';

/** An SVG of a chart, drawn without a browser; the same text for the same option. */
export function svg(option: EChartsOption, width: number, height: number): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  chart.setOption({
    animation: false,
    backgroundColor: '#fff',
    color: PALETTE,
    textStyle: { fontFamily: FONT },
    ...option,
  });
  const text = chart.renderToSVGString();
  chart.dispose();
  // Ids are counted through the process, so a picture would depend on those drawn before it.
  return `${text.replace(/zr\d+-/g, 'zr-')}\n`;
}

/** Measured first, what it is held against second. */
export const PALETTE = ['#1f5fa8', '#d9822b', '#3d9970', '#8e44ad'];
const FONT = 'Helvetica, Arial, sans-serif';

/** Three decimals: what a picture of this size can show. */
export function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
