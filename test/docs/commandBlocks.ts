import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A fenced block of a document. */
export interface Block {
  language: string;
  text: string;
  /** The `text` block right behind it: what the document says it prints; `…` stands for what was left out. */
  prints: string | undefined;
  /** Line of the document it begins on, from 1. */
  line: number;
}

/** The blocks under one heading. */
export interface Section {
  title: string;
  blocks: Block[];
}

/** Cuts a markdown document at its headings, and finds the fenced blocks; a `text` block is part of the one before. */
export function sectionsOf(markdown: string): Section[] {
  const sections: Section[] = [];
  const pattern = /^#{1,4} (?<title>.+)$|^```(?<language>\w*)\n(?<text>[\s\S]*?)^```$/gm;
  for (const match of markdown.matchAll(pattern)) {
    const { title, language, text = '' } = match.groups ?? {};
    if (title !== undefined) sections.push({ title, blocks: [] });
    if (language === undefined) continue;
    const blocks = sections.at(-1)?.blocks ?? [];
    const before = blocks.at(-1);
    if (language === 'text' && before) before.prints = text;
    else {
      const line = markdown.slice(0, match.index).split('\n').length;
      blocks.push({ language, text, prints: undefined, line });
    }
  }
  return sections.filter(({ blocks }) => blocks.length > 0);
}

/** The same commands against a deployment of the test's own. */
export function onDeployment(command: string, { port, dataDir }: { port: number; dataDir: string }): string {
  return command.replaceAll('localhost:5000', `localhost:${port}`).replaceAll('.gridlens/', `${dataDir}/`);
}

/** The ids that a document shows, with those that were printed in their place. */
export type ShownIds = Map<string, string>;

const ID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** Notes for each id of `said` the one that was printed in its place: they are shown in order, the first ones. */
export function noteIds(ids: ShownIds, said: string, printed: string): void {
  const found = printed.match(ID) ?? [];
  for (const [at, shown] of (said.match(ID) ?? []).entries()) ids.set(shown, found[at] ?? shown);
}

/** The command as somebody types it who has put in the ids of their own answers. */
export const withOwnIds = (command: string, ids: ShownIds): string =>
  command.replace(ID, (shown) => ids.get(shown) ?? shown);

/** Whether a block only reads, so that it may be repeated until it prints what was waited for. */
export function onlyReads({ language, text }: Block): boolean {
  if (language === 'sql') return /^SELECT /.test(text);
  return /^curl /.test(text) && !text.includes('-X POST');
}

/** One terminal: what a block sets, the next one has. */
export interface Terminal {
  /** Answers what the block printed. @throws Error when any of its commands fails. */
  run(command: string): Promise<string>;
  close(): Promise<void>;
}

/** The longest block waits for 25,000 reads, ten seconds at the read limit. */
const BLOCK_LIMIT_MS = 60_000;

/**
 * Starts a bash that ends at the first command that fails, or takes too long. Its scripts are kept in `folder`; `env` is
 * all it has beside the PATH.
 */
export function openTerminal(folder: string, cwd: string, env: Record<string, string> = {}): Terminal {
  const shell = spawn('bash', ['--norc', '-eo', 'pipefail'], {
    cwd,
    env: { PATH: process.env.PATH ?? '', HOME: folder, ...env },
    // A process group of its own: a command that hangs is ended with its shell.
    detached: true,
  });
  const closed = once(shell, 'close');
  let output = '';
  let errors = '';
  let heard: () => void = () => undefined;
  shell.stdout.setEncoding('utf8').on('data', (chunk) => {
    output += chunk;
    heard();
  });
  shell.stderr.setEncoding('utf8').on('data', (chunk) => {
    errors += chunk;
  });
  shell.on('close', () => heard());
  shell.stdin.on('error', () => undefined);
  const hasEnded = (): boolean => shell.exitCode !== null || shell.signalCode !== null;
  const kill = (): void => {
    if (!hasEnded() && shell.pid) process.kill(-shell.pid, 'SIGKILL');
  };
  let count = 0;
  return {
    async run(command) {
      count += 1;
      const script = join(folder, `block-${count}.sh`);
      const end = `--- end of block ${count} ---\n`;
      await writeFile(script, command);
      output = '';
      errors = '';
      const limit = setTimeout(kill, BLOCK_LIMIT_MS);
      // Its input is empty: a command that reads it must not eat the blocks to come.
      shell.stdin.write(`. '${script}' </dev/null\necho '${end.trim()}'\n`);
      while (!output.endsWith(end)) {
        if (hasEnded()) {
          clearTimeout(limit);
          await closed;
          throw new Error(`the terminal ended at\n${command}\n${output}${errors}`);
        }
        await new Promise<void>((resolve) => {
          heard = resolve;
        });
      }
      clearTimeout(limit);
      return output.slice(0, -end.length);
    },
    async close() {
      kill();
      await closed;
    },
  };
}

/**
 * What of `said` is not in `printed`, line by line and in that order: undefined when all is. Numbers, instants and
 * generated ids may differ, but what is said to be 0 must be 0; `…` stands for anything, on its own line for lines.
 */
export function missingLine(said: string, printed: string): string | undefined {
  const lines = shapes(printed);
  let at = 0;
  for (const line of shapes(said).filter((shape) => shape !== '…')) {
    const pattern = new RegExp(`^${line.split('…').map(escaped).join('.*').replaceAll('<n>', '(<n>|0)')}$`);
    const found = lines.findIndex((shape, index) => index >= at && pattern.test(shape));
    if (found < 0) return line;
    at = found + 1;
  }
  return undefined;
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Lines without what differs from run to run; lines of a table's border are none. */
function shapes(text: string): string[] {
  return text
    .split('\n')
    .map((line) =>
      line
        .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '<id>')
        .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?/g, '<instant>')
        .replace(/\d{4}-\d\d-\d\d/g, '<day>')
        .replace(/\d\d:\d\d UTC/g, '<time>')
        .replace(/MTR-\d{5}/g, '<meter>')
        .replace(/\(\d+ rows?\)/g, '(<rows>)')
        .replace(/(?<![\w.-])-?\d+(\.\d+)?/g, (number) => (Number(number) === 0 ? '0' : '<n>'))
        .replace(/\s+/g, ' ')
        .trim(),
    )
    .filter((line) => !/^[-+─┌┐└┘├┤┬┴┼]*$/.test(line));
}
