import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { anchorsOf, brokenCitations, commentsOf, type Repository } from './citations.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** All files but what is installed or made at run time. */
function filesBelow(folder: string): string[] {
  return (
    readdirSync(join(ROOT, folder), { withFileTypes: true })
      .filter(({ name }) => !['node_modules', '.git', '.gridlens', 'dist', 'test-results'].includes(name))
      // Another run's programs, which go while they are listed.
      .filter(({ name }) => !name.startsWith('.compiled-'))
      .flatMap((entry) => {
        const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
        return entry.isDirectory() ? filesBelow(path) : [path];
      })
  );
}

const ALL = filesBelow('');
const REPOSITORY: Repository = {
  files: new Set(ALL),
  scripts: new Set(Object.keys(JSON.parse(read('package.json')).scripts)),
  read,
};

/** Applied SQL is history: its checksum is recorded in databases, so it says for ever what it said then. */
const isHistory = (path: string): boolean => /^sql\/(?:migrations\/)?phase/.test(path);
const CITING = ALL.filter(
  (path) =>
    !isHistory(path) &&
    /^(?:src|test|sql|docs|config|docker|findings|scripts)\/.*\.(?:ts|cjs|mjs|sql|md|yml)$|^README\.md$|^docker-compose\.yml$|^\.ci\/run$|^\.env\.example$/.test(
      path,
    ),
);

describe('citations', () => {
  it('point to something that is in the repository', () => {
    expect(CITING.length).toBeGreaterThan(300);
    const broken = CITING.flatMap((path) => brokenCitations({ path, text: read(path) }, REPOSITORY));
    expect(broken).toEqual([]);
  });
});

/** A small repository, and what is wrong with a text in it. */
const FILES: Record<string, string> = {
  'README.md': '# Start\n',
  'docs/api.md': '# API\n\n## Errors\n\n## The `readAt` of it, twice\n\n## Errors\n',
  'docs/decisions/README.md': '# Decisions\n\n### D1\n\n### D12\n',
  'docs/decisions/0001-admission.md': '',
  'src/index.ts': '',
  'src/ledger/publishLedger.ts': '',
  'src/schema/detect/columns.ts': '',
  'sql/phase1_reads.sql': '',
};
const SMALL: Repository = {
  files: new Set(Object.keys(FILES)),
  scripts: new Set(['test', 'worker']),
  read: (path) => FILES[path] ?? '',
};
const inMarkdown = (text: string): string[] => brokenCitations({ path: 'docs/api.md', text }, SMALL);
const inComment = (text: string): string[] =>
  brokenCitations({ path: 'src/index.ts', text: `// ${text}\n` }, SMALL);

describe('the check of citations', () => {
  it.each([
    'see docs/api.md, src/ledger/publishLedger.ts and `ledger/publishLedger`',
    'detect/columns, schema/detect, src/schema/, sql/phase*_reads.sql, src/{index,ledger}',
    'D1 and D12; docs/decisions/0001 and docs/decisions/0001-admission.md; publishLedger.ts',
    'npm run worker, npm run -s worker, npm test; 2,500 ledger/s; https://example.com/docs/gone.md',
    'in brief, the decision of 12 people',
  ])('lets pass: %s', (text) => {
    expect(inMarkdown(text)).toEqual([]);
    expect(inComment(text)).toEqual([]);
  });

  it.each([
    ['decision 6', 'a decision is cited as D1 to D20'],
    ['decisions 6 to 9', 'a decision is cited as D1 to D20'],
    ['Doc 2 says so', 'a document is cited by its path'],
    ['as the brief says', 'the request is described in'],
    ['the brief’s own', 'the request is described in'],
    ['118–124 V (brief)', 'the request is described in'],
    ['see D2', 'D2 is no decision'],
    ['see D20', 'D20 is no decision'],
    ['docs/decisions/0002', 'docs/decisions/0002 is neither a file nor a folder'],
    ['docs/bullmq.md', 'docs/bullmq.md is neither a file nor a folder'],
    ['measured, bullmq.md', 'no file is called bullmq.md'],
    ['services/publish.ts', 'services/publish.ts is neither'],
    ['`stores/reads`', 'stores/reads is neither'],
    ['ledger/publishLedge', 'ledger/publishLedge is neither'],
    ['src/{index,gone}', 'src/{index,gone} is neither'],
    ['sql/phase2*.sql', 'sql/phase2*.sql is neither'],
    ['as in gone.ts', 'no file is called gone.ts'],
    ['npm run test:gone', 'package.json has no script test:gone'],
    ['npm start', 'package.json has no script start'],
  ])('refuses: %s', (text, problem) => {
    for (const broken of [inMarkdown(text), inComment(text)]) {
      expect(broken.join('\n')).toContain(problem);
      expect(broken.join('\n')).toMatch(/^[\w./]+:1: /);
    }
  });

  it('follows the links of markdown with their anchors, from the folder that they stand in', () => {
    expect(
      inMarkdown('[a](../README.md#start) [b](decisions/README.md#d12) [c](api.md#errors-1) [d](decisions)'),
    ).toEqual([]);
    expect(inMarkdown('\n[a](gone.md)')).toEqual([
      'docs/api.md:2: no file is called gone.md',
      'docs/api.md:2: links to docs/gone.md, which is not there',
    ]);
    expect(inMarkdown('[a](../README.md#end)')).toEqual([
      'docs/api.md:1: links to #end, which is no heading of README.md',
    ]);
    expect(inMarkdown('[a](#gone)')).toEqual([
      'docs/api.md:1: links to #gone, which is no heading of docs/api.md',
    ]);
  });

  it('knows the anchors that GitHub makes', () => {
    expect([...anchorsOf(FILES['docs/api.md'] ?? '')]).toEqual([
      'api',
      'errors',
      'the-readat-of-it-twice',
      'errors-1',
    ]);
    expect([...anchorsOf('```sh\n# none\n```\n# One – two: `POST /a`\n')]).toEqual(['one--two-post-a']);
  });

  it('reads the comments of a program, and none of its code', () => {
    const text = [
      "const a = '// decision 1'; // decision 2",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the program that is read has a template
      'const b = `/* decision 3 */ ${/* decision 4 */ a} // decision 5`;',
      'const c = /[//]/; /** decision 6 */',
    ].join('\n');
    const comments = commentsOf({ path: 'src/index.ts', text });
    expect(comments.match(/decision \d/g)).toEqual(['decision 2', 'decision 4', 'decision 6']);
    expect(comments.split('\n')).toHaveLength(3);
    expect(brokenCitations({ path: 'src/index.ts', text }, SMALL).map((one) => one.slice(0, 14))).toEqual([
      'src/index.ts:1',
      'src/index.ts:2',
      'src/index.ts:3',
    ]);
  });

  it('reads the comments of SQL and what it says of its objects', () => {
    const text = "SELECT 'doc 1'; -- doc 2\nCOMMENT ON TABLE a IS\n  'See doc 3.';\nSELECT 'doc 4';\n";
    expect(commentsOf({ path: 'sql/a.sql', text }).match(/doc \d/g)).toEqual(['doc 2', 'doc 3']);
  });

  it('looks at the scripts that a program tells people to run, but not at those in a test', () => {
    const text = "console.log('npm run gone');\n";
    expect(brokenCitations({ path: 'src/index.ts', text }, SMALL)).toHaveLength(1);
    expect(brokenCitations({ path: 'test/index.ts', text }, SMALL)).toEqual([]);
  });
});
