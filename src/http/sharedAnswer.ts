import type { Request, RequestHandler, Response } from 'express';
import { answerBudget } from '../contracts/answerBudget.js';
import { withDeadline } from '../timing/deadline.js';
import { holdsKey } from './apiKey.js';
import { late, readersOf } from './readers.js';

/** An answer that depends on nothing of who asks, but on whether that one holds a key. */
export interface SharedAnswer {
  /** 200 where it is not said. */
  status?: number;
  headers?: Record<string, string>;
  /** Becomes JSON. */
  body?: object;
}

/** It is made once, however many it goes to. */
interface PreparedAnswer {
  status: number;
  headers: Record<string, string>;
  text: Buffer | undefined;
}

/**
 * A read whose answer all callers share that ask the same question at the same time: the same URL, with the same tag of
 * what they have, both with a key or both without. An answer is late and refused as `answerInTime` says.
 */
export function sharedAnswer(
  answer: (request: Request, toKeyHolder: boolean) => Promise<SharedAnswer>,
): RequestHandler {
  return async (request, response) => {
    const toKeyHolder = holdsKey(response);
    const work = async (): Promise<PreparedAnswer> => prepared(request, await answer(request, toKeyHolder));
    const question = `${toKeyHolder}\n${request.originalUrl}\n${request.get('If-None-Match') ?? ''}`;
    const found = await (readersOf(response)?.shared(request, response, question, work) ??
      withDeadline(work, answerBudget().handler, late));
    send(response, found);
  };
}

function prepared(request: Request, { status = 200, headers = {}, body }: SharedAnswer): PreparedAnswer {
  if (body === undefined) return { status, headers, text: undefined };
  const text = Buffer.from(JSON.stringify(body));
  const tag = request.app.get('etag fn') as ((text: Buffer, encoding: string) => string) | undefined;
  const isTagged = headers.ETag !== undefined || headers['Cache-Control'] === 'no-store';
  return {
    status,
    headers: { ...headers, ...(isTagged || tag === undefined ? {} : { ETag: tag(text, 'utf8') }) },
    text,
  };
}

function send(response: Response, { status, headers, text }: PreparedAnswer): void {
  response.status(status).set(headers);
  if (text === undefined) response.end();
  // Not send(), which would make a tag of the text.
  else if (headers.ETag === undefined) response.type('json').end(text);
  else response.type('json').send(text);
}
