import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Express } from 'express';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** Debian's; playwright-core brings none, and none is downloaded. */
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  existsSync,
);
export const hasBrowser = CHROMIUM !== undefined;
if (!hasBrowser)
  process.stdout.write(
    '\nSKIPPED: the dashboard in a browser. Install chromium (`apt-get install chromium`).\n\n',
  );

/** Pictures of a run, kept beside the checkout's files and not among them. */
const PICTURES = fileURLToPath(new URL('../../test-results/page/', import.meta.url));

/** A browser before an API that listens, and what its pages have asked for and complained about. */
export interface Visit {
  origin: string;
  /** A new page in a tab, and so a session storage, of its own. */
  open(path: string, options?: BrowserContextOptions): Promise<Page>;
  /** What pages have asked of other hosts. */
  elsewhere: string[];
  /** Errors of pages: exceptions, and what the security policy has refused. */
  complaints: string[];
  close(): Promise<void>;
}

export async function visit(app: Express): Promise<Visit> {
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  const browser: Browser = await chromium.launch({
    ...(CHROMIUM === undefined ? {} : { executablePath: CHROMIUM }),
    // Root has no sandbox, and runs the tests in containers.
    args: ['--no-sandbox'],
  });
  const elsewhere: string[] = [];
  const complaints: string[] = [];
  return {
    origin,
    elsewhere,
    complaints,
    async open(path, options = {}) {
      const context = await browser.newContext({
        viewport: { width: 1440, height: 900 },
        permissions: ['clipboard-read', 'clipboard-write'],
        timezoneId: 'America/New_York',
        ...options,
      });
      const page = await context.newPage();
      page.setDefaultTimeout(60_000);
      page.on('request', (request) => {
        if (new URL(request.url()).origin !== origin && !request.url().startsWith('data:'))
          elsewhere.push(request.url());
      });
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('console', (message) => {
        if (/Content Security Policy|is not a valid/.test(message.text())) complaints.push(message.text());
      });
      await page.goto(origin + path);
      return page;
    },
    async close() {
      await browser.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A picture of the whole page, `test-results/page/<name>.png`. */
export async function picture(page: Page, name: string): Promise<void> {
  await mkdir(PICTURES, { recursive: true });
  await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
}
