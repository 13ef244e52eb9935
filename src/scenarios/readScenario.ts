import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { StartupError } from '../contracts/errors.js';
import { planScenario, type Scenario, ScenarioFault } from './scenario.js';
import { scenarioShape } from './shape.js';

/** Larger than any scenario: 5,000 events with ten lines each. */
const MOST_CHARACTERS = 2_000_000;

/**
 * A scenario by its text, YAML or JSON.
 *
 * @param name of the file, with which sentences begin.
 * @throws StartupError one sentence with the line, the field and what would be right.
 */
export function readScenario(text: string, name: string): Scenario {
  if (text.length > MOST_CHARACTERS)
    throw new StartupError(`${name} has more than ${MOST_CHARACTERS} characters, which no scenario has.`);
  const lines = new LineCounter();
  const document = parseDocument(text, { schema: 'core', uniqueKeys: true, lineCounter: lines });
  const [broken] = document.errors;
  if (broken) {
    const line = lines.linePos(broken.pos[0]).line;
    throw new StartupError(`${name}, line ${line}: is no YAML: ${firstSentence(broken.message)}.`);
  }
  const wrong = (path: readonly PropertyKey[], field: string, message: string): never => {
    const line = lineOf(document, lines, path);
    throw new StartupError(`${name}, line ${line}: ${[field, message].filter(Boolean).join(' ')}.`);
  };
  const found = scenarioShape.safeParse(plainValue(document, name));
  if (!found.success) {
    const { path, field, message } = told(found.error.issues[0] as z.core.$ZodIssue);
    return wrong(path, field, message);
  }
  try {
    return planScenario(found.data);
  } catch (error) {
    if (error instanceof ScenarioFault) return wrong(error.path, error.path.join('.'), error.message);
    throw error;
  }
}

function told(issue: z.core.$ZodIssue): { path: PropertyKey[]; field: string; message: string } {
  if (issue.code === 'unrecognized_keys') {
    const path = [...issue.path, issue.keys[0] as string];
    return { path, field: path.join('.'), message: 'is not a field of a scenario' };
  }
  return { path: issue.path, field: issue.path.join('.'), message: issue.message };
}

/** The line of the field, or of what it is missing in. */
function lineOf(
  document: ReturnType<typeof parseDocument>,
  lines: LineCounter,
  path: readonly PropertyKey[],
): number {
  for (let length = path.length; length >= 0; length -= 1) {
    const node = document.getIn(path.slice(0, length), true) as { range?: [number, number, number] } | null;
    if (node?.range) return lines.linePos(node.range[0]).line;
  }
  return 1;
}

/** @throws StartupError for aliases: a few of them unfold to gigabytes, and no scenario needs one. */
function plainValue(document: ReturnType<typeof parseDocument>, name: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch (error) {
    throw new StartupError(`${name} cannot be read: ${(error as Error).message}.`);
  }
}

function firstSentence(message: string): string {
  return (message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, '').replace(/[.:]$/, '');
}
