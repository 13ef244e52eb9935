import { posix } from 'node:path';
import ts from 'typescript';

/** What citations may point to. */
export interface Repository {
  /** All files, by their path from the root. */
  files: ReadonlySet<string>;
  /** npm scripts. */
  scripts: ReadonlySet<string>;
  /** The text of a markdown file, for its anchors. */
  read(path: string): string;
}

/** A text that cites. */
export interface Citing {
  path: string;
  text: string;
}

const DECISIONS = 'docs/decisions/README.md';

/** Ways to cite that no reader of the repository can follow. */
const UNKNOWN_TO_READERS: [RegExp, string][] = [
  [/\bdecisions? \d+/gi, 'a decision is cited as D1 to D20, or by its file in docs/decisions'],
  [/\bdocs? [1-9]\b/gi, 'a document is cited by its path'],
  [/\b(?:the|customer) brief\b|\bbrief[’']s\b|\(brief[):]/gi, `the request is described in ${DECISIONS}`],
];

/** Folders of an earlier layout: what still cites them has not been moved along. */
const FORMER_ROOMS = ['services', 'stores', 'routes', 'workers'];
const TOP_FOLDERS = ['src', 'docs', 'sql', 'test', 'config', 'docker', 'findings', 'scripts'];
const FILE_NAME = /(?<![\w./*{}-])[A-Za-z][\w-]*(?:\.test)?\.(?:ts|sql|md|cjs|mjs|svg)\b/g;

/** One sentence for each citation of `citing` that points to nothing, with its line. */
export function brokenCitations(citing: Citing, repository: Repository): string[] {
  // Most texts have nothing that even looks wrong; only the others are worth parsing for their comments.
  if (problemsOf(citing, citing.text, repository).length === 0) return [];
  const spoken = citing.path.endsWith('.md') ? citing.text : commentsOf(citing);
  return problemsOf(citing, spoken, repository)
    .map(({ at, problem }) => ({ line: citing.text.slice(0, at).split('\n').length, problem }))
    .sort((a, b) => a.line - b.line)
    .map(({ line, problem }) => `${citing.path}:${line}: ${problem}`);
}

/** @param spoken what of the text speaks to its readers; everything else is blank. */
function problemsOf(citing: Citing, spoken: string, repository: Repository): Problem[] {
  return [
    ...wordings(spoken),
    ...decisions(spoken, repository),
    ...paths(spoken, repository),
    ...fileNames(spoken, repository),
    // What a program tells people to run counts as well.
    ...npmScripts(citing.path.startsWith('test/') ? spoken : citing.text, repository),
    ...(citing.path.endsWith('.md') ? links(citing, repository) : []),
  ];
}

interface Problem {
  at: number;
  problem: string;
}

function wordings(spoken: string): Problem[] {
  return UNKNOWN_TO_READERS.flatMap(([pattern, instead]) =>
    [...spoken.matchAll(pattern)].map(({ index, 0: words }) => ({
      at: index,
      problem: `"${words}" is not in the repository: ${instead}`,
    })),
  );
}

function decisions(spoken: string, repository: Repository): Problem[] {
  const known = anchorsOf(repository.read(DECISIONS));
  return [...spoken.matchAll(/\bD([1-9]\d?)\b/g)]
    .filter(({ 0: name }) => !known.has(name.toLowerCase()))
    .map(({ index, 0: name }) => ({ at: index, problem: `${name} is no decision in ${DECISIONS}` }));
}

/** Paths from the root, and `room/file` as it stands under src; with or without an ending, `*` and `{a,b}` as in a shell. */
function paths(spoken: string, { files }: Repository): Problem[] {
  const all = [...files];
  const rooms = new Set(
    all.filter((path) => path.startsWith('src/')).flatMap((path) => path.split('/').slice(1, -1)),
  );
  const first = [...TOP_FOLDERS, ...FORMER_ROOMS, ...rooms].join('|');
  const pattern = new RegExp(`(?<![\\w./:$<>-])(?:\\./)?((?:${first})/[\\w./*{},-]*)`, 'g');
  return [...spoken.matchAll(pattern)].flatMap((match) => {
    const cited = (match[1] ?? '').replace(/[.,]+$/, '');
    // `reads/s` is a unit, and a folder alone says nothing that could be wrong of a file.
    if (cited.endsWith('/s')) return [];
    const isThere = bracesOpened(cited).every((path) => exists(path, all));
    return isThere ? [] : [{ at: match.index, problem: `${cited} is neither a file nor a folder` }];
  });
}

function exists(cited: string, files: readonly string[]): boolean {
  const path = cited.replace(/\/$/, '');
  const pattern = path
    .split('*')
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
    .join('[^/]*');
  // Of the number of a decision the name is left out.
  const ending = /^docs\/decisions\/\d{4}$/.test(path) ? '-[^/]*\\.md' : '(?:\\.(?:ts|md|sql))?(?:/.*)?';
  const whole = new RegExp(`^(?:src/(?:[^/]+/)?)?${pattern}${ending}$`);
  return files.some((file) => whole.test(file));
}

/** `a/{b,c}` as `a/b` and `a/c`. */
function bracesOpened(path: string): string[] {
  const { before, options, after } =
    /^(?<before>[^{]*)\{(?<options>[^}]*)\}(?<after>.*)$/.exec(path)?.groups ?? {};
  if (options === undefined) return [path];
  return options.split(',').flatMap((option) => bracesOpened(`${before}${option}${after}`));
}

/** A file's bare name, `amiQueue.ts`, is looked for anywhere. */
function fileNames(spoken: string, { files }: Repository): Problem[] {
  const names = new Set([...files].map((path) => posix.basename(path)));
  return [...spoken.matchAll(FILE_NAME)]
    .filter(({ 0: name }) => !names.has(name))
    .map(({ index, 0: name }) => ({ at: index, problem: `no file is called ${name}` }));
}

function npmScripts(text: string, { scripts }: Repository): Problem[] {
  return [...text.matchAll(/\bnpm run (?:-s )?(?<script>[a-z][\w:-]*)|\bnpm (?<short>test|start)\b/g)]
    .map(({ index, groups }) => ({ index, script: groups?.script ?? groups?.short ?? '' }))
    .filter(({ script }) => !scripts.has(script))
    .map(({ index, script }) => ({ at: index, problem: `package.json has no script ${script}` }));
}

/** Relative links of markdown, and the headings that they name. */
function links({ path, text }: Citing, { files, read }: Repository): Problem[] {
  return [...text.matchAll(/\]\((?!https?:|mailto:)(?<target>[^)\s#]*)(?:#(?<anchor>[^)\s]+))?\)/g)].flatMap(
    ({ index, groups }) => {
      const { target = '', anchor } = groups ?? {};
      const cited = target === '' ? path : posix.join(posix.dirname(path), target).replace(/\/$/, '');
      const isFolder = [...files].some((file) => file.startsWith(`${cited}/`));
      if (!files.has(cited) && !isFolder)
        return [{ at: index, problem: `links to ${cited}, which is not there` }];
      if (anchor === undefined || anchorsOf(target === '' ? text : read(cited)).has(anchor)) return [];
      return [{ at: index, problem: `links to #${anchor}, which is no heading of ${cited}` }];
    },
  );
}

/** The anchors that GitHub gives to the headings of a markdown text. */
export function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>();
  const withoutBlocks = markdown.replace(/^```[\s\S]*?^```$/gm, '');
  for (const [, title = ''] of withoutBlocks.matchAll(/^#{1,6} (.+)$/gm)) {
    const slug = title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M}_\s-]/gu, '')
      .replace(/\s/g, '-');
    let name = slug;
    for (let again = 1; anchors.has(name); again += 1) name = `${slug}-${again}`;
    anchors.add(name);
  }
  return anchors;
}

/** The comments of a text where they stand, with everything else blanked out. */
export function commentsOf({ path, text }: Citing): string {
  const ranges = /\.(?:ts|cjs|mjs)$/.test(path) ? typescriptComments(text) : lineComments(path, text);
  const blank = (code: string): string => code.replace(/[^\n]/g, ' ');
  let comments = '';
  let end = 0;
  for (const range of ranges) {
    comments += blank(text.slice(end, range.from)) + text.slice(range.from, range.to);
    end = range.to;
  }
  return comments + blank(text.slice(end));
}

interface Range {
  from: number;
  to: number;
}

/** `--` of SQL and what COMMENT ON says there, which people read too; `#` of YAML and shells. */
function lineComments(path: string, text: string): Range[] {
  const pattern = path.endsWith('.sql') ? /--.*$|\bCOMMENT ON [\s\S]*?;$/gm : /(?<=^|\s)#.*$/gm;
  return [...text.matchAll(pattern)].map(({ index, 0: found }) => ({
    from: index,
    to: index + found.length,
  }));
}

/** By TypeScript's own parser: strings, templates and regular expressions may hold what looks like a comment. */
function typescriptComments(text: string): Range[] {
  const source = ts.createSourceFile('file.ts', text, ts.ScriptTarget.Latest, true);
  const ranges = new Map<number, Range>();
  const add = (found: readonly ts.CommentRange[] | undefined): void => {
    for (const { pos, end } of found ?? []) ranges.set(pos, { from: pos, to: end });
  };
  const visit = (node: ts.Node): void => {
    if (node.kind !== ts.SyntaxKind.JsxText) {
      add(ts.getLeadingCommentRanges(text, node.getFullStart()));
      add(ts.getTrailingCommentRanges(text, node.getEnd()));
    }
    for (const child of node.getChildren(source)) visit(child);
  };
  visit(source);
  return [...ranges.values()].sort((a, b) => a.from - b.from);
}
