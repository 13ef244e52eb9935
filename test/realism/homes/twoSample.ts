import { drawAt } from '../../../src/emulator/chance/random.js';
import type { HomeStatistics } from './homeStatistics.js';

/**
 * Whether two sets of homes can be told apart: a plain classifier on fourteen statistics of a year. 0.5 says no better
 * than a coin, 1 says always.
 */

/** The fourteen, on scales on which homes spread evenly. */
export function features(home: HomeStatistics): number[] {
  return [
    Math.log(home.variation),
    Math.log(home.step),
    home.lagOne,
    home.lagDay,
    home.lagWeek,
    Math.log(home.p10 + 0.02),
    Math.log(home.p50 + 0.05),
    Math.log(home.p99),
    Math.log(home.weekend),
    Math.log(home.profileMost),
    Math.log(home.profileLeast + 0.02),
    home.profileShare,
    Math.log(home.dayVariation),
    home.dayLagOne,
  ];
}

const FOLDS = 5;
const RIDGE = 0.1;
/** The folds are drawn this often, and the areas averaged: one draw of a hundred homes is worth some hundredths. */
const DRAWS = 10;

/** Area under the curve of a ridge linear discriminant of the features and their squares, each home judged unseen. */
export function toldApart(one: readonly HomeStatistics[], other: readonly HomeStatistics[]): number {
  const rows = withSquares(standardised([...one, ...other].map(features)));
  let total = 0;
  for (let draw = 0; draw < DRAWS; draw += 1) {
    const scores = new Float64Array(rows.length);
    const folds = rows.map((_, row) =>
      foldOf(draw, row < one.length ? row : row - one.length, row < one.length ? one.length : other.length),
    );
    for (let fold = 0; fold < FOLDS; fold += 1) {
      const learned = (row: number) => folds[row] !== fold;
      const of = (isOne: boolean) => rows.filter((_, row) => learned(row) && row < one.length === isOne);
      const direction = discriminant(of(true), of(false));
      rows.forEach((values, row) => {
        if (!learned(row)) scores[row] = dot(direction.weights, values) - direction.threshold;
      });
    }
    total += areaUnderCurve(scores.slice(0, one.length), scores.slice(one.length));
  }
  return total / DRAWS;
}

/** Folds as equal as can be of each set, in an order drawn anew each time. */
function foldOf(draw: number, row: number, rows: number): number {
  const place = (index: number) => drawAt(draw * 7919 + rows, 1, index);
  let rank = 0;
  for (let index = 0; index < rows; index += 1) if (place(index) < place(row)) rank += 1;
  return rank % FOLDS;
}

function standardised(rows: readonly number[][]): number[][] {
  const columns = (rows[0] as number[]).map((_, column) => {
    const values = rows.map((row) => row[column] as number);
    const centre = values.reduce((sum, value) => sum + value, 0) / values.length;
    const deviation = Math.sqrt(
      values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / values.length,
    );
    return { centre, deviation: deviation || 1 };
  });
  return rows.map((row) =>
    row.map((value, column) => {
      const { centre, deviation } = columns[column] as { centre: number; deviation: number };
      return (value - centre) / deviation;
    }),
  );
}

const withSquares = (rows: readonly number[][]): number[][] =>
  rows.map((row) => [...row, ...row.map((value) => value * value)]);

const dot = (one: readonly number[], other: readonly number[]): number =>
  one.reduce((sum, value, index) => sum + value * (other[index] as number), 0);

function centreOf(rows: readonly number[][]): number[] {
  return (rows[0] as number[]).map(
    (_, column) => rows.reduce((sum, row) => sum + (row[column] as number), 0) / rows.length,
  );
}

/** Fisher's discriminant with the covariance within both sets, and a ridge on its diagonal. */
function discriminant(
  one: readonly number[][],
  other: readonly number[][],
): { weights: number[]; threshold: number } {
  const [centre, otherCentre] = [centreOf(one), centreOf(other)];
  const size = centre.length;
  const matrix = Array.from({ length: size }, () => new Array<number>(size).fill(0));
  const add = (rows: readonly number[][], middle: readonly number[]) => {
    for (const row of rows) {
      const away = row.map((value, column) => value - (middle[column] as number));
      for (let i = 0; i < size; i += 1) {
        const line = matrix[i] as number[];
        for (let j = 0; j < size; j += 1)
          line[j] = (line[j] as number) + (away[i] as number) * (away[j] as number);
      }
    }
  };
  add(one, centre);
  add(other, otherCentre);
  const count = one.length + other.length - 2;
  matrix.forEach((line, i) => {
    line.forEach((value, j) => {
      line[j] = value / count + (i === j ? RIDGE : 0);
    });
  });
  const weights = solve(
    matrix,
    centre.map((value, column) => value - (otherCentre[column] as number)),
  );
  return { weights, threshold: (dot(weights, centre) + dot(weights, otherCentre)) / 2 };
}

/** The solution of a system of linear equations, by Gauss with pivots. */
function solve(matrix: readonly number[][], right: readonly number[]): number[] {
  const rows = matrix.map((line, index) => [...line, right[index] as number]);
  const size = rows.length;
  for (let column = 0; column < size; column += 1) {
    let pivot = column;
    for (let row = column + 1; row < size; row += 1)
      if (Math.abs(rows[row]?.[column] as number) > Math.abs(rows[pivot]?.[column] as number)) pivot = row;
    [rows[column], rows[pivot]] = [rows[pivot] as number[], rows[column] as number[]];
    const lead = rows[column] as number[];
    for (let row = 0; row < size; row += 1) {
      if (row === column) continue;
      const line = rows[row] as number[];
      const factor = (line[column] as number) / (lead[column] as number);
      for (let index = column; index <= size; index += 1)
        line[index] = (line[index] as number) - factor * (lead[index] as number);
    }
  }
  return rows.map((line, index) => (line[size] as number) / (line[index] as number));
}

/** Probability that one of the first set scores above one of the other. */
export function areaUnderCurve(ones: Float64Array, others: Float64Array): number {
  let above = 0;
  for (const one of ones) for (const other of others) above += one > other ? 1 : one === other ? 0.5 : 0;
  return above / (ones.length * others.length);
}
